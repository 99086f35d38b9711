// Signs in, then keeps the page alive.

import { get, onSignedOut, post } from "./api.js";
import { drawChains, openChain } from "./chains.js";
import { byId } from "./dom.js";
import { drawHeader, drawKill, tick, wireKill } from "./header.js";
import { Live } from "./live.js";
import { drawBots, drawPerformance, drawPositions } from "./books.js";
import { drawAlerts, drawPending, drawSources } from "./side.js";
import { apply, data, read } from "./store.js";

const DRAW = {
  market: drawHeader, bots: drawBots, books: drawBots, chains: drawChains, reasons: drawChains, positions: drawPositions,
  pending: drawPending, alerts: drawAlerts, performance: drawPerformance, sources: drawSources, kill: drawKill,
};
const READ_AGAIN_MS = { positions: 1000, pending: 500, alerts: 1000, performance: 3000, sources: 2000 };
const EVERY_MS = { market: 5000, kill: 5000, bots: 15_000, sources: 15_000, positions: 5000, pending: 5000 };
const BEEN_HERE = "signed-in";
const waiting = new Map();
let timers = [];
let live = null;

function trouble(message) {
  byId("trouble").textContent = message;
  byId("trouble").hidden = !message;
}

async function refresh(part) {
  try {
    await read[part]();
    trouble("");
  } catch (error) {
    if (error.status !== 401) trouble(error.message);
    return;
  }
  DRAW[part]();
}

function later(part) {
  if (waiting.has(part)) return;
  waiting.set(part, setTimeout(() => {
    waiting.delete(part);
    refresh(part);
  }, READ_AGAIN_MS[part]));
}

function onEvents(batch) {
  for (const part of apply(batch)) (part in READ_AGAIN_MS ? later : (each) => DRAW[each]())(part);
}

async function everything() {
  await Promise.all(["reasons", "market", "bots", "kill"].map(refresh));
  await Promise.all(Object.keys(read).filter((part) => !["reasons", "market", "bots", "kill"].includes(part)).map(refresh));
}

function start(me) {
  data.me = me;
  localStorage.setItem(BEEN_HERE, "yes");
  byId("sign-in").hidden = true;
  byId("page").hidden = false;
  drawHeader();
  live = new Live({ apply: onEvents, status: (state) => drawHeader(state), fresh: everything, ended: () => get("auth/me").catch(() => {}) });
  live.start();
  timers = Object.entries(EVERY_MS).map(([part, ms]) => setInterval(() => document.hidden || refresh(part), ms));
  timers.push(setInterval(tick, 250));
}

function leave() {
  localStorage.removeItem(BEEN_HERE);
  live?.stop();
  live = null;
  timers.forEach(clearInterval);
  waiting.forEach(clearTimeout);
  waiting.clear();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  byId("page").hidden = true;
  byId("sign-in").hidden = false;
  byId("sign-in").elements.password.focus();
}

function wire() {
  const form = byId("sign-in");
  const problem = form.querySelector(".problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    problem.hidden = true;
    try {
      const me = await post("auth/session", { username: form.elements.username.value, password: form.elements.password.value });
      form.elements.password.value = "";
      start(me);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  byId("sign-out").addEventListener("click", () => post("auth/logout").catch(() => {}).finally(leave));
  document.addEventListener("chain", (event) => openChain(event.detail));
  document.addEventListener("changed", (event) => event.detail.forEach(refresh));
  onSignedOut(leave);
  wireKill();
}

wire();
// Whoever has not signed in here before is not asked about; the gateway decides in any case.
if (localStorage.getItem(BEEN_HERE)) get("auth/me").then(start, leave);
else leave();
