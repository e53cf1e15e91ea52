"""The course's folder as a git clone: what git knows of it, and one sentence for each state in which it cannot help."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]

# Where these are set (in a hook, for instance) git would act on another repository than the folder's.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


class CourseError(RuntimeError):
    """Something about the course's folder that the learner can put right; its text says how."""


class GitError(CourseError):
    """What git said when a command failed."""


def git(*words, root):
    """The output (bytes) of a git command in `root`. Raises GitError with git's words, CourseError without git."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise CourseError("git is not installed: install it from https://git-scm.com and run this again") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        fatal = re.findall(r"^(?:fatal|error): (.+)", said, re.MULTILINE)
        raise GitError(" ".join(fatal) or said or f"git {words[0]} failed")
    return done.stdout


def names(*words, root):
    """The set of file names, relative to `root`, that a git command with -z gives."""
    return {name for name in os.fsdecode(git(*words, root=root)).split("\0") if name}


def require_clone(root):
    """Raise CourseError unless `root` itself is a git clone that git will work in."""
    try:
        top = os.fsdecode(git("rev-parse", "--show-toplevel", root=root)).rstrip("\n")
    except GitError as error:
        if "dubious ownership" in str(error):
            raise CourseError(
                f"{root} belongs to another user, and git leaves it alone until you say that you trust it: "
                f'`git config --global --add safe.directory "{root}"`'
            ) from None
        top = ""
    if not top or not os.path.samefile(top, root):
        raise CourseError(
            f"{root} is not a git clone of the course, and only a clone can be updated or reset: "
            "`git clone` the course, and copy your own files into it"
        )
    if not _succeeds("rev-parse", "--verify", "--quiet", "HEAD", root=root):
        raise CourseError(f"{root} has no commit yet: `git clone` the course instead")


def committed(path, root=ROOT):
    """The bytes of the course's own version of a file, from git's last commit; None where git does not know it."""
    try:
        require_clone(root)
        return git("show", f"HEAD:{path.relative_to(root).as_posix()}", root=root)
    except (CourseError, OSError, ValueError):  # no git, no clone, not in it
        return None


def edited(path, root=ROOT):
    """Whether the file differs from the course's own version of it; line ends as git is set up here do not count."""
    return committed(path, root) is not None and path.exists() and bool(changed(root, path))


def changed(root, *paths):
    """Names of the files that differ from the last commit, in the folder or staged; of `paths` where some are given."""
    only = ["--", *(path.relative_to(root).as_posix() for path in paths)]
    options = ("--name-only", "--no-renames", "-z")
    return names("diff", *options, "HEAD", *only, root=root) | names("diff", *options, "--cached", *only, root=root)


def source(root=ROOT):
    """Where the course comes from, in words: the address without any password in it, and the branch."""
    remote, branch = _followed(root)
    address = git("remote", "get-url", remote, root=root).decode().strip()
    return f"{re.sub(r'//[^/@]*@', '//', address)}, branch {branch}"


def _followed(root):
    """(remote, branch) that the clone's branch follows. Raises CourseError where it follows none."""
    try:
        branch = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root).decode().strip()
    except GitError:
        raise CourseError(f"this clone is not on a branch: `git switch {_main(root)}` goes back to one") from None
    remotes = git("remote", root=root).decode().split()
    if not remotes:
        raise CourseError("this clone knows no course to update from: `git remote add origin ADDRESS` names one")
    try:
        remote = git("config", f"branch.{branch}.remote", root=root).decode().strip()
        merged = git("config", f"branch.{branch}.merge", root=root).decode().strip().removeprefix("refs/heads/")
    except GitError:
        remote = None
    if remote not in remotes:
        remote = "origin" if "origin" in remotes else remotes[0]
        raise CourseError(
            f"your branch {branch} follows none of the course's: "
            f"`git branch --set-upstream-to={remote}/{_main(root, remote)}` lets it follow the main one"
        )
    return remote, merged


def _main(root, remote="origin"):
    """The main branch of a remote."""
    try:
        return (
            git("symbolic-ref", "--short", f"refs/remotes/{remote}/HEAD", root=root).decode().strip().split("/", 1)[1]
        )
    except GitError:
        return "main"


def fetched(root):
    """The course's newest commit, fetched; None where this clone has it already.

    Raises CourseError, with nothing changed, where the clone cannot simply be moved forward to it.
    """
    require_clone(root)
    remote, _ = _followed(root)
    for begun, word in (("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("rebase-merge", "rebase")):
        if (root / os.fsdecode(git("rev-parse", "--git-path", begun, root=root)).strip()).exists():
            raise CourseError(f"a {word} was begun here and not ended: `git {word} --abort` takes it back")
    try:
        git("fetch", "--quiet", remote, root=root)
    except GitError as error:
        raise CourseError(
            f"the course could not be fetched from {source(root)} ({error}). Nothing was changed. Once you are online, "
            f"`mlcourse update` again; if the address is wrong, `git remote set-url {remote} ADDRESS`"
        ) from None
    try:
        target = git("rev-parse", "--verify", "--quiet", "@{upstream}^{commit}", root=root).decode().strip()
    except GitError:
        raise CourseError(
            f"{source(root)} is gone: "
            f"`git branch --set-upstream-to={remote}/{_main(root, remote)}` follows the main branch"
        ) from None
    if _succeeds("merge-base", "--is-ancestor", target, "HEAD", root=root):
        return None
    if not _succeeds("merge-base", "HEAD", target, root=root):
        raise CourseError(f"this clone and {source(root)} have no commit in common: `git clone` the course anew")
    own = int(git("rev-list", "--count", f"{target}..HEAD", root=root))
    if own:
        raise CourseError(
            f"this clone has {own} commit{'s' * (own > 1)} of your own, so the course cannot simply be moved forward: "
            "`git pull --no-rebase` joins yours and the course's"
        )
    return target


def _succeeds(*words, root):
    try:
        git(*words, root=root)
    except GitError:
        return False
    return True
