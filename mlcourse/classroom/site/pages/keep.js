// Run before JupyterLab begins: what the learner wrote outlives a new version of the site, and a closed tab.
//
// JupyterLite keeps each file that was saved in IndexedDB, and shows it in place of the site's own from then on. A new
// version would never be seen. So a saved file that only ran is let go; one with something written into it is kept
// beside the site's under a dated name where the site's has changed as well, and stays where it is otherwise.

import {watchThePace} from "./pace.js";

const ROOT = new URL(".", import.meta.url);
const DATABASE = `JupyterLite Storage - ${ROOT.pathname}`;
const SEEN = `mlcourse ${ROOT.pathname}`;
const FORGETFUL = ".mlcourse/forgetful";  // start_lesson looks for it
const REFUSED = "This browser's storage is full: nothing is kept from here on. "
  + "Download your notebook (File > Download) and what export_progress() writes.";

export async function begin() {
  const said = [], state = {keeps: await storageKeeps()}, application = caught(state);
  state.refused = () => {
    if (state.keeps) tell(application, [REFUSED], "error");
    state.keeps = false;
  };
  try {
    const site = await (await fetch(new URL("mlcourse-site.json", ROOT), {cache: "no-cache"})).json();
    await alone(() => receive(site, said));
  } catch (error) {
    console.warn("mlcourse: saved files were not compared with the site's:", error);
  }
  navigator.storage?.persist?.().catch(() => {});
  document.addEventListener("visibilitychange", saveAll);
  tell(application, said, "info");
  pace(application).catch(error => console.warn("mlcourse:", error));
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
    said.push(`A new version is here. What you wrote is in ${kept}`);
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
function caught(state) {
  return new Promise(resolve => {
    Object.defineProperty(window, "jupyterapp", {
      configurable: true,
      set(app) {
        Object.defineProperty(window, "jupyterapp", {value: app});
        giveEachItsOwnKernel(app.serviceManager.sessions);
        neverLeaveWaiting(app.serviceManager.contents.defaultDrive, state);
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

// What Python writes and the browser does not take stays in memory for this visit: JupyterLite would leave the write
// without an answer, and Python waits for one for good. `state.keeps` says whether all was taken so far, and
// `state.refused()` that something was not.
function neverLeaveWaiting(drive, state) {
  const held = new Map(), real = {}, bare = path => path.replace(/^\//, "");
  for (const name of ["get", "save", "newUntitled", "rename", "createCheckpoint"]) real[name] = drive[name].bind(drive);
  const hold = (path, {type = "file", content = "", format = "text"}) => {
    const last_modified = new Date().toISOString(), name = path.split("/").pop(), mimetype = "text/plain";
    const created = held.get(path)?.created ?? last_modified, size = content?.length ?? 0, writable = true;
    held.set(path, {name, path, type, content, format, size, mimetype, writable, created, last_modified});
    return held.get(path);
  };
  const inside = folder => [...held.values()].filter(file => file.path === [folder, file.name].filter(Boolean).join("/"));

  drive.get = async (path, ...more) => {
    const asked = bare(path), mine = held.get(asked);
    if (asked === FORGETFUL && !state.keeps) return hold(FORGETFUL, {});
    const found = mine ?? await real.get(path, ...more);
    if (found.type !== "directory" || !held.size || (!mine && !found.content)) return found;
    const others = mine ? [] : found.content.filter(file => !held.has(file.path));
    return {...found, format: "json", content: [...others, ...inside(asked)]};
  };
  drive.save = async (path, options) => {
    try {
      const saved = await real.save(path, options);
      held.delete(bare(path));
      return saved;
    } catch (error) {
      state.refused();
      if (options?.type !== "file") throw error;
      return hold(bare(path), options);
    }
  };
  drive.newUntitled = options => real.newUntitled(options).catch(error => {
    state.refused();
    if (options?.type !== "directory") throw error;
    return hold(bare(`${options.path ?? ""}/Untitled ${held.size}`), {type: "directory"});
  });
  drive.rename = async (path, other) => {
    const mine = held.get(bare(path));
    if (!mine) return real.rename(path, other);
    held.delete(bare(path));
    return hold(bare(other), mine);
  };
  drive.createCheckpoint = path => real.createCheckpoint(path).catch(
    () => ({id: "0", last_modified: new Date().toISOString()}),  // a notebook opens without one, too
  );
}

async function pace(application) {
  const measured = await (await fetch(new URL("seconds.json", ROOT))).json();
  watchThePace(await application, measured);
}

// Notices that stay until they are closed. JupyterLab shows 140 characters of each.
async function tell(application, messages, type) {
  try {
    const app = await application;
    await app.restored;
    for (const message of messages) {
      await app.commands.execute("apputils:notify", {message, type, options: {autoClose: false}});
    }
  } catch (error) {
    console.warn("mlcourse:", messages, error);
  }
}

// A closed tab takes with it what JupyterLab has not saved yet.
function saveAll() {
  if (document.visibilityState !== "hidden") return;
  for (const tab of window.jupyterapp?.shell.widgets("main") ?? []) {
    if (tab.context?.model?.dirty && !tab.context.model.readOnly) tab.context.save();
  }
}
