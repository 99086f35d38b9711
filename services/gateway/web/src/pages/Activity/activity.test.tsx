import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { advice } from "@/advice";
import { fileOf } from "@/components/DataTable";
import { spanOf } from "@/components/DateFilter";
import { problem, sent, show } from "@/test/render";
import { Alerts } from "@/pages/Home/Alerts";
import { Orders } from "./Orders";
import { clock, howMany, Pending, timeLeft } from "./Pending";
import { Positions, result } from "./Positions";

const NOW = "2026-08-03T16:00:00Z";
const TRADER = { "GET /api/auth/me": { username: "t", role: "trader", expires_at: "2027-01-01T00:00:00Z" } };
const MARKET = { "GET /api/market": { now: NOW, wall: NOW, epoch: 0, replay: true, frozen: true, speed: 60 } };
const VERDICT = {
  id: "v1", signal_id: "s1", bot: "demo", account: "demo", symbol: "AAPL", source_type: "llm", source_id: "mine", action: "buy", confidence: "0.7",
  round: 0, outcome: "pending", reason: "awaits_approval", explanation: "Waits.", rule: "", evaluated_at: NOW, valid_until: "2026-08-03T17:00:00Z", current: true,
};
const POSITION = {
  bot: "demo", account: "demo", symbol: "BTC/USD", quantity: "0.5", average_price: "100", realised_pnl: "0", at: NOW,
  lots: [{ id: "l1", bot: "demo", account: "demo", symbol: "BTC/USD", source_type: "llm", source_id: "mine", quantity: "0.5", entry_price: "100", order_id: "o1", opened_at: NOW }],
};
const lost = () => {
  throw new TypeError("connection lost");
};
const keys = () => sent("POST").map((one) => one.headers.get("idempotency-key"));
/** Asks for it, says yes, and closes the dialog again after nobody answered. */
async function confirmed(asked: string, yes: string): Promise<void> {
  await press(asked);
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.click(dialog.getByRole("button", { name: yes }));
  await dialog.findByText(/cannot be reached/);
  await userEvent.click(dialog.getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
}
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));

describe("lists", () => {
  it("have their file under the same filters", () => {
    expect(fileOf("/api/orders.csv", { bot: "demo", final: false, state: undefined })).toBe("/api/orders.csv?bot=demo&final=false");
    expect(fileOf("/api/orders.csv", {})).toBe("/api/orders.csv");
  });

  it("of a day hold the whole of it", () => {
    const { from, to } = spanOf("2026-08-03", "2026-08-03");
    expect(from).toBe(new Date("2026-08-03T00:00:00").toISOString());
    expect(to).toBe(new Date("2026-08-04T00:00:00").toISOString());
    expect(spanOf(undefined, "nonsense")).toEqual({ from: undefined, to: undefined });
  });

  it("say times and advice in words", () => {
    expect([clock(5), clock(125), clock(3725)]).toEqual(["0:05", "2:05", "1:02:05"]);
    expect(advice("low_confidence")).toContain("threshold");
    expect(advice("unheard_of")).toBe("");
  });
});

describe("what waits for a person", () => {
  const answers = (more: object) => ({ ...TRADER, ...MARKET, "GET /api/verdicts/pending": { items: [VERDICT] }, ...more });

  it("says how long, in the time of a person: an hour of a replay 60 times as fast is a minute", async () => {
    expect(timeLeft(VERDICT.valid_until, new Date(NOW), 60)).toBe(60);
    expect(timeLeft(VERDICT.valid_until, new Date("2026-08-04T00:00:00Z"), 1)).toBe(0);
    show(<Pending />, answers({}));
    await screen.findByText("1:00 left");
  });

  it("is read by what is urgent, and counted", async () => {
    const items = Array.from({ length: 200 }, (_, number) => ({ ...VERDICT, id: `v${number}`, symbol: `S${number}` }));
    show(<><Pending /><Alerts /></>, answers({ "GET /api/verdicts/pending": { items, next_cursor: "more" }, "GET /api/alerts": { items: [] } }));
    await screen.findByText("The 50 most urgent of 200 and more");
    expect(await screen.findByText("200+ signals wait for your answer")).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "Answer" })).toHaveAttribute("href", "/activity/verdicts");
    expect(screen.getByText("Nothing is wrong.")).toBeInTheDocument();
    const shown = screen.getAllByRole("article");
    expect([shown.length, shown[0]?.textContent?.includes("S0"), shown[49]?.textContent?.includes("S49")]).toEqual([50, true, true]);
    expect(sent("GET").filter((one) => one.path === "/api/verdicts/pending")).toHaveLength(1);
    expect([howMany({ items: [] }), howMany({ items: [1] }), howMany({ items: [1, 2] })]).toEqual(["", "1 waits", "2 wait"]);
  });

  it.each([
    ["Approve", "/api/verdicts/v1/approve"],
    ["Decline", "/api/verdicts/v1/decline"],
  ])("%s asks first, then acts once and says what came of it", async (verb, path) => {
    show(<Pending />, answers({ [`POST ${path}`]: { verdict_id: "v2", outcome: "accepted", reason: "approved", explanation: "A person approved it." } }));
    await press(verb);
    expect(sent("POST")).toEqual([]);
    await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: verb }));
    await waitFor(() => expect(sent("POST").map((one) => one.path)).toEqual([path]));
    expect(sent("POST")[0]?.headers.get("idempotency-key")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is answered once, also when the answer was lost and the dialog opened again", async () => {
    show(<Pending />, answers({ "POST /api/verdicts/v1/approve": lost }));
    for (const _time of [1, 2]) await confirmed("Approve", "Approve");
    const [first, second] = keys();
    expect([first, second]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), first]);
  });

  it("stays on the screen with the reason when it is too late", async () => {
    show(<Pending />, answers({ "POST /api/verdicts/v1/approve": () => problem(409, "it does not wait any more") }));
    await press("Approve");
    await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Approve" }));
    await screen.findByText("it does not wait any more");
  });
});

describe("orders", () => {
  it("say what they ask for beside their side, and what came of it or what they wait for", async () => {
    for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is shown
    const order = { ...VERDICT, reason: "", side: "buy", purpose: "entry", filled: "0", state: "accepted", final: false, message: "", created_at: NOW, kind: "market" };
    const items = [
      { ...order, id: "o1" },
      { ...order, id: "o2", kind: "limit", limit_price: "101.25" },
      { ...order, id: "o3", kind: "stop", side: "sell", stop_price: "95" },
      { ...order, id: "o4", side: null, state: "denied", final: true, reason: "daily_loss" },
      { ...order, id: "o5", filled: "2", average_price: "101.2", state: "filled", final: true },
      { ...order, id: "o6", kind: "limit", limit_price: "99", filled: "1", average_price: "98.5", state: "partially_filled" },
      { ...order, id: "o7", kind: "stop", side: "sell", stop_price: "95", state: "submitting" },
    ];
    show(<Orders />, { ...TRADER, "GET /api/bots": { items: [] }, "GET /api/orders": { items } });
    const rows = await screen.findAllByRole("row", { name: /AAPL of demo$/ });
    const asks = rows.map((row) => within(row).getAllByRole("cell")[3]?.textContent);
    expect(asks).toEqual(["Buy", "Buy limit 101.25", "Sell stop 95.00", "–", "Buy", "Buy limit 99.00", "Sell stop 95.00"]);
    expect(rows.map((row) => within(row).getAllByRole("cell")[5]?.textContent)).toEqual([
      "Waits for the market: a fresh quote, or the open session.",
      "Waits for its price or a better one.",
      "Rests at the broker to protect its lot.",
      "Daily loss",
      "2 at 101.20",
      "1 at 98.50 · Waits for its price or a better one.",
      "Not with the broker yet.",
    ]);
  });
});

describe("positions", () => {
  const answers = (more: object) => ({ ...TRADER, "GET /api/positions": { items: [POSITION] }, ...more });

  it("are flattened after a typed word", async () => {
    show(<Positions />, answers({ "POST /api/bots/demo/flatten": { orders: ["o2"] } }));
    await press(/Flatten a bot/);
    await userEvent.click(await screen.findByRole("menuitem", { name: "demo" }));
    const dialog = within(await screen.findByRole("dialog"));
    expect(dialog.getByRole("button", { name: "Flatten" })).toBeDisabled();
    await userEvent.type(dialog.getByRole("textbox"), "FLATTEN");
    await userEvent.click(dialog.getByRole("button", { name: "Flatten" }));
    await waitFor(() => expect(sent("POST").map((one) => one.path)).toEqual(["/api/bots/demo/flatten"]));
  });

  it("are closed once each: one that was opened again is another", async () => {
    const again = { ...POSITION, lots: POSITION.lots.map((lot) => ({ ...lot, id: "l2" })) };
    for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is shown
    let held = POSITION;
    const lose = answers({ "GET /api/positions": () => ({ items: [held] }), "POST /api/positions/demo/BTC%2FUSD/close": lost });
    const page = show(<Positions />, lose);
    for (const _time of [1, 2]) await confirmed("Close BTC/USD of demo", "Close the position");
    const [first, second] = keys();
    expect([first, second]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), first]);
    page.unmount();
    held = again;
    show(<Positions />, lose);
    await confirmed("Close BTC/USD of demo", "Close the position");
    expect(keys()).not.toContain(first);
  });

  it("in two accounts are told apart, and closed together", async () => {
    for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is shown
    const bare = { ...POSITION, lots: [] };
    const items = [{ ...bare, account: "left", quantity: "2" }, bare, { ...bare, bot: "other", account: "other" }];
    show(<Positions />, answers({ "GET /api/positions": { items }, "POST /api/positions/demo/BTC%2FUSD/close": { orders: ["o"] } }));
    expect(await screen.findByRole("button", { name: "Close BTC/USD of other" })).toBeInTheDocument();
    await press("Close BTC/USD of demo on left");
    expect(await screen.findByText(/^All 2 BTC\/USD of bot demo on left and 0.5 BTC\/USD of bot demo on demo is closed/)).toBeInTheDocument();
  });

  it("say what came of closing", () => {
    expect(result(0)).toBe("There was nothing to close.");
    expect(result(1)).toContain("One order is");
    expect(result(3)).toContain("3 orders are");
  });
});
