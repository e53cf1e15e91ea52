"""A class on a real JupyterHub, through real browsers: from release to the page that names the mistake.

The hub runs the configuration that docs/teaching.md shows, in another folder and on free ports.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from contextlib import ExitStack, contextmanager

import nbformat
import pytest

from tests.classroom.teaching.test_course import FOMAML, NOTEBOOK, nbgrader
from tests.lab import ROOT, browser_page, find_browser

PASSWORD, DEADLINE = "a word for the class", 120
DOCS = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def needed():
    """What is missing here for a hub, in one sentence; "" where nothing is."""
    if find_browser() is None:
        return "no Chromium or Chrome found: the hub is not tried (Debian: apt install chromium)"
    if shutil.which("jupyterhub") is None:
        return "no JupyterHub found: pip install 'mlcourse[hub]'"
    if shutil.which("configurable-http-proxy") is None or shutil.which("node") is None:
        return "no proxy for JupyterHub found: npm install --global configurable-http-proxy"
    return ""


def shown(name):
    """The configuration that the docs show under this name."""
    block = re.search(rf"^    # {re.escape(name)}\n((?:    .*\n|\n)+)", DOCS, re.MULTILINE)
    return textwrap.dedent(block[0])


def free_ports(number):
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [server.getsockname()[1] for server in servers]


@contextmanager
def hub(folder):
    """The address of a JupyterHub as the docs configure it, ended afterwards with all its servers."""
    port, api, own = free_ports(3)
    config = shown("jupyterhub_config.py").replace("/srv/class", str(folder)).replace(":8000", f":{port}")
    config += f"""
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{own}"
c.JupyterHub.cleanup_servers = True
c.Spawner.args = [*c.Spawner.args, "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {DEADLINE}
"""
    (folder / "jupyterhub_config.py").write_text(config)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "IPYTHON", "MLCOURSE"))}
    env |= {"CLASS_PASSWORD": PASSWORD, "HOME": str(folder)}
    log = folder / "hub.log"
    with open(log, "wb") as file:
        command = [sys.executable, "-m", "jupyterhub", "--config", "jupyterhub_config.py"]
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=file, stderr=file, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, server, log)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def wait_for(address, server, log):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/hub/api", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the hub did not start:\n{log.read_text(errors='replace')[-5000:]}")


@contextmanager
def logged_in(address, student):
    """A browser's page on a student's own JupyterLab."""
    with browser_page() as page:
        page.set_default_timeout(1000 * DEADLINE)
        page.goto(f"{address}/hub/login")
        page.locator("input[name=username]").fill(student)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[type=submit], button[type=submit]").first.click()
        page.wait_for_url(re.compile(rf"/user/{student}/lab"))
        page.wait_for_function("'jupyterapp' in window")
        page.evaluate("window.jupyterapp.restored.then(() => null)")
        yield page


def assignment_list(page):
    """Open the panel with the assignments, afresh."""
    page.evaluate(
        """for (const tab of [...window.jupyterapp.shell.widgets("main")]) {
            if (tab.id.includes("assignment")) { tab.close(); }
        }"""
    )
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Assignment List").click()


_FILL = """async ([path, answers]) => {
    const tab = await window.jupyterapp.commands.execute("docmanager:open", {path});
    await tab.context.ready;
    for (const cell of tab.content.model.cells) {
        const answer = answers[(cell.getMetadata("nbgrader") ?? {}).grade_id];
        if (answer) { cell.sharedModel.setSource(answer); }
    }
    await tab.context.save();
}"""


def hand_in(page, answers):
    assignment_list(page)
    page.get_by_role("button", name="Fetch", exact=True).click()
    page.get_by_role("button", name="Submit", exact=True).wait_for()
    page.evaluate(_FILL, [f"lesson04/{NOTEBOOK}", answers])
    assignment_list(page)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("button", name="Fetch Feedback").wait_for()


def feedback(page, address, student):
    """The text of the page that a student gets back."""
    assignment_list(page)
    page.get_by_role("button", name="Fetch Feedback").click()
    page.get_by_text("(view feedback)").wait_for()
    listed = contents(page, address, student, "lesson04/feedback")
    (dated,) = (each["path"] for each in listed["content"])
    page.goto(f"{address}/user/{student}/files/{dated}/{NOTEBOOK.replace('.ipynb', '.html')}")
    return page.locator("body").inner_text()


def contents(page, address, student, path):
    """What a student's server says of a path to the user of this page: its fields, or the status that refuses."""
    context = page.context.browser.new_context(storage_state=page.context.storage_state())
    try:
        answer = context.new_page().goto(f"{address}/user/{student}/api/contents/{path}".rstrip("/"))
        return answer.json() if answer.ok and "json" in answer.headers["content-type"] else answer.status
    finally:
        context.close()


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """A class's folder, laid as the docs say."""
    if os.environ.get("MLCOURSE_HUB") == "none":
        pytest.skip("MLCOURSE_HUB is none: the proxy of a hub cannot be had here")
    if missing := needed():
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("hub")
    for name in ("exchange", "settings", "home"):
        (folder / name).mkdir()
    (folder / "exchange").chmod(0o777)
    run(folder, "mlcourse", "course", "course", "--seed", "20261125")
    for name, mode in (("settings/nbgrader_config.py", "w"), ("course/nbgrader_config.py", "a")):
        with open(folder / name, mode) as file:
            file.write(shown(name).replace("/srv/class", str(folder)))
    return folder


def run(folder, *words):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_two_students_and_their_instructor_from_release_to_the_page_that_names_the_mistake(a_class):
    course = a_class / "course"
    nbgrader(course, "generate_assignment", "lesson04", "--create")
    nbgrader(course, "release_assignment", "lesson04")
    right = answers_in(course / "source" / "lesson04" / NOTEBOOK)
    with hub(a_class) as address:
        for student, answers in (("ada", right), ("bob", right | {"meta_gradient": FOMAML})):
            with logged_in(address, student) as page:
                hand_in(page, answers)
        nbgrader(course, "collect", "lesson04")
        nbgrader(course, "autograde", "lesson04", "--create")
        nbgrader(course, "generate_feedback", "lesson04")
        nbgrader(course, "release_feedback", "lesson04")
        said = {}
        for student, other in (("ada", "bob"), ("bob", "ada")):
            with logged_in(address, student) as page:
                assert contents(page, address, other, "lesson04") in (403, 404)
                assert {each["name"] for each in contents(page, address, student, "")["content"]} == {"lesson04"}
                assert contents(page, address, student, f"..%2F{other}%2Flesson04") in (400, 403, 404)
                said[student] = feedback(page, address, student)
    assert "Not yet: first-order gradient" in said["bob"] and "Not yet" not in said["ada"]
    notebooks = [str(path.relative_to(course)) for path in sorted((course / "submitted").glob("*/*/*.ipynb"))]
    assert len(notebooks) == 2
    run(course, "mlcourse", "grade", *notebooks, "--workers", "2", "--out", "marks")
    (a_class / "roster.txt").write_text("ada\nbob\ncy\n")
    told = run(course, "mlcourse", "class", "marks", "--roster", "../roster.txt")
    page = (course / "marks" / "class.html").read_text(encoding="utf-8")
    assert "Teach again 1" in told and "first-order gradient" in page and "cy" in page


def answers_in(path):
    graded = ((cell.metadata.get("nbgrader", {}), cell.source) for cell in nbformat.read(path, as_version=4).cells)
    return {meta["grade_id"]: source for meta, source in graded if meta.get("solution")}


def test_the_docs_show_each_file_once():
    for name in ("jupyterhub_config.py", "settings/nbgrader_config.py", "course/nbgrader_config.py"):
        assert DOCS.count(f"    # {name}\n") == 1
        compile(shown(name), name, "exec")
