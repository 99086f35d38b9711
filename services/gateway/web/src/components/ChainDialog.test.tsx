import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useLive } from "@/api/live";
import { problem, show } from "@/test/render";
import { streaming } from "@/test/stream";
import { ChainDialog } from "./ChainDialog";

const AT = "2026-08-03T16:00:00Z";
const ORDER = {
  id: "o1", intent_id: "i", bot: "demo", account: "demo", mode: "paper", symbol: "AAPL", side: "buy", purpose: "entry", leg: 0, attempt: 0, kind: "market",
  limit_price: null, stop_price: null, quantity: "5", filled: "0", state: "accepted", final: false, reason: "", message: "", source_type: "manual", source_id: "ann",
  signal_id: null, broker: "alpaca", broker_order_id: "b", created_at: AT, updated_at: AT, steps: [], trades: [],
};
const VERDICT = {
  id: "v1", signal_id: "s1", bot: "demo", account: "demo", symbol: "AAPL", source_type: "llm", source_id: "m", action: "buy", confidence: "0.7", round: 0,
  outcome: "accepted", reason: "accepted", explanation: "Nobody objects.", rule: "", evaluated_at: AT, valid_until: AT, current: true,
};
const SIGNAL = {
  id: "s1", source_type: "llm", source_id: "m", own_id: "1", symbol: "AAPL", action: "buy", confidence: "0.7", confidence_origin: "source", raised_at: AT,
  valid_until: AT, target: "sandbox", epoch: 0,
};
const chain = (more: object) => ({ signal: null, verdicts: [], orders: [], lots: [], outcomes: [], ...more });
const opened = (answer: unknown) => show(<ChainDialog />, { "GET /api/chains/x": answer }, "/?chain=x");

function Live() {
  useLive();
  return <ChainDialog />;
}

describe("the dialog of a chain", () => {
  it.each([
    ["a person's order", chain({ orders: [ORDER] }), "A person's own order"],
    ["a stop that fires", chain({ orders: [{ ...ORDER, purpose: "protective", source_type: "llm" }] }), "Protective exit"],
    ["an order that nobody here asked for", chain({ orders: [{ ...ORDER, source_type: "external" }] }), "Order without a signal"],
    ["an order whose signal is still to come", chain({ orders: [{ ...ORDER, signal_id: "s1" }] }), "Chain"],
    ["a signal", chain({ signal: SIGNAL }), "BUY AAPL"],
  ])("names %s", async (_what, answer, title) => {
    opened(answer);
    expect(await screen.findByRole("dialog", { name: title })).toBeInTheDocument();
  });

  it.each([
    [{}, "At the market price"],
    [{ kind: "limit", limit_price: "101.25" }, "Limit 101.25 or better"],
    [{ kind: "stop", stop_price: "95", side: "sell" }, "Stop 95.00, resting at the broker"],
    [{ kind: "stop", stop_price: "95", side: "sell", state: "filled", final: true }, "Stop 95.00, at the broker"],
  ])("says of %o what it asks for", async (order, words) => {
    opened(chain({ orders: [{ ...ORDER, ...order }] }));
    expect(await screen.findByText(words)).toBeInTheDocument();
  });

  it("shows an instant among the numbers of a verdict as a time", async () => {
    opened(chain({ verdicts: [{ ...VERDICT, numbers: { expired_at: "2026-08-03T15:00:00.598260+00:00", threshold: "0.6" } }] }));
    expect((await screen.findByText("Expired at")).nextElementSibling?.querySelector("time")).toHaveAttribute("title", "2026-08-03 15:00:00 UTC");
    expect(screen.getByText("Threshold").nextElementSibling).toHaveTextContent("0.6");
  });

  it("says that a signal is still to come, and shows it when it is there", async () => {
    const { newest } = streaming();
    let answer: unknown = problem(404, "there is nothing yet");
    show(<Live />, { "GET /api/chains/x": () => answer }, "/?chain=x");
    expect(await screen.findByText("there is nothing yet")).toBeInTheDocument();
    answer = chain({ verdicts: [VERDICT] });
    newest().tell("VerdictReached");
    expect(await screen.findByText(/The signal itself is not stored here yet/)).toBeInTheDocument();
    answer = chain({ verdicts: [VERDICT], signal: SIGNAL });
    newest().tell("SignalRaised");
    expect(await screen.findByRole("dialog", { name: "BUY AAPL" })).toBeInTheDocument();
    expect(screen.queryByText(/not stored here yet/)).toBeNull();
  });
});
