"""`mlcourse update`: the newest course, all of it or nothing, and what the learner wrote is kept."""

import os

from mlcourse.classroom.learner.clone import ROOT, CourseError, changed, fetched, git, names
from mlcourse.classroom.learner.keeping import holds_work, remove, set_aside


def update(root=ROOT):
    """Bring the course up to date; a file of the learner's that the update changes too is kept under a dated name.

    Gives the list of (path, kept path): None where the learner had merely run a notebook. Raises CourseError, with
    all files as they were, where the update is not possible.
    """
    target = fetched(root)
    if target is None:
        return []
    move = _Move(root, target)
    try:
        move.set_mine_aside()
        move.make_room()
        move.go()
    except BaseException:
        if not move.arrived():
            move.put_back()
            raise
    return [(path, move.keep(path)) for path in sorted(move.aside)]


class _Move:
    """The way of a clone from its commit to another that descends from it, and back where it cannot be gone."""

    def __init__(self, root, target):
        self.root, self.target = root, target
        self.start = git("rev-parse", "HEAD", root=root).decode().strip()
        self.known = names("ls-tree", "-r", "--name-only", "-z", "HEAD", root=root)
        self.coming = names("diff", "--name-only", "--no-renames", "-z", "HEAD", target, root=root)
        self.there = {name for name in self.coming if os.path.lexists(root / name)}
        self.mine = self.coming & self.known & changed(root)
        found = {self._in_the_way(name) for name in self.coming - self.known}
        self.in_the_way = found - {None}
        self.index = root / os.fsdecode(git("rev-parse", "--git-path", "index", root=root)).strip()
        self.staged = self.index.read_bytes()
        self.aside, self.going = {}, False  # path -> copy; whether git has begun to change files

    def _in_the_way(self, name):
        """The path of what stands where a new file comes, None where nothing does or git moves it itself."""
        for path in (self.root / name, *(self.root / name).parents):
            relative = path.relative_to(self.root).as_posix()
            if path == self.root or relative in self.known:
                return None
            if os.path.lexists(path) and (path == self.root / name or path.is_symlink() or not path.is_dir()):
                tracked_inside = any(other.startswith(f"{relative}/") for other in self.known)
                return None if tracked_inside else path
        return None

    def set_mine_aside(self):
        mine = {self.root / name for name in self.mine & self.there}
        for path in sorted(mine | self.in_the_way):
            self.aside[path] = set_aside(path)

    def make_room(self):
        """Unstage, let git write its own version (with this machine's line ends), remove what stands in the way."""
        ours = [path.relative_to(self.root).as_posix() for path in self.in_the_way]
        if self.mine or ours:
            git("reset", "--quiet", "HEAD", "--", *self.mine, *ours, root=self.root)
        if self.mine:
            git("checkout", "--quiet", "HEAD", "--", *self.mine, root=self.root)
        for path in self.in_the_way:
            remove(path)

    def go(self):
        self.going = True
        git("merge", "--ff-only", "--quiet", self.target, root=self.root)

    def arrived(self):
        return git("rev-parse", "HEAD", root=self.root).decode().strip() == self.target

    def put_back(self):
        """Everything as it was, what was staged included. Where that fails, CourseError says where the files are."""
        try:
            if self.going:
                git("reset", "--quiet", "HEAD", "--", *self.coming, root=self.root)
                git("checkout", "--quiet", "HEAD", "--", *(self.coming & self.known), root=self.root)
            for name in self.coming - self.there:
                remove(self.root / name)
            for path, copy in self.aside.items():
                remove(path)
                os.replace(copy, path)
            if self.index.read_bytes() != self.staged:
                self.index.write_bytes(self.staged)
        except (CourseError, OSError) as error:
            copies = ", ".join(f"{path.name} as {copy.name}" for path, copy in self.aside.items() if copy.exists())
            raise CourseError(f"{f'Kept: {copies}. ' if copies else ''}The update failed half-way: {error}") from None

    def keep(self, path):
        """The copy of a file, None where it had no work of the learner's in it: then it is not kept."""
        name = path.relative_to(self.root).as_posix()
        before = self.start if name in self.known else self.target
        tracked = name in self.known or name in self.coming
        original = git("show", f"{before}:{name}", root=self.root) if tracked else None
        if holds_work(self.aside[path], original):
            return self.aside[path]
        remove(self.aside[path])
        return None
