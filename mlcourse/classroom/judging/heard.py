"""What an answer prints and shows while it is checked: caught piece by piece, shortened, given out again."""

import contextlib
import io
import re
import sys
from typing import NamedTuple

PRINTED = 2000  # characters
SHOWN = 3  # pictures and other displays


class Heard(NamedTuple):
    """What was printed and shown so far; of what is beyond the limits, only that there was more.

    pictures   the arguments of IPython's publish_display_data, one dict each
    """

    text: str = ""
    pictures: tuple = ()

    def and_then(self, kind, what):
        """With one piece more; kind is "text" or "picture"."""
        if kind == "picture":
            return self._replace(pictures=(*self.pictures, what)[: SHOWN + 1])
        return self._replace(text=(self.text + what)[: PRINTED + 1])

    @property
    def printed(self):
        """The text in whole lines; where it is cut, after a whole word if there is one, it says so."""
        text = self.text
        if len(text) > PRINTED:
            whole_words = re.sub(r"\s+\S*$", "", text)[:PRINTED]
            text = f"{whole_words}\n… cut here"
        return text if not text or text.endswith("\n") else f"{text}\n"

    def give_out(self):
        """Print the text and show the pictures, where the check was called."""
        print(self.printed, end="")
        if self.pictures:
            from IPython.display import publish_display_data

            for picture in self.pictures[:SHOWN]:
                publish_display_data(**picture)
        if len(self.pictures) > SHOWN:
            print(f"… and more pictures: the first {SHOWN} are shown")


class _Text(io.TextIOBase):
    """A stream that hands on each piece as it is written, until the listener has enough."""

    encoding = "utf-8"

    def __init__(self, hear):
        self._hear, self._room = hear, PRINTED + 1

    def writable(self):
        return True

    def isatty(self):
        return False

    def write(self, text):
        if self._room > 0 and text:
            self._hear("text", text[: self._room])
            self._room -= len(text)
        return len(text)


@contextlib.contextmanager
def listening(hear):
    """Within it, each piece that is printed or shown is handed to hear(kind, what)."""
    stream = _Text(hear)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), contextlib.ExitStack() as stack:
        if (shell := notebook()) is not None:
            publisher = shell.display_pub
            shell.display_pub = _publisher(hear)
            stack.callback(setattr, shell, "display_pub", publisher)
        yield


def notebook():
    """The notebook's IPython, None where there is none; IPython is not imported for it."""
    shell = getattr(sys.modules.get("IPython.core.interactiveshell"), "InteractiveShell", None)
    return shell.instance() if shell is not None and shell.initialized() else None


def _publisher(hear):
    """An IPython display publisher that hands each display to hear, at most one more than will be shown."""
    from IPython.core.displaypub import DisplayPublisher

    class Publisher(DisplayPublisher):
        count = 0

        def publish(self, data, metadata=None, **_):
            self.count += 1
            if self.count <= SHOWN + 1:
                hear("picture", {"data": data, "metadata": metadata})

        def clear_output(self, wait=False):
            pass

    return Publisher()
