import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { sent, show } from "@/test/render";
import { Overview } from "./Overview";

const ROOT = "/api/quantconnect";
const AT = "2026-08-03T16:00:00Z";
const ALGORITHMS = [
  { id: "8", config_id: "desk", name: "Mean reversion", status: "Stopped", fetched_at: AT },
  { id: "7", config_id: "desk", name: "Trend", status: "Running", deploy_id: "L-1", fetched_at: AT, performance: { equity: "101234.5", return: "0.0123" } },
];
const STATUS = {
  config_id: "desk", name: "My desk", target: "sandbox", is_active: true, connected: true, last_ok_at: AT, last_error: null, algorithms: ALGORITHMS,
};
const SIGNAL = { id: "s1", config_id: "desk", symbol: "AAPL", signal: "buy", confidence: "0.7", price: "210.5", timestamp: AT, processed: false, created_at: AT };
const EARNED = { source_type: "quantconnect", source_id: "7", realised_pnl: "55.5", fees: "2", trades: 9, fills: 18, gross_profit: "80", gross_loss: "24.5", wins: 6, losses: 3, win_rate: "0.6667" };
const answers = (role: string) => ({
  "GET /api/auth/me": { username: "ann", role, expires_at: "2030-01-01T00:00:00Z" },
  [`GET ${ROOT}/status`]: { items: [STATUS, { ...STATUS, config_id: "other", name: "Other", connected: false, last_error: "The token was refused.", algorithms: [] }] },
  [`GET ${ROOT}/algorithms`]: { items: ALGORITHMS, problems: [] },
  [`GET ${ROOT}/signals`]: { items: [SIGNAL] },
  "GET /api/performance": { items: [EARNED] },
  "GET /api/performance/comparison": { items: [{ source_type: "quantconnect", realised_pnl: "55.5", trades: 9 }], statement: "" },
  [`POST ${ROOT}/algorithms/7/stop`]: { ...ALGORITHMS[1], status: "Stopped" },
});

/** The cells of the rows of a table, from above. */
const table = async (name: string) =>
  (await within(await screen.findByRole("table", { name })).findAllByRole("row")).slice(1).map((row) => within(row).getAllByRole("cell").map((cell) => cell.textContent));

describe("the overview of QuantConnect", () => {
  beforeEach(() => {
    for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is drawn
  });

  it.each([
    ["Accounts connected", "1 of 2"],
    ["Active algorithms", "1"],
    ["Not processed", "1Look"],
    ["Realised profit", "+$55.509 closed"],
  ])("counts %s: %s", async (name, value) => {
    show(<Overview />, answers("trader"));
    await waitFor(() => expect(screen.getByRole("region", { name })).toHaveTextContent(value));
  });

  it("shows what runs first, as it stands, and says why an account cannot be read", async () => {
    show(<Overview />, answers("trader"));
    expect(await screen.findByText("The token was refused.")).toBeInTheDocument();
    const rows = (await table("Algorithms")).map((cells) => cells.slice(0, 4));
    expect(rows).toEqual([["Trend", "Running", "$101,234.50", "+1.23%"], ["Mean reversion", "Stopped", "–", "–"]]);
    expect((await table("Performance by algorithm"))[0]?.slice(0, 5)).toEqual(["Trend", "+$55.50", "$2.00", "9", "67%"]);
  });

  it("an algorithm can be viewed, started, and stopped after a question", async () => {
    show(<Overview />, answers("trader"));
    expect(await screen.findByRole("link", { name: "Trend" })).toHaveAttribute("href", "/quantconnect/algorithms?open=desk:7");
    expect(await screen.findByRole("button", { name: "Deploy Mean reversion" })).toBeEnabled();
    await userEvent.click(screen.getByRole("button", { name: "Stop Trend" }));
    expect(sent("POST")).toEqual([]);
    await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Stop it" }));
    await waitFor(() => expect(sent("POST").map(({ path, query }) => [path, query.config])).toEqual([[`${ROOT}/algorithms/7/stop`, "desk"]]));
    await userEvent.click(screen.getByRole("button", { name: "Deploy Mean reversion" }));
    expect(await screen.findByRole("dialog", { name: /Mean reversion/ })).toBeInTheDocument();
  });

  it("who may only look is offered nothing to do", async () => {
    show(<Overview />, answers("viewer"));
    await screen.findByRole("link", { name: "Trend" });
    for (const name of ["Stop Trend", "Deploy Mean reversion"]) expect(screen.queryByRole("button", { name })).toBeNull();
  });

  it.each([
    ["Configure", "/quantconnect/configuration"],
    ["All algorithms", "/quantconnect/algorithms"],
    ["All signals", "/quantconnect/signals"],
    ["Look", "/quantconnect/signals?processed=no"],
  ])("the way %s leads to %s", async (name, href) => {
    show(<Overview />, answers("viewer"));
    expect(await screen.findByRole("link", { name })).toHaveAttribute("href", href);
  });
});
