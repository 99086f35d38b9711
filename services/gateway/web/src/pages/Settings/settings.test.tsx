import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Schemas } from "@/api/client";
import { changed } from "@/api/killSwitch";
import { useMe } from "@/api/shared";
import { problem, sent, show } from "@/test/render";
import { Bots } from "./bots/Bots";
import { Halts, haltOf } from "./limits/Halts";
import { KillSwitchPanel } from "./limits/KillSwitch";
import { Sources } from "./Sources";
import { StrategyForm } from "./StrategyForm";
import { Tokens, tokenBody } from "./Tokens";

const ADMIN = { "GET /api/auth/me": { username: "admin", role: "admin", expires_at: "2027-01-01T00:00:00Z" } };
const BOTS = { items: [{ id: "demo", name: "Demo", account: "demo", enabled: true, sources: [{ source_type: "llm", enabled: true }] }] };
const ACCOUNTS = { items: [{ id: "demo", name: "Demo", broker: "paper", mode: "paper", bot: "demo" }] };
const KILL = { everything: false, accounts: [], bots: ["other"], by: "", reason: "", at: null };
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));

describe("the kill switch", () => {
  it("changes one part and leaves the others", () => {
    expect(changed(KILL, { scope: { kind: "bots", id: "demo" }, stop: true }, "odd")).toEqual({ everything: false, accounts: [], bots: ["other", "demo"], reason: "odd" });
    expect(changed(KILL, { scope: { kind: "bots", id: "other" }, stop: false }, "")).toMatchObject({ bots: [] });
    expect(changed(KILL, { scope: { kind: "everything" }, stop: true }, "")).toMatchObject({ everything: true, bots: ["other"] });
  });

  it("stops everything only after STOP was typed", async () => {
    const answers = { ...ADMIN, "GET /api/kill-switch": KILL, "GET /api/bots": BOTS, "GET /api/accounts": ACCOUNTS, "PUT /api/kill-switch": KILL };
    show(<KillSwitchPanel />, answers);
    await press("Stop everything");
    const dialog = within(await screen.findByRole("dialog"));
    const stop = dialog.getByRole("button", { name: "Stop everything" });
    expect(stop).toBeDisabled();
    await userEvent.type(dialog.getByRole("textbox", { name: "Type STOP to confirm" }), "STOP");
    await userEvent.type(dialog.getByRole("textbox", { name: /Why/ }), "odd prices");
    await userEvent.click(stop);
    await waitFor(() => expect(sent("PUT")[0]?.body).toEqual({ everything: true, accounts: [], bots: ["other"], reason: "odd prices" }));
  });
});

const alert = (over: Partial<Schemas["AlertView"]>): Schemas["AlertView"] => ({
  id: "a1", severity: "critical", code: "key_halted", about: "key:demo/BTC/USD", service: "executor", active: true, at: "2026-08-03T16:00:00Z",
  message: "demo is halted. Look at the log, then clear the halt naming the next number, 17 or higher.", ...over,
});

describe("halts", () => {
  it("are read from alerts", () => {
    expect(haltOf(alert({}))).toMatchObject({ bot: "demo", symbol: "BTC/USD", next: 17 });
    expect(haltOf(alert({ code: "bot_halted", about: "bot:demo", message: "lost too much" }))).toMatchObject({ bot: "demo", symbol: "*", next: 1 });
    expect(haltOf(alert({ code: "late_fill" }))).toBeNull();
    expect(haltOf(alert({ active: false }))).toBeNull();
  });

  it("are cleared by their name, with the number that the alert says", async () => {
    const told = { bot: "demo", symbol: "BTC/USD", next_sequence: 17 };
    let halted = [alert({})];
    const clear = () => ((halted = []), told);
    show(<Halts />, { ...ADMIN, "GET /api/bots": BOTS, "GET /api/alerts": () => ({ items: halted }), "POST /api/bots/demo/clear-halt": clear });
    await press("Clear…");
    const dialog = within(await screen.findByRole("dialog"));
    expect(dialog.getByRole("button", { name: "Clear the halt" })).toBeDisabled();
    await userEvent.type(dialog.getByRole("textbox", { name: "Type demo/BTC/USD to confirm" }), "demo/BTC/USD");
    await userEvent.click(dialog.getByRole("button", { name: "Clear the halt" }));
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ symbol: "BTC/USD", next_sequence: 17 }));
    expect(sent("POST")[0]?.headers.get("idempotency-key")).toMatch(/^[0-9a-f]{32}$/);
    await screen.findByText(/Nothing is halted/);
  });
});

describe("API tokens", () => {
  const token = { id: "t1", name: "mine", scopes: ["read"], created_by: "admin", created_at: "2026-08-03T16:00:00Z", expires_at: "2027-08-03T16:00:00Z" };

  it("end with the day that was picked", () => {
    const body = tokenBody({ name: " mine ", scopes: ["read"], day: "2026-12-31" });
    expect(body).toMatchObject({ name: "mine", scopes: ["read"], expires_at: new Date("2027-01-01T00:00:00").toISOString() });
    expect(tokenBody({ name: "mine", scopes: ["read"], day: null })).not.toHaveProperty("expires_at");
  });

  it("are shown once", async () => {
    show(<Tokens />, { ...ADMIN, "GET /api/tokens": { items: [] }, "POST /api/tokens": { ...token, token: "sbx_once" } });
    await press("New token");
    await userEvent.type(await screen.findByRole("textbox", { name: /Name/ }), "mine");
    await userEvent.click(screen.getByRole("checkbox", { name: /Raise signals/ }));
    await press("Make the token");
    await screen.findByText("sbx_once");
    await userEvent.keyboard("{Escape}"); // a slip does not take it away
    expect(screen.getByText("sbx_once")).toBeVisible();
    expect(sent("POST")[0]?.body).toEqual({ name: "mine", scopes: ["read", "signals:write"] });
    await press("I have it");
    await waitFor(() => expect(screen.queryByText("sbx_once")).toBeNull());
  });

  it("tell what the gateway objects to", async () => {
    const errors = [{ field: "expires_at", message: "is too far" }];
    show(<Tokens />, { ...ADMIN, "GET /api/tokens": { items: [] }, "POST /api/tokens": () => problem(422, "does not fit", { errors }) });
    await press("New token");
    await userEvent.type(await screen.findByRole("textbox", { name: /Name/ }), "mine");
    await press("Make the token");
    await screen.findByText("Is too far.");
  });

  it("are nothing for traders", async () => {
    const Known = () => <><Tokens /><output>{useMe().data?.role}</output></>;
    show(<Known />, { "GET /api/auth/me": { username: "t", role: "trader", expires_at: "2027-01-01T00:00:00Z" } });
    await screen.findByText("trader");
    expect(screen.getByText(/Only an admin/)).toBeVisible();
    expect(sent().filter((one) => one.path === "/api/tokens")).toEqual([]);
  });
});

describe("the card of a bot", () => {
  it("shows what was set without rounding", async () => {
    const bot = { ...BOTS.items[0], policy: {}, sizing: { kind: "volatility_target", risk: "0.07" }, limits: { halt_daily_loss: "0.025" } };
    const small = { ...bot, id: "small", sizing: { kind: "percent_of_equity", fraction: "0.004" } };
    show(<Bots />, { ...ADMIN, "GET /api/bots": { items: [bot, small] }, "GET /api/accounts": ACCOUNTS });
    expect(await screen.findByText("risks 7% of the equity")).toBeVisible();
    expect(screen.getByText("0.4% of the equity")).toBeVisible();
    expect(screen.getAllByText("2.5% loss of a day")).toHaveLength(2);
  });
});

it("a bot that is halted or stopped is not shown as on", async () => {
  const bots = ["free", "halted", "stopped"].map((id) => ({ ...BOTS.items[0], id, name: id, enabled: true, account: id, policy: {} }));
  const answers = { "GET /api/bots": { items: bots }, "GET /api/accounts": ACCOUNTS, "GET /api/alerts": { items: [{ about: "bot:halted" }] } };
  show(<Bots />, { ...ADMIN, ...answers, "GET /api/kill-switch": { everything: false, accounts: ["stopped"], bots: [] } });
  expect(await screen.findByRole("link", { name: "Halted" })).toHaveAttribute("href", "/settings/limits");
  const states = ["free", "halted", "stopped"].map((id) => /On$|Halted|Stopped|On(?=Listens)/.exec(screen.getByRole("article", { name: `Bot ${id}` }).textContent ?? "")?.[0]);
  expect(states).toEqual(["On", "Halted", "Stopped"]);
});

describe("sources", () => {
  it("are switched one by one, after a question", async () => {
    const flags = { quantconnect: true, llm: true, strategy: true, external: true, manual: true };
    show(<Sources />, { ...ADMIN, "GET /api/flags": flags, "GET /api/bots": BOTS, "PUT /api/flags": { ...flags, llm: false } });
    await press("Switch off: AI");
    expect(sent("PUT")).toEqual([]);
    await press("Switch off");
    await waitFor(() => expect(sent("PUT")[0]?.body).toEqual({ llm: false }));
  });
});

describe("the form of a strategy", () => {
  const kinds = { items: [{ id: "rsi-reversion", parameters: { period: "14", low: "30", high: "70" } }, { id: "sma-cross", parameters: { fast: "10", slow: "30" } }] };
  const found = { id: "mine", strategy: "sma-cross", symbols: ["AAPL"], interval: "1m", parameters: { fast: "5" }, active: true };

  it("sends what was changed, and does not switch it on again", async () => {
    show(<StrategyForm strategy={found} onDone={vi.fn()} />, { "GET /api/strategies/kinds": kinds, "POST /api/strategies": found });
    const slow = await screen.findByRole("textbox", { name: "Slow" });
    expect(slow).toHaveAttribute("placeholder", "30");
    await userEvent.type(slow, "20");
    await press("Save");
    await waitFor(() => expect(sent("POST")).toHaveLength(1));
    expect(sent("POST")[0]?.body).toEqual({ id: "mine", parameters: { fast: "5", slow: "20" } });
  });
});
