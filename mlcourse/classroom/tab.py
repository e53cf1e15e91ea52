"""The course in a browser's tab: whether this is one, what is kept there, and what is otherwise untrue there.

What follows from it is decided where it is done: progress is a journal (learner/journal), a fresh notebook comes from
the site (learner/drive), an answer is contained by a watch (judging/contain).
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path("/drive")  # JupyterLite's files: exercises/ and notebooks/ lie in it, as in a clone
HOME = ROOT / ".mlcourse"  # the learner's own data
FORGETFUL = "forgetful"  # a file in HOME, which the site's page writes where the browser keeps nothing

_mounted = sys.platform == "emscripten" and os.path.isdir(ROOT)  # asked before anything makes such a folder in memory


def here():
    """Whether this Python runs in a browser's tab."""
    return sys.platform == "emscripten"


def keeps():
    """Whether what is written into a tab's files is there again when the tab is opened again."""
    return _mounted and not os.path.exists(HOME / FORGETFUL)


def home():
    """HOME; a folder in memory where the page's files are not to be had (no service worker).

    What the browser's storage refuses, the page holds in memory for the visit: HOME stays what it was.
    """
    return HOME if _mounted else Path(tempfile.gettempdir()) / "mlcourse"


KEEPS_NOTHING = (
    "This browser keeps nothing of yours (a private window, an address without https, or storage that is forbidden or "
    "full): before you close the tab, download your notebook and what `export_progress()` writes."
)
