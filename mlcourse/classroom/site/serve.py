"""Show a built site on this machine: python3 serve.py [PORT], in the site's folder. Needs Python alone."""

import contextlib
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8765  # always the same: a browser keeps what the learner writes by address
TYPES = {
    **SimpleHTTPRequestHandler.extensions_map,  # no `|`: a site's copy of this file may meet an older Python
    ".wasm": "application/wasm",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".ipynb": "application/json",
    ".whl": "application/octet-stream",
}


class Handler(SimpleHTTPRequestHandler):
    """Files with the types that a browser wants, asked for anew at each visit and sent only where they have changed."""

    protocol_version = "HTTP/1.1"
    extensions_map = TYPES

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a tab that was closed
            super().handle()

    def log_message(self, *_):
        pass


def server(folder, port=PORT, handler=Handler):
    """A server of a folder for this machine alone, not yet running; port 0 takes any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(folder)))


def serve(folder, port=PORT):
    """Serve a folder until Ctrl-C, and print its address. Raises OSError where the port is not to be had."""
    try:
        running = server(folder, port)
    except OSError as error:
        raise OSError(
            f"port {port} of this machine is not to be had ({error.strerror}). Is the course open elsewhere? Another "
            "port is another address, and a browser keeps what was written by address"
        ) from None
    print(f"The course is at http://127.0.0.1:{running.server_port}/  (Ctrl-C ends it)", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        running.server_close()


if __name__ == "__main__":
    word = "".join(sys.argv[1:]) or str(PORT)
    if len(sys.argv) > 2 or not word.isdecimal() or int(word) > 65535:
        sys.exit(f"python3 serve.py [PORT]: a number up to 65535, {PORT} by itself; got {' '.join(sys.argv[1:])}")
    try:
        serve(Path(__file__).resolve().parent, int(word))
    except OSError as error:
        sys.exit(str(error))
