"""A picture that answers when moved: compute (the method) -> drawing (figures) -> controls (here).

Task and data stay while a control moves; "New task" draws others. Only the artists that moved are drawn again.
"""

import base64
from io import BytesIO

import ipywidgets as widgets
import numpy as np
from PIL import Image
from traitlets import Int, link

LABEL = {"description_width": "190px"}
WIDE = widgets.Layout(width="560px", max_width="100%")


def slider(label, low, high, value, step, unit=""):
    """A control for a real number, label and unit beside it."""
    words = f"{label} ({unit})" if unit else label
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    return widgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        description=words,
        readout_format=f".{digits}f",
        style=LABEL,
        layout=WIDE,
    )


def whole(label, low, high, value, unit=""):
    """A control for a whole number."""
    words = f"{label} ({unit})" if unit else label
    return widgets.IntSlider(value=value, min=low, max=high, description=words, style=LABEL, layout=WIDE)


def choice(label, options, value):
    """A control for one of a few named options; options are strings or (label, value) pairs."""
    return widgets.Dropdown(options=options, value=value, description=label, style=LABEL, layout=WIDE)


class Player(widgets.VBox):
    """A control for the whole numbers 0 … high that can also move by itself: play, pause, stop, step, speed.

    The kernel stands between the clock and the slider, so the picture and the slider never drift apart.
    """

    value = Int()

    def __init__(self, label, high, seconds, unit=""):
        self.min, self.max = 0, high
        self.slider = whole(label, 0, high, 0, unit)
        self.play = widgets.Play(min=0, max=high, show_repeat=False, tooltip="play or pause; stop goes back to 0")
        self.back = widgets.Button(description="Back", icon="step-backward", tooltip="one step back")
        self.forward = widgets.Button(description="Step", icon="step-forward", tooltip="one step on")
        speeds = [(f"{time:g}", int(1000 * time)) for time in seconds]
        self.speed = choice("Speed (seconds a step)", speeds, speeds[0][1])
        for button in (self.back, self.forward):
            button.layout.width = "90px"
        self.speed.style, self.speed.layout = {"description_width": "initial"}, {"width": "230px"}
        link((self.speed, "value"), (self.play, "interval"))
        link((self.slider, "value"), (self, "value"))
        self.observe(self._follow, "value")
        self.play.observe(self._ticked, "value")
        self.back.on_click(lambda _: self._step(-1))
        self.forward.on_click(lambda _: self._step(1))
        row = widgets.HBox([self.play, self.back, self.forward, self.speed], layout={"flex_flow": "row wrap"})
        super().__init__([self.slider, row])

    def stop(self):
        """Stand still where it is."""
        self.play.playing = False

    def _step(self, by):
        self.stop()
        self.value = min(max(self.value + by, self.min), self.max)

    def _follow(self, change):
        self.play.value = change.new

    def _ticked(self, change):
        """A tick that was under way when the player was stopped does not count; going back to 0 does."""
        if self.play.playing or change.new == self.min:
            self.value = change.new
        else:
            self.play.value = self.value


def player(label, high, seconds=(2, 1, 0.5), unit=""):
    """A control for a whole number 0 … high that plays: slider, play and pause, step, and speed.

    seconds  the speeds to choose from, in seconds a step; the first is where it begins
    """
    return Player(label, high, seconds, unit)


class Frame:
    """Draws a Drawing: what stays once, what moves each time, straight from the canvas to PNG."""

    def __init__(self, drawing):
        self.drawing = drawing
        self.canvas = drawing.figure.canvas
        for artist in drawing.moving:
            artist.set_animated(True)
        self._draw_still()

    def _draw_still(self):
        self.canvas.draw()
        self.drawing.figure.set_layout_engine("none")
        self._still = self.canvas.copy_from_bbox(self.drawing.figure.bbox)

    def update(self, numbers):
        """Move the artists; a drawing whose update returns True has changed what stays, too."""
        if self.drawing.update(numbers):
            self._draw_still()

    def png(self):
        self.canvas.restore_region(self._still)
        for artist in self.drawing.moving:
            self.drawing.figure.draw_artist(artist)
        pixels = np.ascontiguousarray(np.asarray(self.canvas.buffer_rgba())[..., :3])
        file = BytesIO()
        # a palette halves the time to encode, send and decode; 256 colours are plenty for a plot
        palette = Image.fromarray(pixels).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette.save(file, "png", compress_level=1)
        return file.getvalue()


class Panel(widgets.VBox):
    """Controls over a picture.

    draw_task(rng) -> task            what stays while controls move; None for panels without a task
    compute(task, **values) -> numbers   values by control name
    drawing                           a Drawing subclass, called with numbers
    controls                          name -> widget with a `value`
    caption(numbers) -> str           one line: what to look for, with the numbers
    seed                              of the first task; "New task" takes the next
    another                           what is said on that button, where a task is something else
    """

    def __init__(self, *, draw_task, compute, drawing, controls, caption, seed=0, another="New task"):
        self.draw_task, self.compute, self.caption_of, self.seed = draw_task, compute, caption, seed
        self.controls = dict(controls)
        self._first = {name: control.value for name, control in self.controls.items()}
        self._first_seed, self._holding = seed, False
        self.task = self._draw_task()
        self.numbers = self.compute(self.task, **self.values)
        self.frame = Frame(drawing(self.numbers))
        self.image, self.caption = widgets.Image(format="png"), widgets.HTML()
        self.new_task = widgets.Button(description=another, icon="random", tooltip="draw another")
        self.reset = widgets.Button(description="Reset", icon="undo", tooltip="back to where the panel began")
        self.new_task.on_click(lambda _: self._take_seed(self.seed + 1))
        self.reset.on_click(lambda _: self._reset())
        for control in self.controls.values():
            control.observe(self._moved, "value")
        self._show()
        buttons = [self.reset] if draw_task is None else [self.new_task, self.reset]
        super().__init__([*self.controls.values(), widgets.HBox(buttons), self.image, self.caption])

    @property
    def values(self):
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _draw_task(self):
        return None if self.draw_task is None else self.draw_task(np.random.default_rng(self.seed))

    def _take_seed(self, seed):
        self.seed = seed
        self.task = self._draw_task()
        self._moved()

    def _reset(self):
        self._holding = True
        for name, value in self._first.items():
            if isinstance(self.controls[name], Player):
                self.controls[name].stop()
            self.controls[name].value = value
        self._holding = False
        self._take_seed(self._first_seed)

    def _moved(self, _change=None):
        if self._holding:
            return
        self.numbers = self.compute(self.task, **self.values)
        self.frame.update(self.numbers)
        self._show()

    def _show(self):
        self.image.value = self.frame.png()
        self.caption.value = self.caption_of(self.numbers)

    def still(self):
        """(PNG as bytes, words) for where no kernel runs, by default as the panel stands.

        JupyterLab shows the first line of an output that is hidden, so that line gives no answer away.
        """
        return self.image.value, f"The panel as it opens:\n{self.caption.value}"

    def _repr_mimebundle_(self, **kwargs):
        """The widget where there is a kernel, `still` where there is none."""
        picture, words = self.still()
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        return bundle | {"image/png": base64.b64encode(picture).decode(), "text/plain": words}
