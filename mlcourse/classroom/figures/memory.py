"""The memory: how much of what was solved is still known, over time and by lesson."""

from mlcourse.classroom.figures.style import COLOUR, new_figure, styled


@styled
def memory(picture):
    """What the course's `learner.practice.picture` gives, as a figure: past and next month; lesson by lesson."""
    figure, (time, lessons) = new_figure(1, 2, height=3.9, width_ratios=[1.35, 1])
    past, ahead = picture.days <= 0, picture.days >= 0
    time.step(picture.days[past], picture.solved[past], where="post", color=COLOUR.truth, label="solved")
    time.step(picture.days[past], picture.known[past], where="post", color=COLOUR.theta_prime, label="still known")
    coming = picture.days[ahead]
    time.plot(coming, picture.practised[ahead], ":", color=COLOUR.theta_prime, label="if practised when due")
    time.plot(coming, picture.known[ahead], "--", color=COLOUR.maml, label="if not practised")
    time.axvline(0, color=COLOUR.truth, linewidth=1)
    time.set(xlabel="days from today", ylabel="problems", ylim=(0, 1.08 * max(picture.solved[-1], 1)))
    now, later = picture.known[ahead][[0, -1]]
    time.set_title(f"Known today: {now:.0f} of {picture.solved[-1]}; unpractised, in {coming[-1]} days: {later:.0f}")

    names, solved, known = ([row[i] for row in picture.lessons] for i in range(3))
    places = range(len(names))
    lessons.barh(places, solved, color="none", edgecolor=COLOUR.truth, linewidth=1.5)
    lessons.barh(places, known, color=COLOUR.theta_prime)
    lessons.set_yticks(places, [f"{name:02}" for name in names])
    lessons.set(xlabel="problems", ylabel="lesson", ylim=(len(names) - 0.4, -0.6))
    lessons.set_title("Solved (outline) and still known (filled)")
    lessons.grid(axis="y", visible=False)
    figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
