import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { problem, sent, show } from "@/test/render";
import { BotForm } from "./BotForm";
import { type Bot, bodyOf, changesOf, formPath, newBody, problemsOf, valuesOf } from "./values";

const BOT: Bot = {
  id: "demo",
  name: "Demo",
  account: "demo",
  enabled: true,
  sources: [{ source_type: "llm", source_id: null, enabled: true }],
  policy: {
    kind: "priority",
    priorities: { manual: 50, quantconnect: 40, llm: 30, external: 20, strategy: 10 },
    thresholds: { llm: "0.6" },
    trust: {},
    consensus_of: 2,
    margin: "0.1",
    hold: "abstain",
    add_on_agreement: false,
    cooldown_s: 0,
  },
  sizing: {
    kind: "fixed_notional", notional: "1000", fraction: "0.02", increment: "0.0001", increments: { "BTC/USD": "0.00001" },
    risk: "0.005", atr_multiple: "2", atr_period: 14, atr_interval: "1d",
  },
  limits: {
    max_order_notional: "10000", max_quantity: null, max_position_notional: "20000", max_open_positions: 20, max_gross_exposure: "100000",
    max_orders_per_minute: 60, max_repeats: 3, max_daily_loss: "0.03", halt_daily_loss: "0.05", max_drawdown: "0.15", loss_streak: 10,
    reject_streak: 5, lock_s: 3600, loss_cooldown_s: 0, restricted: [], source_budgets: { llm: "0.25" }, max_quote_age_s: 60,
    max_spread: "0.01", max_slippage: "0.03", limit_bps: null,
  },
  exits: { stop: null, target: null, trailing: null, hold_s: null },
};
const account = (id: string, mode: string) => ({ id, name: id, broker: mode === "live" ? "alpaca" : "paper", mode, bot: "demo" });
const answers = (save: unknown, mode = "paper") => ({ "GET /api/accounts": { items: [account("demo", mode)] }, "POST /api/bots": save });
const field = (name: string) => screen.getByLabelText(name, { selector: "input" }); // by role a form so large is slow to search
const retype = (name: string, text: string) => fireEvent.change(field(name), { target: { value: text } });
const save = () => userEvent.click(screen.getByText("Save"));

describe("a bot's values", () => {
  it("go out as they came in", () => {
    const { id, ...rest } = BOT;
    expect(id).toBe("demo");
    const same = JSON.parse(JSON.stringify(bodyOf(valuesOf(BOT)))) as Record<string, unknown>;
    for (const part of ["sources", "exits"] as const) expect(same[part]).toEqual(rest[part]);
    expect(same.limits).toMatchObject({ max_daily_loss: "0.03", max_quantity: null, source_budgets: { llm: "0.25" } });
    expect(same.policy).toMatchObject({ priorities: rest.policy?.priorities, thresholds: { llm: "0.6" }, trust: {} });
    expect(same.sizing).toMatchObject({ notional: "1000", increments: { "BTC/USD": "0.00001" } });
  });

  it("send only what was changed", () => {
    const before = valuesOf(BOT);
    const other = changesOf(before, { ...before, priorities: { ...before.priorities, llm: "60" }, exits: { ...before.exits, stop: "2" } });
    expect(other).toEqual({ id: "demo", policy: { priorities: { ...BOT.policy?.priorities, llm: 60 } }, exits: { stop: "0.02" } });
    expect(changesOf(before, { ...before, approval: "manual" })).toEqual({ id: "demo", approval: "manual" });
    expect(changesOf(before, before)).toEqual({ id: "demo" });
  });

  it("of a new bot leave its id to the gateway", () => {
    const body = newBody({ ...valuesOf(BOT), id: " ", account: "" });
    expect(body).toMatchObject({ id: null, account: null, name: "Demo" });
  });

  it("say what is wrong before anything is sent", () => {
    const values = valuesOf(BOT);
    expect(problemsOf(values)).toEqual({});
    const wrong = problemsOf({ ...values, name: "", sources: [], limits: { ...values.limits, max_spread: "wide" }, increments: ["BTC"] });
    expect(Object.keys(wrong).sort()).toEqual(["increments", "limits.max_spread", "name", "sources"]);
  });

  it.each([
    ["policy.thresholds.llm", "thresholds.llm"],
    ["policy.times_to_live_s.llm", "lives.llm"],
    ["limits.source_budgets.llm", "budgets.llm"],
    ["limits.max_spread", "limits.max_spread"],
    ["symbols.3", "symbols"],
  ])("has a field for %s", (name, path) => expect(formPath(name)).toBe(path));
});

describe("the form of a bot", () => {
  it("sends per cent as a fraction, and no limit that nobody touched", async () => {
    const onDone = vi.fn();
    show(<BotForm bot={BOT} isNew={false} onDone={onDone} />, answers({ ...BOT }));
    retype("Loss of a day", "2.5");
    await save();
    await waitFor(() => expect(onDone).toHaveBeenCalled());
    const body = sent("POST")[0]?.body;
    expect(body).toEqual({ id: "demo", limits: { max_daily_loss: "0.025" } });
  });

  it("makes entries limit orders, and market orders again", async () => {
    const onDone = vi.fn();
    const { unmount } = show(<BotForm bot={BOT} isNew={false} onDone={onDone} />, answers({ ...BOT }));
    retype("Limit of entries", "15");
    await save();
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "demo", limits: { limit_bps: "15" } }));
    unmount();
    show(<BotForm bot={{ ...BOT, limits: { ...BOT.limits, limit_bps: "15" } }} isNew={false} onDone={onDone} />, answers({ ...BOT }));
    retype("Limit of entries", "");
    await save();
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "demo", limits: { limit_bps: null } }));
  });

  it("shows the gateway's objection at its field", async () => {
    const errors = [{ field: "limits.max_spread", message: "must be at most 1" }, { field: "policy.thresholds.llm", message: "is too high" }];
    const onDone = vi.fn();
    show(<BotForm bot={BOT} isNew={false} onDone={onDone} />, answers(() => problem(422, "limits.max_spread: must be at most 1", { errors })));
    retype("Spread", "200");
    await save();
    await screen.findByText("Must be at most 1.");
    expect(field("Spread")).toBeInvalid();
    expect(field("Least confidence of AI")).toBeInvalid();
    expect(onDone).not.toHaveBeenCalled();
  });

  it("sends nothing while a number is none", async () => {
    show(<BotForm bot={BOT} isNew={false} onDone={vi.fn()} />, answers(BOT));
    retype("One order", "much");
    retype("Loss of a day", "2,5");
    await save();
    expect(await screen.findAllByText("This is no number.")).toHaveLength(2);
    expect(sent("POST")).toEqual([]);
  });

  it("lets a bot trade real money only after a typed word", async () => {
    show(<BotForm bot={BOT} isNew={false} onDone={vi.fn()} />, answers(BOT, "live"));
    await userEvent.click(await screen.findByRole("switch", { name: "May trade real money" }));
    await save();
    const confirm = await screen.findByRole("button", { name: "Switch on" });
    expect(confirm).toBeDisabled();
    expect(sent("POST")).toEqual([]);
    await userEvent.type(field("Type LIVE to confirm"), "LIVE");
    await userEvent.click(confirm);
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "demo", live: true }));
  });

  it("offers no switch to real money on a paper account", async () => {
    show(<BotForm bot={BOT} isNew={false} onDone={vi.fn()} />, answers(BOT));
    await screen.findByDisplayValue("demo (paper)"); // the accounts are read
    expect(screen.queryByRole("switch", { name: "May trade real money" })).toBeNull();
  });

  it("trades no real money after a change to a paper account, whatever was switched on before", async () => {
    const accounts = { items: [account("demo", "live"), { ...account("toy", "paper"), bot: null }] };
    show(<BotForm bot={BOT} isNew={false} onDone={vi.fn()} />, { ...answers(BOT), "GET /api/accounts": accounts });
    await userEvent.click(await screen.findByRole("switch", { name: "May trade real money" }));
    await userEvent.click(field("Account"));
    await userEvent.click(await screen.findByText("toy (paper)"));
    await save();
    await waitFor(() => expect(sent("POST")[0]?.body).toEqual({ id: "demo", account: "toy" }));
  });
});
