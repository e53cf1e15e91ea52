"""The subject, whole: every concept, mistake, takeaway and example has a lesson that teaches it and an exercise."""

import nbformat
import pytest

from mlcourse.classroom.problems import lessons, of_lesson
from tests.tested import course_copy, notebooks_in

SUBJECT = {
    "concept:meta-learning": "optimising a procedure so that models adapt quickly to new tasks",
    "concept:task": "a distinct problem, the unit of experience",
    "concept:task-distribution": "p(T), where tasks come from",
    "concept:episode": "one task with its split",
    "concept:support-set": "the few examples to adapt on",
    "concept:query-set": "the held-out examples that judge the adapted parameters",
    "concept:k-shot-n-way": "K examples a class, N classes",
    "concept:meta-parameters": "theta, shared across tasks",
    "concept:adapted-parameters": "theta prime, after adaptation to one task",
    "concept:inner-loop": "adaptation on the support set",
    "concept:outer-loop": "the update of theta across tasks",
    "concept:meta-objective": "expected query loss after adaptation",
    "concept:maml": "an initialisation from which few gradient steps are enough",
    "concept:gradient-based-adaptation": "gradient descent as the inner loop",
    "concept:higher-order-gradients": "differentiating through the inner update",
    "concept:fomaml": "the second-order terms ignored",
    "concept:split-mimics-test": "the split rehearses what meta-testing will ask",
    "concept:learned-alpha": "inner step sizes as meta-parameters",
    "concept:initialisation-as-prior": "theta as a prior",
    "concept:fast-slow-weights": "task-specific against shared parameters",
    "concept:meta-train-meta-test": "optimising theta, then freezing it on new tasks",
    "concept:batch-of-tasks": "a meta-update averages over episodes",
    "mistake:same-data": "adapting and judging on the same data",
    "mistake:unrelated-tasks": "expecting transfer where nothing is shared",
    "mistake:alpha-and-steps": "taking alpha and the number of steps for details",
    "mistake:train-only": "reporting meta-training performance alone",
    "takeaway:distribution-not-dataset": "training over p(T), not one dataset",
    "takeaway:split-rewards-generalisation": "support adapts, query judges",
    "takeaway:theta-and-theta-prime": "meta-parameters and adapted parameters",
    "takeaway:outer-objective": "expected query loss after adaptation",
    "takeaway:second-order-terms": "exact MAML needs the support's Hessian",
    "takeaway:first-order-alternatives": "FOMAML and Reptile cost less",
    "takeaway:meta-overfitting": "validate on held-out tasks",
    "takeaway:shared-structure": "it pays where tasks share structure",
    "example:1": "the one-step meta-gradient in one dimension",
    "example:2": "the geometry of linear regression tasks",
    "example:3": "FOMAML against MAML, what is dropped",
    "practice:easy": "the meta-objective",
    "practice:medium": "the Jacobian of the inner step",
    "practice:hard": "the best initialisation before adaptation",
    "choice-table": "metric-based methods or MAML",
    "method:metric": "learning an embedding to compare in: prototypes, attention",
    "method:anil": "only the head adapts",
}

# Taught from lesson 7 on: an entry leaves this list when its lesson comes, and the tests say so.
LATER = set()


def tags_in(folder):
    notebooks = (nbformat.read(course_copy(path), as_version=4) for path in notebooks_in(folder))
    return {tag for notebook in notebooks for cell in notebook.cells for tag in cell.metadata.get("tags", ())}


def tags_of_gaps():
    """What is practised in the lessons themselves."""
    problems = (problem for number in lessons() for problem in of_lesson(number).values())
    return {tag for problem in problems if problem.place == "lesson" for tag in problem.tags}


TAUGHT, PRACTISED = tags_in("notebooks"), tags_in("solutions") | tags_of_gaps()
each_kind = pytest.mark.parametrize("tags", [TAUGHT, PRACTISED], ids=["taught", "practised"])


@each_kind
def test_the_subject_is_covered(tags):
    assert set(SUBJECT) - LATER <= tags


@each_kind
def test_tags_are_spelled_as_the_subject_spells_them(tags):
    ours = {tag for tag in tags if tag.split(":")[0] in ("concept", "mistake", "takeaway", "example", "method")}
    assert ours <= set(SUBJECT)


def test_what_comes_later_is_not_there_yet():
    assert not LATER & TAUGHT & PRACTISED


def test_the_list_is_whole():
    def count(kind):
        return sum(name.startswith(kind) for name in SUBJECT)

    counts = [count(kind) for kind in ("concept:", "mistake:", "takeaway:", "example:", "practice:")]
    assert counts == [22, 4, 8, 3, 3]
