// What the page knows: read once, then kept up to date by events.

import { get, items, part } from "./api.js";

const MOST = 60; // rows of the table of chains
const CURVE = 120; // points of a curve
const STEP_S = 60;

export const data = {
  me: null, market: null, marketRead: 0, bots: [], accounts: [], books: new Map(), curves: new Map(), verdicts: new Map(), signals: new Map(),
  orders: new Map(), trades: new Map(), positions: [], pending: [], alerts: [], performance: [], connections: [],
  strategies: [], flags: {}, kill: null, reasons: new Map(),
};

const newest = (map, most, at) =>
  new Map([...map].sort(([, a], [, b]) => (at(a) < at(b) ? 1 : -1)).slice(0, most));
const put = (map, list, key = (one) => one.id) => list.forEach((one) => map.set(key(one), one));

/** Each part of the page reads its own. */
export const read = {
  async market() {
    const sent = performance.now();
    data.market = await get("market");
    data.marketRead = (sent + performance.now()) / 2;
  },
  async bots() { [data.bots, data.accounts] = await Promise.all([items("bots"), items("accounts")]); },
  async reasons() { data.reasons = new Map((await items("reasons")).map((r) => [r.code, r.words])); },
  async books() {
    put(data.books, await items("equity/now"), (one) => one.bot);
    await Promise.all([...data.books.keys()].map(async (bot) => {
      const points = await items(`equity?bot=${part(bot)}&step_s=${STEP_S}&limit=${CURVE}`);
      data.curves.set(bot, points.reverse().map((p) => [Date.parse(p.at), Number(p.equity)]));
    }));
  },
  async chains() {
    const [verdicts, orders, trades] = await Promise.all(
      [`verdicts?limit=${MOST}`, "orders?limit=200", "trades?limit=200"].map(items));
    data.verdicts.clear();
    put(data.verdicts, verdicts);
    put(data.orders, orders);
    put(data.trades, trades);
    trim();
  },
  async positions() { data.positions = await items("positions"); },
  async pending() { data.pending = await items("verdicts?outcome=pending&current=true&limit=50"); },
  async alerts() { data.alerts = await items("alerts?active=true&limit=50"); },
  async performance() { data.performance = await items("performance?by=source"); },
  async sources() {
    [data.connections, data.strategies, data.flags] = await Promise.all(
      [items("quantconnect/status"), items("strategies"), get("flags")]);
  },
  async kill() { data.kill = await get("kill-switch"); },
};

function trim() {
  data.verdicts = newest(data.verdicts, MOST, (v) => v.evaluated_at + v.id);
  data.orders = newest(data.orders, 400, (o) => o.created_at);
  data.trades = newest(data.trades, 400, (t) => t.at);
}

/** Market time now, extrapolated from when it was last read. */
export function marketNow() {
  const { market } = data;
  if (!market) return null;
  const passed = market.frozen ? 0 : Math.min(performance.now() - data.marketRead, 15_000);
  return new Date(Date.parse(market.now) + passed * (market.replay ? market.speed : 1));
}

const APPLY = {
  VerdictReached({ data: verdict }) {
    const { signal } = verdict;
    data.verdicts.set(verdict.verdict_id, {
      ...verdict, id: verdict.verdict_id, signal_id: signal.signal_id, symbol: signal.symbol, source_type: signal.source_type,
      source_id: signal.source_id, action: signal.action, confidence: signal.confidence, valid_until: signal.valid_until,
      explanation: data.reasons.get(verdict.reason) ?? verdict.reason, numbers: verdict.numbers ?? {},
    });
    return verdict.outcome === "pending" || verdict.round > 0 ? ["chains", "pending"] : ["chains"];
  },
  OrderChanged({ data: order }) {
    const before = data.orders.get(order.order_id);
    data.orders.set(order.order_id, { ...order, id: order.order_id, created_at: before?.created_at ?? order.at, updated_at: order.at });
    if (!order.fill) return ["chains"];
    const { fill } = order;
    data.trades.set(fill.fill_id, { ...order, ...fill, id: fill.fill_id, slices: fill.slices ?? [] });
    return ["chains", "performance", "positions"];
  },
  PositionChanged: () => ["positions"],
  EquityMarked({ data: marked }) {
    const former = data.bots.some((bot) => bot.id === marked.bot && bot.account !== marked.account);
    if (former) return []; // what the bot has left on an account that it had before
    data.books.set(marked.bot, marked);
    const at = Date.parse(marked.at), curve = data.curves.get(marked.bot) ?? [];
    const last = curve.at(-1);
    if (last && Math.floor(at / 1000 / STEP_S) === Math.floor(last[0] / 1000 / STEP_S)) curve.pop();
    if (!last || at >= last[0]) curve.push([at, Number(marked.equity)]);
    data.curves.set(marked.bot, curve.slice(-CURVE));
    return ["books"];
  },
  AlertRaised: () => ["alerts"],
  StateChanged: () => ["sources"],
  SignalRaised: () => [],
};

/** Takes events in; returns which parts are to be drawn again, and which to be read again. */
export function apply(batch) {
  const touched = new Set(batch.flatMap((event) => APPLY[event.kind](event)));
  if (touched.has("chains")) trim();
  return touched;
}
