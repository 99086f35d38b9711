// The bar on top: what kind of market this is, what time it is there, and the switch that stops everything.

import { put } from "./api.js";
import { badge, byId, el, show } from "./dom.js";
import { clock } from "./format.js";
import { data, marketNow } from "./store.js";

const CONNECTION = { live: ["Live", "good"], connecting: ["Connecting…", "wait"], lost: ["Reconnecting…", "bad"], paused: ["Paused", "dim"], off: ["", ""] };
let connection = "connecting";

export function drawHeader(state) {
  if (state) connection = state;
  const [text, kind] = CONNECTION[connection];
  const place = byId("connection");
  place.className = `connection ${kind}`;
  place.textContent = text;
  const { market, me } = data;
  byId("who").textContent = me?.username ?? "";
  byId("who").title = me ? `Signed in as ${me.role}` : "";
  byId("kill").hidden = !me || me.role === "viewer";
  if (!market) return;
  show("badges",
    market.replay
      ? badge(`REPLAY ×${market.speed}`, "amber", "Recorded prices are played again; nothing real trades.")
      : badge("LIVE PRICES", "good", "Prices of now."),
    badge("PAPER", "blue", "Orders are filled by a simulated broker; no money moves."),
    market.frozen && badge("CLOCK STOPPED", "bad", "The market clock is not renewed; no new risk is taken."));
  tick();
}

/** The clock runs on between two readings; what counts down follows it. */
export function tick() {
  const now = marketNow();
  if (!now) return;
  byId("clock").textContent = `${clock(now)}${data.market.replay ? ` · epoch ${data.market.epoch}` : ""}`;
  document.dispatchEvent(new CustomEvent("tick", { detail: now }));
}

function said({ everything, accounts, bots, by, reason }) {
  const what = everything ? "everything" : [...bots.map((b) => `bot ${b}`), ...accounts.map((a) => `account ${a}`)].join(", ");
  return `The kill switch stops ${what}${by ? `, set by ${by}` : ""}${reason ? ` (${reason})` : ""}.`;
}

const engaged = (kill) => kill && (kill.everything || kill.bots.length || kill.accounts.length);

export function drawKill() {
  const { kill, me } = data;
  const place = byId("stopped");
  place.hidden = !engaged(kill);
  byId("kill").disabled = Boolean(kill?.everything);
  if (place.hidden) return;
  const release = me?.role === "admin" && el("button", { class: "quiet", "data-key": "release", on: { click: askRelease } }, "Release…");
  show(place, el("span", null, said(kill), " Exits still work."), release);
}

export function wireKill() {
  byId("kill").addEventListener("click", askStop);
}

function ask(title, words, fields, { confirm, danger, ready, act }) {
  const dialog = byId("ask");
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const button = el("button", { class: danger ? "danger" : "primary", disabled: !ready() }, confirm);
  const form = el("form", { method: "dialog" },
    el("h2", { id: "ask-title" }, title), el("p", null, words), fields, problem,
    el("div", { class: "row" },
      el("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel"), button));
  form.addEventListener("input", () => { button.disabled = !ready(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await act();
      dialog.close();
      document.dispatchEvent(new CustomEvent("changed", { detail: ["kill"] }));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
  show(dialog, form);
  dialog.showModal();
}

function askStop() {
  const typed = el("input", { autocomplete: "off", required: true });
  const reason = el("input", { autocomplete: "off", maxlength: 500 });
  ask("Stop all trading?",
    "No new order leaves, for any bot. Planned orders are denied and working entries cancelled. Stops and exits still work, and so do your own commands.",
    [el("label", null, "Why (others will read it) ", reason), el("label", null, "Type STOP to confirm ", typed)],
    {
      confirm: "Stop everything", danger: true,
      ready: () => typed.value.trim() === "STOP",
      act: () => put("kill-switch", { everything: true, bots: data.kill?.bots ?? [], accounts: data.kill?.accounts ?? [], reason: reason.value }),
    });
}

function askRelease() {
  ask("Release the kill switch?", "Bots may open positions again from the next signal on. What was denied meanwhile stays denied.", [],
    { confirm: "Release", ready: () => true, act: () => put("kill-switch", {}) });
}
