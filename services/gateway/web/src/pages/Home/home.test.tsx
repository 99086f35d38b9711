import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { show } from "@/test/render";
import { Places } from "./Places";
import { Positions } from "./Positions";
import { Sources } from "./Sources";
import { Spend } from "./Spend";

afterEach(() => void vi.restoreAllMocks());

it("a position that stays on an account which its bot has left has a row of its own", async () => {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
  const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const position = { bot: "demo", symbol: "AAPL", quantity: "1", average_price: "1", realised_pnl: "0", at: "2026-08-03T16:00:00Z", lots: [] };
  show(<Positions />, { "GET /api/positions": { items: [{ ...position, account: "old" }, { ...position, account: "new", quantity: "2" }] } });
  const rows = await screen.findAllByRole("row", { name: /^AAPL of demo on/ });
  expect(rows.map((row) => within(row).getAllByRole("cell")[1]?.textContent)).toEqual(["demo on old", "demo on new"]);
  expect(complaints).not.toHaveBeenCalled(); // two rows of one key are drawn on top of each other
});

it("a budget of nothing is used up, and no budget is no limit", async () => {
  const line = { scope: "total", period: "day", key: "2026-08-03", limit_usd: "0", spent_usd: "0", reserved_usd: "0", unknown_usd: "0", left_usd: "0" };
  show(<Spend />, { "GET /api/ai-trading/budgets": { items: [line, { ...line, period: "month", limit_usd: null, left_usd: null }, { ...line, scope: "model" }] } });
  const today = within(await screen.findByRole("group", { name: "Today" }));
  expect(today.getByRole("progressbar", { name: "Today: 100 % used" })).toHaveAttribute("aria-valuenow", "100");
  expect(today.getByText(/no call is allowed/)).toBeInTheDocument();
  expect(today.queryByText(/No model is asked/)).not.toBeInTheDocument(); // it is said above
  const month = within(screen.getByRole("group", { name: "This month" }));
  expect(month.queryByRole("progressbar")).not.toBeInTheDocument();
});

it.each([
  ["0.66", "$0.34 of $1.00, $0.66 left", false],
  ["0", "$0.34 of $1.00, nothing left", true],
])("a budget says what is left of it: %s", async (left_usd, words, over) => {
  const line = { scope: "total", period: "day", key: "2026-08-03", limit_usd: "1", spent_usd: "0.34", reserved_usd: "0", unknown_usd: "0", left_usd };
  show(<Spend />, { "GET /api/ai-trading/budgets": { items: [line] } });
  const today = within(await screen.findByRole("group", { name: "Today" }));
  expect(today.getByText(/of \$1.00/).closest("p")).toHaveTextContent(words);
  expect(today.queryAllByText(/No model is asked until 00:00 UTC/)).toHaveLength(over ? 1 : 0);
});

it("an algorithm that is deployed counts as running, also while it begins", async () => {
  const algorithm = (status: string) => ({ id: status, config_id: "demo", name: status, status });
  const connection = {
    config_id: "demo", name: "Demo", target: "sandbox", is_active: true, connected: true, last_ok_at: null, last_error: null,
    algorithms: ["Running", "LoggingIn", "Stopped"].map(algorithm),
  };
  show(<><Sources /><Places /></>, { "GET /api/quantconnect/status": { items: [connection] } });
  await waitFor(() => expect(screen.getAllByText(/2 of 3 algorithms running/)).toHaveLength(2));
});
