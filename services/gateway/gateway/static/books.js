// What bots are worth, what they hold, and what each source earned.

import { part, post } from "./api.js";
import { badge, byId, el, empty, show, sparkline, table } from "./dom.js";
import { change, direction, money, percent, price, quantity, ratio, share, source } from "./format.js";
import { data } from "./store.js";

const signed = (text) => el("span", { class: direction(text) }, change(text));
const pair = (name, value) => el("div", null, el("dt", null, name), el("dd", null, value));

function botCard(bot) {
  const known = data.books.get(bot.id);
  const book = known?.account === bot.account ? known : undefined;
  const curve = (data.curves.get(bot.id) ?? []).map(([, value]) => value);
  const start = data.accounts.find((account) => account.id === bot.account)?.paper.starting_cash;
  const worth = book?.equity ?? start;
  const moved = curve.length > 1 && curve[0] ? curve.at(-1) / curve[0] - 1 : null;
  return el("article", { class: "card bot" },
    el("header", null, el("h2", { title: bot.id }, bot.name),
      !bot.enabled && badge("off", "dim", "This bot is switched off."),
      bot.approval === "manual" && badge("asks first", "wait", "Nothing is traded before a person approves it.")),
    el("p", { class: "value" }, el("span", { class: "worth" }, money(worth)),
      moved !== null && el("span", { class: direction(moved), title: "Over the time of the curve below" }, percent(moved))),
    sparkline(curve, `Equity of ${bot.name}, now ${money(worth)}`, book ? "The curve begins with the next minute." : "Nothing traded yet."),
    el("dl", { class: "figures" },
      pair("Realised", signed(book?.realised_pnl)), pair("Unrealised", signed(book?.unrealised_pnl)),
      pair("Cash", money(book?.cash ?? start)), pair("Fees", money(book?.fees))));
}

export function drawBots() {
  if (!data.bots.length) show("bots", el("div", { class: "card" }, empty("There is no bot yet. Add one by POST /api/bots.")));
  else show("bots", data.bots.map(botCard));
}

async function close(held, button) {
  button.disabled = true;
  try {
    await post(`positions/${part(held.bot)}/${part(held.symbol)}/close`);
    button.textContent = "Closing…";
  } catch (error) {
    button.disabled = false;
    button.textContent = "Not closed";
    button.title = error.message;
  }
}

const mine = (held) => [...new Set(held.lots.map((lot) => source(lot.source_type, lot.source_id)))].join(", ");

export function drawPositions() {
  const may = data.me?.role !== "viewer";
  byId("positions-note").textContent = data.positions.length || "";
  if (!data.positions.length) return show("positions", empty("Nothing is held. Positions appear here with the first fill."));
  const columns = [
    { name: "Symbol" }, { name: "Bot" }, { name: "Quantity", number: true }, { name: "Entry", number: true }, { name: "Now", number: true },
    { name: "Gain", number: true, title: "At the newest quote, before fees" }, { name: "Owner", class: "owner", title: "The sources whose lots these are" },
    ...(may ? [{ name: "" }] : []),
  ];
  return show("positions", table(columns, data.positions.map((held) => [
    el("strong", null, held.symbol), held.bot, quantity(held.quantity), price(held.average_price), price(held.mark_price),
    signed(held.unrealised_pnl), mine(held),
    ...(may ? [el("button", { class: "quiet small", "data-key": `close-${held.bot}-${held.symbol}`, title: `Close all ${held.symbol} of ${held.bot}`,
      on: { click: (event) => close(held, event.currentTarget) } }, "Close")] : []),
  ])));
}

export function drawPerformance() {
  if (!data.performance.length) return show("performance", empty("No fill yet. What a source earns is counted from the fills of its own lots."));
  const columns = [
    { name: "Source" }, { name: "Realised", number: true, title: "After fees, from closed lots" }, { name: "Fees", number: true },
    { name: "Closed", number: true, title: "Lots, or parts of lots, that were closed" },
    { name: "Won", number: true, title: "Share of closed lots that gained" },
    { name: "Factor", number: true, title: "Gross profit over gross loss" }, { name: "Fills", number: true },
  ];
  const rows = [...data.performance].sort((a, b) => Number(b.realised_pnl) - Number(a.realised_pnl));
  return show("performance", table(columns, rows.map((one) => [
    source(one.source_type, one.source_id), signed(one.realised_pnl), money(one.fees), String(one.trades), share(one.win_rate),
    ratio(one.profit_factor), String(one.fills),
  ])));
}

