// A cell that computes for long says how long it takes in a tab, and how far it is: a bar over its output.
//
// seconds.json has what `python -m benchmarks.site --keep` measured; a machine that turned out slower or quicker on the
// cells before is taken at its own pace.

const SHOWN_FROM = 5;  // seconds; what is shorter needs no bar
const EVERY = 0.5;

export function watchThePace(app, measured) {
  let pace = 1, now = null;  // the cell that runs: {cell, since, expected, bar}
  const look = () => {
    const tab = app.shell.currentWidget, expected = measured[tab?.context?.path];
    const first = expected && tab.content.widgets.find(cell => cell.model.executionState === "running");  // others wait
    if (now && now.cell !== first) {
      if (now.expected >= SHOWN_FROM) pace = Math.max(0.2, (performance.now() - now.since) / 1000 / now.expected);
      now.bar?.remove();
      now = null;
    }
    if (first) now ??= {cell: first, since: performance.now(), expected: expected[first.model.id], bar: null};
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
    known.bar.style.cssText = "padding: 4px 12px 4px 82px; color: var(--jp-ui-font-color2)";
    known.bar.append(document.createElement("progress"), document.createElement("span"));
    known.bar.lastChild.style.marginLeft = "8px";
  }
  // a cell that was never on the screen has no inside yet
  if (!known.bar.isConnected) known.cell.node.querySelector(".jp-Cell-inputWrapper")?.after(known.bar);
  const [bar, text] = known.bar.children;
  bar.max = all;
  bar.value = Math.min(gone, 0.97 * all);
  text.textContent = gone < all
    ? `takes about ${Math.round(all)} s in a tab: ${Math.round(all - gone)} s to go`
    : `takes longer here than elsewhere: ${Math.round(gone)} s so far`;
}
