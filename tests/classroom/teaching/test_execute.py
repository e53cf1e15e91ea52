"""What `make notebooks` writes."""

import nbformat

from mlcourse.classroom.teaching.execute import ANSWER, tidy


def test_executing_a_notebook_hides_its_answers_and_shows_the_rest():
    hidden = {"jupyter": {"outputs_hidden": True, "source_hidden": True}, "collapsed": True}
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("reveal(1.0, guess_one)"),
            nbformat.v4.new_code_cell("table()", metadata={"tags": [ANSWER]}),
            nbformat.v4.new_code_cell("table()", metadata=hidden),
        ]
    )
    answers = [cell.metadata.get("jupyter", {}) for cell in tidy(notebook).cells]
    assert answers == [{"outputs_hidden": True}, {"outputs_hidden": True}, {"source_hidden": True}]
    assert "collapsed" not in notebook.cells[2].metadata
