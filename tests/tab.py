"""The course's site in a headless browser that reaches nothing but this machine, for the tests and the benchmark."""

import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from mlcourse.classroom.site.serve import Handler, server
from tests.lab import QUIET, ROOT, find_browser

OUTSIDE = re.compile(r"^(?!http://127\.0\.0\.1[:/]|data:|blob:|chrome)")
KERNEL_SECONDS = 120


def find_pyodide():
    """The folder of a Pyodide release, or None."""
    named = os.environ.get("MLCOURSE_PYODIDE")
    beside = ROOT.parent / "shared" / "data" / "pyodide"
    return Path(named) if named else beside if beside.is_dir() else None


class Sent(NamedTuple):
    """An answer of the server."""

    path: str
    status: int
    bytes: int  # of the body


class Served(NamedTuple):
    """A folder that is served: its address, and the answers that were sent so far."""

    address: str
    sent: list


def port_of(there):
    return int(there.address.rstrip("/").rsplit(":", 1)[1])


@contextmanager
def served(folder, port=0):
    """A folder, Served from a thread on this machine."""
    sent = []

    class Recording(Handler):
        def send_response(self, code, message=None):
            self.status, self.length = code, 0
            super().send_response(code, message)

        def send_header(self, name, value):
            if name.lower() == "content-length":
                self.length = int(value)
            super().send_header(name, value)

        def end_headers(self):
            super().end_headers()
            sent.append(Sent(self.path.partition("?")[0], self.status, self.length))

    running = server(folder, port, Recording)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{running.server_port}/", sent)
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


@contextmanager
def browsers():
    """A function that opens a browser: of a profile's folder, where a second one finds what the first has kept.

    open_browser(profile, **options) is a context; the options are those of Playwright's launch_persistent_context.
    """
    from playwright.sync_api import sync_playwright

    arguments = [*QUIET, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    usual = {"executable_path": find_browser(), "args": arguments, "viewport": {"width": 1280, "height": 900}}
    with sync_playwright() as playwright:

        @contextmanager
        def open_browser(profile, **options):
            opened = playwright.chromium.launch_persistent_context(profile, **(usual | options))
            try:
                yield opened
            finally:
                opened.close()

        yield open_browser


_READY = """async seconds => {
    for (let turn = 0; turn < 20 * seconds; turn++) {
        const tab = window.jupyterapp?.shell?.currentWidget, kernel = tab?.sessionContext?.session?.kernel;
        if (tab?.content?.model && kernel?.status === "idle" && kernel.connectionStatus === "connected") return null;
        await new Promise(done => setTimeout(done, 50));
    }
    const kernel = window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel;
    return kernel ? `${kernel.status}, ${kernel.connectionStatus}` : "none";
}"""

_SEE_BARS = """
window.bars = new Set();
const see = () => document.querySelectorAll(".mlcourse-pace").forEach(bar => window.bars.add(bar.innerText));
new MutationObserver(see).observe(document, {childList: true, subtree: true, characterData: true});
"""

_OPEN_NEXT = """async path => {
    const app = window.jupyterapp, last = app.shell.currentWidget;
    await last.sessionContext.shutdown();
    last.dispose();
    window.bars.clear();
    const next = await app.commands.execute("docmanager:open", {path});
    await next.context.ready;
}"""

_IN_TIME = """(work, seconds) => Promise.race([
    work,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`still at it after ${seconds} s`)), 1000 * seconds)),
])"""

_RUN_ALL = """async () => {
    const tab = window.jupyterapp.shell.currentWidget;
    const cells = [...tab.content.model.cells].filter(cell => cell.type === "code");
    const started = performance.now(), ended = {}, waiting = new Set();
    const look = () => cells.forEach(({id, executionState}) => {
        if (executionState === "running") waiting.add(id);  // since it was queued
        if (executionState === "idle" && waiting.has(id)) ended[id] ??= (performance.now() - started) / 1000;
    });
    const timer = setInterval(look, 20);
    await window.jupyterapp.commands.execute("notebook:run-all-cells");
    look();
    clearInterval(timer);
    const seconds = {};
    let before = 0;
    for (const [id, end] of Object.entries(ended).sort((one, other) => one[1] - other[1])) {
        seconds[id] = end - before;
        before = end;
    }
    return {total: (performance.now() - started) / 1000, seconds};
}"""

_RUN_CELL = """async place => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = place;
    await window.jupyterapp.commands.execute("notebook:run-cell");
}"""

_EXECUTE = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel, said = [];
    const started = performance.now();
    const running = kernel.requestExecute({code, stop_on_error: true});
    running.onIOPub = ({header, content}) => {
        if (header.msg_type === "stream") said.push(content.text);
        else if (content.data) said.push(content.data["text/plain"]);
        else if (header.msg_type === "error") said.push(`${content.ename}: ${content.evalue}`);
    };
    const {content} = await running.done;
    return {seconds: (performance.now() - started) / 1000, status: content.status, said: said.join("")};
}"""


class Tab:
    """A page of the browser with the site in it, and what it said and asked for meanwhile."""

    def __init__(self, opened, address):
        self.page, self.address, self.console, self.outside, self.failed = opened.new_page(), address, [], [], []
        self.page.add_init_script(_SEE_BARS)
        self.page.on("console", lambda said: self.console.append((said.type, said.text)))
        self.page.on("pageerror", lambda error: self.console.append(("error", str(error))))
        opened.on("request", lambda request: OUTSIDE.match(request.url) and self.outside.append(request.url))
        opened.on("response", lambda answer: answer.status >= 400 and self.failed.append((answer.status, answer.url)))

    def open(self, path, kernel=True):
        """Open a notebook in JupyterLab, and no other; wait for its cells, and for its kernel."""
        self.page.goto(f"{self.address}lab/index.html?workspace={uuid4().hex}&path={path}")
        self.page.locator(".jp-Notebook .jp-Cell >> visible=true").first.wait_for(timeout=60_000)
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.ready")
        if kernel:
            self.wait_for_kernel()
        return self

    def open_next(self, path):
        """Open a notebook in place of the one that is open, as a link does; wait for its kernel. Quicker."""
        if self.page.url == "about:blank":
            return self.open(path)
        self._evaluate(_OPEN_NEXT, path, 60)
        self.wait_for_kernel()
        return self

    def wait_for_kernel(self):
        state = self.page.evaluate(_READY, KERNEL_SECONDS)
        assert state is None, f"the kernel was not ready after {KERNEL_SECONDS} s: {state}"

    def run_all(self, seconds=600):
        """Run > Run All Cells; gives {"total": seconds, "seconds": {id of a code cell: seconds}}."""
        return self._evaluate(_RUN_ALL, None, seconds)

    def execute(self, code, seconds=60):
        """Run code in the notebook's kernel, in no cell; gives what it said. Raises AssertionError where it failed."""
        done = self._evaluate(_EXECUTE, code, seconds)
        assert done["status"] == "ok", done
        return done["said"]

    def _evaluate(self, function, argument, seconds):
        """What an asynchronous function of the page gives; an error after some seconds."""
        return self.page.evaluate(
            f"([argument, seconds]) => ({_IN_TIME})(({function})(argument), seconds)", [argument, seconds]
        )

    def run_cell(self, place):
        """Run > Run Selected Cell, for the cell at a place."""
        self._evaluate(_RUN_CELL, place, KERNEL_SECONDS)

    def begin(self, code):
        """Start code in the kernel, and do not wait for it."""
        self.page.evaluate(
            "code => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}) }",
            code,
        )

    def fill_storage(self):
        """Leave the site no room to keep anything."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Storage.overrideQuotaForOrigin", {"origin": self.address.rstrip("/"), "quotaSize": 1000})

    def bars(self):
        """What the bars over long cells have said so far."""
        return self.page.evaluate("() => [...window.bars]")

    def notebook(self):
        """The notebook as it stands in the tab."""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")

    def write(self, place, source):
        """Put text into a cell."""
        self.page.evaluate(
            "([place, source]) => window.jupyterapp.shell.currentWidget.content.model.cells.get(place)"
            ".sharedModel.setSource(source)",
            [place, source],
        )

    def wait_until_saved(self):
        """Wait until JupyterLab has saved the notebook by itself."""
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=30_000)

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def files(self, folder):
        """Names of what the list of files shows in a folder."""
        contents = "window.jupyterapp.serviceManager.contents"
        return self.page.evaluate(
            f"async path => (await {contents}.get(path, {{content: true}})).content.map(file => file.name)", folder
        )


def printed(cell):
    """What a code cell printed or gave, as text."""
    return "".join(_text(output) for output in cell["outputs"])


def _text(output):
    if output["output_type"] == "stream":
        return "".join(output["text"]) if output["name"] == "stdout" else ""
    return "".join(output.get("data", {}).get("text/plain", ""))


def complaints(cells):
    """Errors and red output of a notebook's cells."""
    outputs = [(place, output) for place, cell in enumerate(cells) for output in cell.get("outputs", [])]
    return [each for each in outputs if each[1]["output_type"] == "error" or each[1].get("name") == "stderr"]
