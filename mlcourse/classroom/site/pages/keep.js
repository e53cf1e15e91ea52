// Run before JupyterLab begins: what the learner wrote outlives a new version of the site, and a closed tab.
//
// JupyterLite keeps each file that was saved in IndexedDB, and shows it in place of the site's own from then on. A new
// version would never be seen. So a saved file that only ran is let go; one with something written into it is kept
// beside the site's under a dated name where the site's has changed as well, and stays where it is otherwise.

const ROOT = new URL(".", import.meta.url);
const DATABASE = `JupyterLite Storage - ${ROOT.pathname}`;
const SEEN = `mlcourse ${ROOT.pathname}`;
const FORGETFUL = ".mlcourse/forgetful";  // start_lesson looks for it

export async function begin() {
  const said = [], application = caught();
  try {
    const site = await (await fetch(new URL("mlcourse-site.json", ROOT), {cache: "no-cache"})).json();
    await alone(() => receive(site, said));
  } catch (error) {
    console.warn("mlcourse: saved files were not compared with the site's:", error);
  }
  navigator.storage?.persist?.().catch(() => {});
  document.addEventListener("visibilitychange", saveAll);
  tell(application, said).catch(error => console.warn("mlcourse:", error));
}

// One tab at a time.
function alone(work) {
  return navigator.locks ? navigator.locks.request(SEEN, work) : work();
}

// Make room for what is new in this version of the site; adds to `said` what was set aside.
async function receive(site, said) {
  const seen = JSON.parse(localStorage.getItem(SEEN) ?? "null");
  const changed = Object.keys(site.files).filter(name => seen?.files[name] !== site.files[name]);
  if (seen && changed.length) {
    await Promise.all(changed.map(name => fetch(new URL(`files/${name}`, ROOT), {cache: "reload"})));
  }
  const database = changed.length ? await existing(DATABASE) : null;
  if (database) {
    for (const name of changed) await receiveOne(database, name, seen?.files[name], site.files[name], said);
    database.close();
  }
  localStorage.setItem(SEEN, JSON.stringify({files: site.files}));
}

async function receiveOne(database, name, before, now, said) {
  const mine = await asked(database.transaction("files").objectStore("files").get(name));
  if (!mine?.content?.cells) return;
  const written = await writtenHash(mine.content);
  const transaction = database.transaction("files", "readwrite"), files = transaction.objectStore("files");
  if (written === null || (written !== before && written !== now)) {
    const stamp = new Date(Date.now() - 60000 * new Date().getTimezoneOffset()).toISOString();
    const kept = name.replace(/\.ipynb$/, `.kept-${stamp.slice(0, 10)}-${stamp.slice(11, 19).replaceAll(":", "")}.ipynb`);
    files.put({...mine, name: kept.split("/").pop(), path: kept}, kept);
    said.push(`The course has a new ${name}. Yours is kept beside it as ${kept.split("/").pop()}.`);
  }
  files.delete(name);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

// What a person wrote of a notebook, as site/build.py computes it; null where a browser has no hashes (plain http).
async function writtenHash({cells}) {
  if (!crypto.subtle) return null;
  const text = cells.map(cell => `${cell.cell_type}\0${[cell.source].flat().join("")}`).join("\0");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map(byte => byte.toString(16).padStart(2, "0")).join("").slice(0, 32);
}

// A database that is there and has files in it; null where none is, and none is made.
async function existing(name) {
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => opening.transaction.abort();
  try {
    const database = await asked(opening);
    if (database.objectStoreNames.contains("files")) return database;
    database.close();
  } catch (error) {
    if (error?.name !== "AbortError") throw error;
  }
  return null;
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Whether IndexedDB takes what is written: it may be forbidden, or full.
async function storageKeeps() {
  try {
    const opening = indexedDB.open(SEEN);
    opening.onupgradeneeded = () => opening.result.createObjectStore("probe");
    const database = await asked(opening);
    const transaction = database.transaction("probe", "readwrite");
    transaction.objectStore("probe").put("x".repeat(1 << 20), 0);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    database.close();
    await asked(indexedDB.deleteDatabase(SEEN));
    return true;
  } catch (error) {
    console.warn("mlcourse: this browser keeps nothing:", error);
    return false;
  }
}

// JupyterLab's application, as soon as it is made and before it starts.
function caught() {
  return new Promise(resolve => {
    Object.defineProperty(window, "jupyterapp", {
      configurable: true,
      set(app) {
        Object.defineProperty(window, "jupyterapp", {value: app});
        giveEachItsOwnKernel(app.serviceManager.sessions);
        resolve(app);
      },
    });
  });
}

// JupyterLite 0.8 looks for a running kernel by the name of the file without its folder: a lesson and its exercise would
// get one kernel, which ends with the first of them.
function giveEachItsOwnKernel(sessions) {
  const startNew = sessions.startNew.bind(sessions);
  sessions.startNew = (options, ...more) => startNew({...options, name: options.path}, ...more);
}

// A file that is nowhere: where nothing can be written, nothing could be written about it either.
function showForgetful(contents) {
  const get = contents.get.bind(contents), created = new Date().toISOString();
  const file = {
    name: FORGETFUL.split("/").pop(), path: FORGETFUL, type: "file", format: "text", mimetype: "text/plain",
    content: "", size: 0, writable: false, created, last_modified: created,
  };
  contents.get = async (path, ...more) => path.replace(/^\//, "") === FORGETFUL ? file : get(path, ...more);
}

async function tell(application, said) {
  const keeps = await storageKeeps(), app = await application;
  if (!keeps) showForgetful(app.serviceManager.contents);
  await app.restored;
  for (const message of said) {
    await app.commands.execute("apputils:notify", {message, type: "info", options: {autoClose: false}});
  }
}

// A closed tab takes with it what JupyterLab has not saved yet.
function saveAll() {
  if (document.visibilityState !== "hidden") return;
  for (const tab of window.jupyterapp?.shell.widgets("main") ?? []) {
    if (tab.context?.model?.dirty && !tab.context.model.readOnly) tab.context.save();
  }
}
