"""The course as a static site: JupyterLab, Python and the course's own packages, all of it running in the reader's tab.

`build_site` makes the folder, `serve` shows it on this machine. The course's package is not changed for it: what is
different in a tab is said by `sys.platform == "emscripten"`.
"""

from mlcourse.classroom.site.build import build_site
from mlcourse.classroom.site.serve import serve

__all__ = ["build_site", "serve"]
