// A cell that computes for long says how long it takes in a tab, and how far it is: a bar over its output, or in a corner
// of the notebook while that cell is not on the screen.
//
// seconds.json has what `python -m benchmarks.site --keep` measured; a machine that turned out slower or quicker on the
// cells before is taken at its own pace.

const SHOWN_FROM = 5;  // seconds; what is shorter needs no bar
const EVERY = 0.5;

const UNDER = "padding: 4px 12px 4px 82px; color: var(--jp-ui-font-color2)";
const CORNER = "position: absolute; right: 24px; bottom: 12px; z-index: 10; padding: 6px 12px; border: 1px solid "
  + "var(--jp-border-color1); color: var(--jp-ui-font-color1); background: var(--jp-layout-color1)";

export function watchThePace(app, measured) {
  let pace = 1, now = null;  // the cell that runs: {cell, since, expected, bar, notebook}
  const runs = cell => cell.model?.executionState === "running";  // so do those that wait behind it
  const look = () => {
    if (now && !runs(now.cell)) {
      if (now.expected >= SHOWN_FROM) pace = Math.max(0.2, (performance.now() - now.since) / 1000 / now.expected);
      now.bar?.remove();
      now = null;
    }
    const tab = app.shell.currentWidget, expected = measured[tab?.context?.path];
    const cell = now ? null : expected && tab.content.widgets.find(runs);
    if (cell) now = {cell, since: performance.now(), expected: expected[cell.model.id], bar: null, notebook: tab.content.node};
    if (now?.expected) show(now, pace);
  };
  setInterval(look, 1000 * EVERY);
}

function show(known, pace) {
  const all = pace * known.expected, gone = (performance.now() - known.since) / 1000;
  if (all < SHOWN_FROM) return;
  if (!known.bar) {
    known.bar = document.createElement("div");
    known.bar.className = "mlcourse-pace";
    known.bar.append(document.createElement("progress"), document.createElement("span"));
    known.bar.lastChild.style.marginLeft = "8px";
  }
  put(known);
  const [bar, text] = known.bar.children;
  bar.max = all;
  bar.value = Math.min(gone, 0.97 * all);
  text.textContent = gone < 1.25 * all
    ? `takes about ${Math.round(all)} s in a tab: ${Math.max(1, Math.round(all - gone))} s to go`
    : `takes longer here than elsewhere: ${Math.round(gone)} s so far`;
}

// Under the cell's code where that is on the screen, in a corner otherwise: a cell that never was there has no inside yet.
function put({bar, cell, notebook}) {
  const code = cell.node.querySelector(".jp-Cell-inputWrapper"), seen = notebook.getBoundingClientRect();
  const bottom = code?.isConnected ? code.getBoundingClientRect().bottom : -1;
  const place = bottom > seen.top && bottom < seen.bottom - 20 ? cell.node : notebook.parentNode;
  if (bar.parentNode === place) return;
  bar.style.cssText = place === cell.node ? UNDER : CORNER;
  if (place === cell.node) code.after(bar);
  else place.append(bar);
}
