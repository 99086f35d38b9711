// What waits for a person, what is wrong, and how the sources are doing.

import { part, post } from "./api.js";
import { badge, byId, el, empty, show } from "./dom.js";
import { actionKind, ago, left, moment, share, source, sourceType, time, words } from "./format.js";
import { data, marketNow } from "./store.js";

const TOLD_MS = 8000;
let told = "";

function tell(text) {
  told = text;
  drawPending();
  setTimeout(() => {
    if (told !== text) return;
    told = "";
    drawPending();
  }, TOLD_MS);
}

async function decide(verdict, verb, box) {
  const buttons = box.querySelectorAll("button");
  const said = box.querySelector(".said");
  buttons.forEach((button) => { button.disabled = true; });
  said.textContent = "Sending…";
  try {
    const done = await post(`verdicts/${part(verdict.id)}/${verb}`);
    tell(`${verdict.action.toUpperCase()} ${verdict.symbol} for ${verdict.bot}: ${words(done.outcome)}. ${done.explanation}`);
  } catch (error) {
    said.textContent = error.message;
    buttons.forEach((button) => { button.disabled = error.status === 409; });
  }
  document.dispatchEvent(new CustomEvent("changed", { detail: ["pending"] }));
}

function approval(verdict) {
  const box = el("li", { class: "approval" },
    el("div", { class: "line" },
      el("button", { class: "link", "data-key": `open-${verdict.id}`, on: { click: () => document.dispatchEvent(new CustomEvent("chain", { detail: verdict.signal_id })) } },
        el("strong", { class: actionKind(verdict.action) }, verdict.action.toUpperCase()), " ", el("strong", null, verdict.symbol)),
      el("span", { class: "left", "data-until": verdict.valid_until, title: `Until it lapses, at ${moment(verdict.valid_until)} of market time` })),
    el("p", { class: "dim" }, `${source(verdict.source_type, verdict.source_id)}, ${share(verdict.confidence)} sure, for bot ${verdict.bot}`),
    data.me?.role !== "viewer" && el("div", { class: "row" },
      el("button", { class: "primary small", "data-key": `yes-${verdict.id}`, on: { click: () => decide(verdict, "approve", box) } }, "Approve"),
      el("button", { class: "quiet small", "data-key": `no-${verdict.id}`, on: { click: () => decide(verdict, "decline", box) } }, "Decline"),
      el("span", { class: "said", role: "status" })));
  return box;
}

export function drawPending() {
  const now = marketNow();
  const list = data.pending.filter((verdict) => !now || new Date(verdict.valid_until) > now);
  byId("approvals-note").textContent = list.length || "";
  byId("approvals-card").classList.toggle("calls", list.length > 0);
  show("approvals", told && el("p", { class: "told", role: "status" }, told), list.length ? el("ul", { class: "plain" }, list.map(approval)) : empty("Nothing waits for approval."));
  if (now) countDown(now);
}

function countDown(now) {
  for (const place of document.querySelectorAll("[data-until]")) {
    const rest = left(place.dataset.until, now, data.market.replay ? data.market.speed : 1);
    place.textContent = rest || "lapsed";
    place.classList.toggle("down", !rest);
  }
}
document.addEventListener("tick", (event) => countDown(event.detail));

const SEVERITY = { critical: "bad", warning: "amber", info: "blue" };

export function drawAlerts() {
  byId("alerts-note").textContent = data.alerts.length || "";
  if (!data.alerts.length) return show("alerts", empty("All is well."));
  return show("alerts", el("ul", { class: "plain" }, data.alerts.map((alert) =>
    el("li", { class: "alert" },
      el("div", { class: "line" }, badge(alert.severity, SEVERITY[alert.severity]), el("strong", null, words(alert.code)),
        el("span", { class: "left", title: moment(alert.at) }, time(alert.at))),
      el("p", null, alert.message), el("p", { class: "dim" }, alert.about)))));
}

const dot = (kind, label) => el("span", { class: `dot ${kind}`, role: "img", "aria-label": label, title: label });

function entry(kind, label, name, about, problem) {
  return el("li", { class: "entry" }, dot(kind, label),
    el("div", null, el("div", { class: "name" }, name), el("p", { class: "dim" }, about), problem && el("p", { class: "problem" }, problem)));
}

function connection(one) {
  const kind = !one.is_active ? "dim" : one.connected ? "good" : one.last_ok_at || one.last_error ? "bad" : "wait";
  const state = { dim: "switched off", good: "connected", bad: "not connected", wait: "not asked yet" }[kind];
  const running = one.algorithms.map((a) => `${a.name} (${a.status})`).join(", ");
  const sandbox = one.target === "sandbox" && badge("sandbox", "blue", "A stand-in for the real QuantConnect");
  return entry(kind, state, [one.name, " ", sandbox], `QuantConnect, ${state}, last answer ${ago(one.last_ok_at)}${running ? ` · ${running}` : ""}`, one.last_error);
}

function strategy(one) {
  const kind = !one.active ? "dim" : one.problem ? "bad" : one.status ? "good" : "wait";
  const state = one.active ? words(one.status ?? "not started yet") : "switched off";
  const symbols = one.symbols.length > 3 ? `${one.symbols.slice(0, 3).join(", ")} and ${one.symbols.length - 3} more` : one.symbols.join(", ");
  return entry(kind, state, one.id, `${words(one.strategy)}, ${one.interval} bars of ${symbols}, ${state}`, one.problem);
}

export function drawSources() {
  const off = Object.entries(data.flags).filter(([, on]) => !on).map(([type]) => sourceType(type));
  const rows = [...data.connections.map(connection), ...data.strategies.map(strategy)];
  show("sources",
    off.length > 0 && el("p", { class: "problem" }, `Switched off for all bots: ${off.join(", ")}.`),
    rows.length ? el("ul", { class: "plain" }, rows) : empty("No source is configured. Add a strategy or a QuantConnect account."));
}

