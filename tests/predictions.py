"""The predictions of a lesson: where they are asked and answered, and what can be read before."""

import ast
import re


def slots(cells):
    """(name of a guess, place of its cell) for every cell that takes one."""
    return _found(cells, lambda source: re.findall(r"^(\w*guess\w*) = ", source, re.MULTILINE))


def reveals(cells):
    """(name of a guess, place of its cell) for every `reveal` that answers one."""
    return _found(cells, lambda source: [ast.unparse(call.args[1]) for call in _calls_of_reveal(source)])


def _found(cells, names):
    code = [(place, cell.source) for place, cell in enumerate(cells) if cell.cell_type == "code"]
    return [(name, place) for place, source in code for name in names(source)]


def _calls_of_reveal(source):
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", None) == "reveal"]


def is_hidden(cell):
    """Whether its output is hidden until it runs."""
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


def text_before_it_runs(cell):
    """What can be read of a cell in a notebook that was opened and not run."""
    if cell.cell_type == "markdown":
        return cell.source
    said = [output.get("text", "") or str(output.data.get("text/plain", "")) for output in cell.outputs]
    if is_hidden(cell):  # JupyterLab shows its first line
        said = [line for line in said[:1] for line in line.splitlines()[:1]]
    return "\n".join([cell.source, *said])


def numbers_revealed(cell):
    """What `reveal` printed, of two digits or more: a 5 or a name may stand anywhere for other reasons."""
    said = "".join(output.get("text", "") for output in cell.outputs)
    return [number for number in re.findall(r": (-?[\d.]+)   \(no guess", said) if len(number.strip("-0.")) > 1]


def states(text, number):
    """Whether a text holds the number, with either minus sign, and not as a part of another."""
    text = re.sub(r"(?m)^\[\d*\]:?$", "", text)  # a cell's execution count
    number = re.escape(number.replace("-", "−"))
    return bool(re.search(rf"(?<![\w.]){number}(?!\w|\.\d)", text.replace("-", "−")))
