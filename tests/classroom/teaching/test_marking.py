"""A class's notebooks, many at once: in order, kept, again only where something changed, each its own risk."""

import json
import os
import re
import shutil
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from mlcourse.classroom.teaching import marking
from mlcourse.classroom.teaching.grading import Mark, Marks, Rules, Unmarked
from mlcourse.classroom.teaching.marking import mark_all, read_folder, students_of
from tests.classroom.teaching.test_grading import CHECK, RIGHT, WRONG, code, exercise
from tests.clusters import two_workers


def hand_in(folder, student, *cells):
    target = folder / "submitted" / student / "lesson04"
    target.mkdir(parents=True, exist_ok=True)
    return exercise(target, *cells)


@pytest.fixture
def a_class(tmp_path):
    """Right, wrong, endless, and no notebook at all."""
    paths = [hand_in(tmp_path, "ada", RIGHT, CHECK), hand_in(tmp_path, "bob", WRONG, CHECK)]
    paths += [hand_in(tmp_path, "cy", code("import os\nos._exit(1)", "own_step_sizes"), CHECK)]
    paths += [hand_in(tmp_path, "dan")]
    paths[-1].write_text("my answers")
    return paths


def points(submissions):
    return [getattr(each.marked, "points", None) for each in submissions]


def test_two_at_once_give_what_one_after_another_does_in_order_and_are_not_marked_again(a_class, tmp_path, monkeypatch):
    out = tmp_path / "marks"
    submissions = mark_all(a_class, workers=2, out=out)
    assert points(submissions) == [5, 3, 3, None]
    assert [each.student for each in submissions] == ["ada", "bob", "cy", "dan"]
    assert [each.path for each in submissions] == list(map(str, a_class))
    looked_at = []

    def look(path, rules):
        looked_at.append(path)
        return Unmarked(path, "looked at again")

    monkeypatch.setattr(marking, "grade_one", look)
    again = mark_all(a_class, out=out)
    assert points(again) == points(submissions) and again[:3] == submissions[:3]
    assert looked_at == [str(a_class[3])]  # nothing was found in it: it may have been the machine's fault
    assert [each.student for each in read_folder(out)] == ["ada", "bob", "cy", "dan"]


def fake(monkeypatch):
    """Marks at once, and the list of what was marked."""
    done = []

    def mark(path, rules):
        done.append(Path(path).parts[-3])
        return Marks(path, 4, (Mark("hvp", 1, 1, "correct", None, ""),), True)

    monkeypatch.setattr(marking, "grade_one", mark)
    return done


def test_what_has_changed_is_marked_again_and_nothing_else(a_class, tmp_path, monkeypatch):
    done, out = fake(monkeypatch), tmp_path / "marks"
    mark_all(a_class, out=out)
    mark_all(a_class, out=out)
    assert done == ["ada", "bob", "cy", "dan"]
    a_class[1].write_text(a_class[1].read_text() + " ")
    (a_class[2].parent / "data.csv").write_text("1,2")
    mark_all(a_class, out=out)
    assert done[4:] == ["bob", "cy"]
    mark_all(a_class, Rules(seed=3), out=out)
    assert done[6:] == ["ada", "bob", "cy", "dan"]
    monkeypatch.setattr(marking, "version", lambda: "another course")
    mark_all(a_class, Rules(seed=3), out=out)
    assert len(done) == 14


def test_a_run_that_is_stopped_keeps_what_it_had(a_class, tmp_path, monkeypatch):
    done, out = fake(monkeypatch), tmp_path / "marks"
    mark = marking.grade_one

    def stop(path, rules):
        if len(done) == 2:
            raise KeyboardInterrupt
        return mark(path, rules)

    monkeypatch.setattr(marking, "grade_one", stop)
    with pytest.raises(KeyboardInterrupt):
        mark_all(a_class, out=out)
    monkeypatch.setattr(marking, "grade_one", mark)
    mark_all(a_class, out=out)
    assert done == ["ada", "bob", "cy", "dan"]


def test_damaged_marks_are_given_anew(a_class, tmp_path, monkeypatch):
    done, out = fake(monkeypatch), tmp_path / "marks"
    mark_all(a_class[:1], out=out)
    (path,) = out.glob("*.json")
    for text in ("", "{", "[]", json.dumps({"fingerprint": [], "problems": 3})):
        path.write_text(text)
        mark_all(a_class[:1], out=out)
    assert done == ["ada"] * 5


def ends_its_process(path, rules):
    """For the workers: the notebook of bob takes each of them along."""
    if "bob" in path:
        os._exit(1)
    return Marks(path, 4, (), True)


def test_a_notebook_that_takes_each_process_along_costs_itself_alone(a_class, monkeypatch):
    monkeypatch.setattr(marking, "grade_one", ends_its_process)
    marked = [each.marked for each in mark_all(a_class, workers=2)]
    assert [type(each) for each in marked] == [Marks, Unmarked, Marks, Marks]
    assert "ended the process that marks it" in marked[1].error


def lost_once(path, rules):
    marker = Path(path).with_suffix(".lost")
    if "bob" in path and not marker.exists():
        marker.touch()
        os._exit(1)
    return Marks(path, 4, (), True)


def test_what_was_lost_with_its_worker_is_marked_by_another(a_class, monkeypatch):
    monkeypatch.setattr(marking, "grade_one", lost_once)
    assert [type(each.marked) for each in mark_all(a_class, workers=2)] == [Marks] * 4


def test_a_cluster_gives_the_same_marks_from_files_that_it_cannot_see(a_class, tmp_path):
    with two_workers() as client:
        submissions = mark_all(a_class, executor=client.get_executor(), out=tmp_path / "marks")
    assert points(submissions) == [5, 3, 3, None]
    assert str(a_class[3]) in submissions[3].marked.error


def test_no_name_of_a_student_goes_to_the_cluster(a_class):
    class Listening:
        heard = ""

        def submit(self, call, *arguments):
            self.heard += repr(arguments)
            return ThreadPoolExecutor(1).submit(lambda: Marks("04_submission.ipynb", 4, (), True))

    listening = Listening()
    marked = mark_all(a_class, executor=listening)
    assert [each.marked.notebook for each in marked] == list(map(str, a_class))
    assert len(listening.heard) > 1000 and not re.search(r"\b(ada|bob|cy|dan)\b", listening.heard)


def test_an_executor_that_breaks_is_told():
    class Broken:
        def submit(self, *_):
            raise BrokenExecutor("no more")

    with pytest.raises(BrokenExecutor):
        mark_all(["a.ipynb"], executor=Broken())


@pytest.mark.parametrize(
    "paths, students",
    [
        (["submitted/ada/lesson04/04_x.ipynb", "submitted/bob/lesson04/04_x.ipynb"], ["ada", "bob"]),
        (["submitted/ada/04_x.ipynb", "submitted/ada/05_x.ipynb", "submitted/bob/04_x.ipynb"], ["ada", "ada", "bob"]),
        (["all/ada.ipynb", "all/bob.ipynb"], ["ada", "bob"]),
        (["all/04_ada.ipynb", "all/04_bob.ipynb"], ["04_ada", "04_bob"]),
    ],
)
def test_whose_a_notebook_is_its_folder_says_or_its_name(paths, students):
    assert students_of(list(map(Path, paths))) == students


def test_no_marks_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="has no marks: `mlcourse grade"):
        read_folder(tmp_path)


def test_the_files_beside_a_notebook_go_along_and_no_other_notebook(tmp_path):
    path = hand_in(tmp_path, "ada", "import os\nfound = sorted(os.listdir())", CHECK)
    (path.parent / "data.csv").write_text("1,2")
    shutil.copyfile(path, path.parent / "05_other.ipynb")
    name, files = marking._files(path)
    assert name == "04_submission.ipynb" and list(files) == [name, "data.csv"]
