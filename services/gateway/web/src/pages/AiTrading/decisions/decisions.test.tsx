import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useLive } from "@/api/live";
import { show } from "@/test/render";
import { streaming } from "@/test/stream";
import { became } from "./columns";
import { fileOf } from "@/components/DataTable";
import { DecisionDialog } from "./DecisionDialog";
import { queryOf } from "./Decisions";
import { Plain } from "./Plain";
import { inWords, Snapshot } from "./Snapshot";

describe("filters", () => {
  it("become what the interface takes; the last day counts whole", () => {
    expect(queryOf({ symbol: "aapl", test: "no", action: "buy", outcome: "over_budget", from: "2026-11-20", to: "2026-11-23", q: "RSI" })).toEqual({
      symbol: "AAPL", dry_run: false, action: "buy", outcome: "over_budget", from: new Date(2026, 10, 20).toISOString(), to: new Date(2026, 10, 24).toISOString(), q: "RSI",
    });
  });

  it("leave out what no address should say", () => {
    expect(queryOf({ action: "explode", outcome: "fine", test: "?" })).toMatchObject({ action: undefined, outcome: undefined, dry_run: undefined });
  });

  it("are the same for the file", () => {
    expect(fileOf("/api/ai-trading/decisions.csv", queryOf({ symbol: "brk.b", test: "yes" }))).toBe("/api/ai-trading/decisions.csv?symbol=BRK.B&dry_run=true");
  });
});

it("says what became of a decision", () => {
  const base = { signal_id: null, not_traded: "", outcome: "answered", action: "buy", dry_run: false };
  expect(became({ ...base, signal_id: "s" })).toBe("signal");
  expect(became({ ...base, dry_run: true, not_traded: "dry_run" })).toBe("test, never traded");
  expect(became({ ...base, not_traded: "stale" })).toBe("stale");
  expect(became({ ...base, outcome: "failed" })).toBe("–");
});

it("an open decision hears what follows from it", async () => {
  const { newest } = streaming();
  const Open = () => {
    useLive();
    return <DecisionDialog />;
  };
  const verdicts: object[] = [];
  const decision = {
    id: "d", symbol: "AAPL", outcome: "answered", action: "buy", signal_id: "s", chain: { verdicts, orders: [] }, explanation: "It became a signal.", error_kind: "",
    notes: [], market_data: {}, evidence: [], calls: [], attempts: 1, decided_at: "2026-08-03T16:00:00Z", confidence: "0.7", config_id: "c", prompt_version: "p@1",
  };
  show(<Open />, { "GET /api/ai-trading/decision/d": decision }, "/ai-trading/decisions?decision=d");
  await screen.findByText(/0 verdicts/);
  verdicts.push({});
  newest().tell("VerdictReached");
  await screen.findByText(/1 verdict,/);
});

describe("what others wrote", () => {
  const EVIL = '<img src=x onerror="alert(1)"> <b>Buy now</b>';

  it("stays text in a prompt or an answer", () => {
    show(<Plain label="Words">{EVIL}</Plain>);
    expect(screen.getByLabelText("Words")).toHaveTextContent(EVIL);
    expect(document.querySelector("img, b")).toBeNull();
  });

  it("stays text in the snapshot, and what is cited is marked", () => {
    const data = { price: { last: "210.50", bid: "210.48" }, news: [{ id: "n1", headline: EVIL }], position: {}, rsi: { rsi: "44" } };
    show(<Snapshot data={data} evidence={["AAPL.rsi"]} />);
    expect(screen.getByText("last 210.50 · bid 210.48")).toBeVisible();
    expect(screen.getByText("RSI ★")).toBeVisible();
    expect(screen.queryByText("Position")).toBeNull();
    expect(screen.getByText(/onerror/)).toBeVisible();
    expect(document.querySelector("img, b")).toBeNull();
  });

  it("is spelled out however it is nested", () => {
    expect(inWords({ a: ["x", { b_c: 1 }], d: null })).toBe("a x, b c 1");
  });
});
