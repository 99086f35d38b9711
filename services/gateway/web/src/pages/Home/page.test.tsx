// What stands on the overview: every figure, state and link, from fixed answers.

import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show } from "@/test/render";
import Home from ".";

vi.mock("@/components/Chart", () => ({ Chart: () => null })); // a canvas, which jsdom has not

const AT = "2026-08-03T16:00:00Z";
const BOT_DAY = {
  bot: "demo", account: "demo", at: AT, equity: "100812.40", realised_pnl: "700", unrealised_pnl: "112.40", exposure_gross: "5000",
  pnl_today: "-187.60", pnl_today_share: "-0.0019", open_positions: 2, drawdown: "0.01",
};
const LOT = { id: "l1", bot: "demo", account: "demo", symbol: "AAPL", source_type: "llm", source_id: "demo-openai", quantity: "3", entry_price: "200", order_id: "o", opened_at: AT };
const POSITION = {
  bot: "demo", account: "demo", symbol: "AAPL", quantity: "3", average_price: "200", mark_price: "210.5", unrealised_pnl: "31.5", realised_pnl: "0", at: AT,
  lots: [LOT, { ...LOT, id: "l2", source_type: "strategy", source_id: "ema" }],
};
const compared = (source_type: string, name: string, pnl: string, more: object = {}) => ({
  source_type, name, realised_pnl: pnl, fees: "1", llm_cost: "0", pnl_after_cost: pnl, trades: 40, fills: 80, hit_rate: "0.6", hit_rate_low: "0.45",
  hit_rate_high: "0.74", expectancy: "2.5", days: 5, enough: true, max_drawdown: "0.031", missing: {}, ...more,
});
const MODEL = {
  config_id: "m", name: "My model", provider: "openai", model: "gpt-5.4-mini", target: "real", is_active: true, connected: true, last_ok_at: AT,
  last_error: null, decisions_today: 12, cost_today_usd: "0.34",
};
const CONNECTION = {
  config_id: "q", name: "My desk", target: "sandbox", is_active: true, connected: false, last_ok_at: AT, last_error: "The token was refused.",
  algorithms: [{ id: "7", config_id: "q", name: "Trend", status: "Running" }, { id: "8", config_id: "q", name: "Old", status: "Stopped" }],
};
const STRATEGY = { id: "ema-1m", strategy: "sma-cross", symbols: ["AAPL"], interval: "1m", active: true, status: "running", problem: null };
const budget = (period: string, spent: string, limit: string) => ({
  scope: "total", period, key: "k", limit_usd: limit, spent_usd: spent, reserved_usd: "0", unknown_usd: "0", left_usd: "1",
});
const ANSWERS = {
  "GET /api/equity/today": { day: "2026-08-03T00:00:00Z", total: BOT_DAY, bots: [BOT_DAY] },
  "GET /api/equity": { items: [] },
  "GET /api/bots": { items: [{ id: "demo", account: "demo", enabled: true }] },
  "GET /api/kill-switch": { everything: false, accounts: [], bots: [] },
  "GET /api/alerts": { items: [] },
  "GET /api/positions": { items: [POSITION] },
  "GET /api/verdicts": { items: [] },
  "GET /api/verdicts/pending": { items: [] },
  "GET /api/quantconnect/status": { items: [CONNECTION] },
  "GET /api/ai-trading/status": { items: [MODEL] },
  "GET /api/strategies": { items: [STRATEGY] },
  "GET /api/flags": { strategy: true, llm: true, quantconnect: true, external: false, manual: true },
  "GET /api/performance/comparison": {
    items: [compared("llm", "AI", "120.5", { llm_cost: "3.21" }), compared("strategy", "classic", "-44"), compared("quantconnect", "QuantConnect", "0")],
    best: null, statement: "Too few to say which is best.",
  },
  "GET /api/ai-trading/budgets": { items: [budget("day", "0.34", "1"), budget("month", "8.5", "20")] },
};

describe("the overview shows", () => {
  beforeEach(() => {
    for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is drawn
    show(<Home />, ANSWERS);
  });

  it.each([
    ["Equity", "$100,812.40"],
    ["P&L today", "-$187.60-0.19%"],
    ["Unrealised P&L", "+$112.40"],
    ["Open positions", "2$5,000.00 at stake"],
    ["Trading", "On1 may trade"],
  ])("%s: %s", async (name, text) => {
    await waitFor(() => expect(screen.getByRole("region", { name })).toHaveTextContent(text));
  });

  it("a position with its gain and its owners", async () => {
    const cells = within(await screen.findByRole("row", { name: /^AAPL of demo, 3/ })).getAllByRole("cell").map((cell) => cell.textContent);
    expect(cells).toEqual(["AAPL", "demo", "3", "+$31.50", "200.00", "210.50", "AI demo-openai and 1 more"]);
  });

  it("every source and whether it can speak", async () => {
    const sources = await screen.findByRole("group", { name: "Sources and their states" });
    await within(sources).findByText("My desk");
    await within(sources).findByText("ema-1m");
    for (const words of ["My desk", "Not connected", "1 of 2 algorithms running", "The token was refused.", "My model", "Connected", "12 decisions today for $0.34", "Running", "sma-cross on 1m bars of AAPL", "Switched off for all bots: External."])
      expect(sources).toHaveTextContent(words);
  });

  it("AI against classic, after costs", async () => {
    const cells = async (name: RegExp) => {
      const table = await screen.findByRole("table", { name: "AI against classic strategies" });
      const found = (await within(table).findAllByRole("row")).find((one) => name.test(one.textContent ?? ""));
      return found && within(found).getAllByRole("cell").map((cell) => cell.textContent);
    };
    expect(await cells(/^AI/)).toEqual(["AI", "+$120.50", "$3.21", "40", "60% (45% to 74%)", "+$2.50", "-3.10%"]);
    expect((await cells(/^Classic/))?.slice(0, 2)).toEqual(["Classic", "-$44.00"]);
    expect(screen.getByText("Too few to say which is best.")).toBeInTheDocument();
  });

  it("what models have cost, against the budget", async () => {
    expect(await screen.findByRole("group", { name: "Today" })).toHaveTextContent("$0.34 of $1.00");
    expect(screen.getByRole("progressbar", { name: "Today: 34 % used" })).toBeInTheDocument();
    expect(screen.getByRole("group", { name: "This month" })).toHaveTextContent("$8.50 of $20.00");
  });

  it.each([
    [/^QuantConnect.*1 of 2 algorithms running/, "/quantconnect"],
    [/^AI trading.*1 active model, 12 decisions today/, "/ai-trading"],
    ["All alerts", "/activity/alerts?active=true"],
    ["Close or flatten", "/activity/positions"],
    ["All verdicts", "/activity/verdicts"],
    ["Costs", "/ai-trading/costs"],
    ["Source by source", "/activity/trades"],
  ])("the way %s leads to %s", async (name, href) => {
    expect(await screen.findByRole("link", { name })).toHaveAttribute("href", href);
  });
});
