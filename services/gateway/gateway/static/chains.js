// Signal, verdict, order, fill, lot: one row each, and the whole chain of any of them.

import { get, part } from "./api.js";
import { badge, byId, el, empty, show, table } from "./dom.js";
import { actionKind, change, direction, moment, outcomeKind, price, quantity, share, source, stateKind, time, words } from "./format.js";
import { data } from "./store.js";

let held = false;

const COLUMNS = [
  { name: "Time", class: "when" }, { name: "Signal", class: "signal" }, { name: "Verdict", class: "verdict" },
  { name: "Order", class: "order" }, { name: "Fill", class: "fill" }, { name: "Lot", class: "lot" },
];

function byVerdict(map) {
  const found = new Map();
  for (const one of map.values()) {
    if (!one.verdict_id) continue;
    if (!found.has(one.verdict_id)) found.set(one.verdict_id, []);
    found.get(one.verdict_id).push(one);
  }
  return found;
}

const numbers = (verdict) => Object.entries(verdict.numbers ?? {}).map(([name, value]) => `${words(name)} ${value}`).join(", ");
const tip = (verdict) => [verdict.explanation, verdict.rule && `Rule: ${verdict.rule}`, numbers(verdict)].filter(Boolean).join("\n");

const signalCell = (v) => [
  el("span", { class: "what" }, el("strong", { class: actionKind(v.action) }, v.action), " ", el("strong", null, v.symbol)),
  el("span", { class: "dim" }, `${source(v.source_type, v.source_id)} · ${share(v.confidence)}`),
];
const verdictCell = (v) => [
  el("span", { class: "what" }, badge(words(v.outcome), outcomeKind(v.outcome)), " ", el("span", { class: "dim" }, v.bot)),
  el("span", { class: "why", title: tip(v) }, v.explanation),
];
const orderCell = (order) => order && [
  el("span", { class: "what" }, badge(words(order.state), stateKind(order.state), order.message || undefined)),
  el("span", { class: "dim" }, order.message || (order.side ? `${order.side} ${quantity(order.quantity)}` : "")),
];
const fillCell = (trades) => trades && [
  el("span", { class: "what" }, `${quantity(trades[0].quantity)} @ ${price(trades[0].price)}`),
  trades.length > 1 && el("span", { class: "dim" }, `and ${trades.length - 1} more`),
];

function lotCell(trades) {
  const slices = (trades ?? []).flatMap((trade) => trade.slices);
  if (!slices.length) return null;
  const opened = slices.filter((s) => s.effect === "opened"), closed = slices.filter((s) => s.effect === "closed");
  const open = new Set(data.positions.flatMap((p) => p.lots.map((lot) => lot.id ?? lot.lot_id)));
  return [
    closed.length > 0 && el("span", { class: "what" }, "closed ", ...closed.slice(0, 2).map((s) =>
      el("span", { class: direction(s.realised_pnl), title: source(s.source_type, s.source_id) }, change(s.realised_pnl), " "))),
    opened.length > 0 && el("span", { class: "what" }, opened.some((s) => open.has(s.lot_id)) ? badge("open", "blue") : badge("closed since", "dim")),
  ];
}

export function drawChains() {
  if (held) return;
  const rows = [...data.verdicts.values()];
  if (!rows.length) return show("chains", empty("No signal has been judged yet. The first ones come as soon as a source speaks."));
  const orders = byVerdict(data.orders), trades = byVerdict(data.trades);
  return show("chains", table(COLUMNS, rows.map((v) => {
    const open = () => openChain(v.signal_id);
    const mine = trades.get(v.id);
    return {
      key: v.id, class: "row-link", label: `${v.action} ${v.symbol}, ${words(v.outcome)}. Open the chain.`,
      on: { click: open, keydown: (event) => event.key === "Enter" && open() },
      cells: [el("span", { title: moment(v.evaluated_at) }, time(v.evaluated_at)), signalCell(v), verdictCell(v),
        orderCell(orders.get(v.id)?.[0]), fillCell(mine), lotCell(mine)],
    };
  }), { class: "chains" }));
}

byId("hold").addEventListener("click", (event) => {
  held = !held;
  event.currentTarget.setAttribute("aria-pressed", String(held));
  byId("chains-note").textContent = held ? "Rows stand still" : "";
  drawChains();
});

const fact = (name, value) => value !== null && value !== undefined && value !== false && value !== "" && el("div", null, el("dt", null, name), el("dd", null, value));
const step = (kind, title, ...rest) => el("li", { class: `step is-${kind || "plain"}` }, el("h3", null, title), rest);

function signalStep({ signal }, outcomes) {
  const details = Object.entries(signal.details).map(([name, value]) => fact(name, value));
  return step("", "Signal",
    el("dl", { class: "facts" },
      fact("Source", source(signal.source_type, signal.source_id)), fact("Confidence", share(signal.confidence)),
      fact("Said at", moment(signal.raised_at)), fact(signal.withdrawn ? "Taken back from" : "Good until", moment(signal.valid_until)),
      fact("Price it saw", signal.price && price(signal.price)), fact("Its own id", signal.own_id), fact("Target", signal.target)),
    signal.reasoning && el("p", { class: "reasoning" }, signal.reasoning),
    details.length > 0 && el("details", null, el("summary", null, "What else it said"), el("dl", { class: "facts" }, details)),
    outcomes.map((o) => el("p", { class: "dim" }, `After ${o.horizon_s} s it would have earned ${o.forward_return}`)));
}

function verdictStep(v) {
  return step(outcomeKind(v.outcome), ["Verdict for ", v.bot, " ", badge(words(v.outcome), outcomeKind(v.outcome))],
    el("p", null, v.explanation),
    el("dl", { class: "facts" },
      fact("Rule", v.rule), fact("Reached at", moment(v.evaluated_at)), fact("Decided by", v.decided_by), fact("Round", v.round > 0 && String(v.round)),
      fact("Leading signal", v.winner_id && el("button", { class: "link", on: { click: () => openChain(v.winner_id) } }, "open it")),
      ...Object.entries(v.numbers).map(([name, value]) => fact(words(name), value))),
    v.inputs.length > 0 && el("details", null, el("summary", null, v.inputs.length > 1 ? `${v.inputs.length} live signals were weighed` : "One live signal was weighed"),
      el("ul", { class: "plain" }, v.inputs.map((i) => el("li", null,
        el("strong", { class: actionKind(i.action) }, i.action), ` ${source(i.source_type, i.source_id)}, ${share(i.confidence)} sure, until ${time(i.valid_until)}`)))));
}

function orderStep(order) {
  const fills = order.trades.map((t) => el("li", null, `${t.side} ${quantity(t.quantity)} at ${price(t.price)}, fee ${price(t.fee)}, ${moment(t.at)}`));
  return step(stateKind(order.state), ["Order of ", order.bot, " ", badge(words(order.state), stateKind(order.state))],
    order.message && el("p", null, order.message),
    el("dl", { class: "facts" },
      fact("Wants", order.side && `${order.side} ${quantity(order.quantity)} ${order.symbol}`), fact("Account", `${order.account} (${order.mode})`),
      fact("Filled", quantity(order.filled)), fact("Average", order.average_price && price(order.average_price)),
      ...Object.entries(order.numbers).map(([name, value]) => fact(words(name), value))),
    el("p", { class: "dim" }, order.steps.map((s) => `${words(s.state)} ${time(s.at)}`).join(" → ")),
    fills.length > 0 && el("ul", { class: "plain fills" }, fills));
}

function lotStep(lot) {
  return step(lot.open ? "wait" : direction(lot.realised_pnl) === "down" ? "bad" : "good",
    ["Lot of ", source(lot.source_type, lot.source_id), " ", badge(lot.open ? "open" : "closed", lot.open ? "blue" : "dim")],
    el("dl", { class: "facts" },
      fact("Opened", `${quantity(lot.opened)} at ${price(lot.entry_price)}`), fact("Closed", quantity(lot.closed)),
      fact("Realised", el("span", { class: direction(lot.realised_pnl) }, change(lot.realised_pnl)))));
}

/** Shows a signal and all that followed. */
export async function openChain(signalId) {
  const dialog = byId("chain");
  const close = el("button", { class: "quiet", "aria-label": "Close", on: { click: () => dialog.close() } }, "✕");
  const head = (...title) => el("header", null, el("h2", { id: "chain-title" }, title), close);
  try {
    const chain = await get(`signals/${part(signalId)}`);
    const { signal } = chain;
    show(dialog, head(el("span", { class: actionKind(signal.action) }, signal.action.toUpperCase()), ` ${signal.symbol}`),
      el("ol", { class: "steps" }, signalStep(chain, chain.outcomes), chain.verdicts.map(verdictStep), chain.orders.map(orderStep), chain.lots.map(lotStep)),
      !chain.verdicts.length && empty("No bot has judged it yet."));
  } catch (error) {
    show(dialog, head("Chain"), el("p", { class: "problem", role: "alert" }, error.message));
  }
  if (!dialog.open) dialog.showModal();
}
byId("chain").addEventListener("click", (event) => event.target === event.currentTarget && event.currentTarget.close());
