"""What goes wrong behind ±, in the words of all lessons that ask for the half-width of a 95 % interval."""

from mlcourse.recipes.deviations import Deviation

ONE_ERROR = Deviation("half", "one error", "1.96 left out", "This is one standard error. 95 % lie within 1.96 of them.")
ABOUT_TWO = Deviation(
    "half",
    "2",
    "2 for 1.96",
    "2 stands for 1.96 here. Near, but the statement asks for 95 %, and its numbers have 1.96.",
)
WHOLE_WIDTH = Deviation(
    "half",
    "whole",
    "the whole width",
    "This is the whole width of the interval. What stands behind ± is half of it.",
)
