"""The course's folder in a browser's tab: the site's notebooks, over which the browser lays what the learner saved."""

from mlcourse.classroom.learner.clone import CourseError
from mlcourse.classroom.learner.keeping import holds_work, remove, set_aside


def lay_fresh(path):
    """Lay the site's own version of a notebook anew; what the learner wrote is kept under a dated name.

    A saved file that is removed lets the site's own be seen again. Gives the kept path, None where nothing was written
    into it. Raises CourseError, with the file as it was, where the site has none of this name.
    """
    kept = set_aside(path)
    mine = kept.read_bytes()
    path.unlink()
    if not path.exists():
        path.write_bytes(mine)
        remove(kept)
        raise CourseError(f"{path.name} is your own: this site has none of this name to lay anew")
    if holds_work(kept, path.read_bytes()):
        return kept
    remove(kept)
    return None
