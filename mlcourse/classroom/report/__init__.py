"""One page on what meta-learning does for a table of your own: `mlcourse report my.csv --task … --x … --y …`.

`study` splits by task, fits what MAML is to be compared with, lets validation tasks choose α, m and when to stop, and
asks the test tasks once. `write` puts what came of it on a page.
"""

from mlcourse.classroom.report.experiment import Study, in_order, study
from mlcourse.classroom.report.page import command_of, conclusion, markdown, mistakes, paired, write

__all__ = ["Study", "command_of", "conclusion", "in_order", "markdown", "mistakes", "paired", "study", "write"]
