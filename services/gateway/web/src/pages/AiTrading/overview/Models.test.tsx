import { screen, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { show } from "@/test/render";
import { Models } from "./Models";

const budget = (scope: string, left_usd: string | null) => ({ scope, period: "day", key: "k", limit_usd: "1", spent_usd: "0", reserved_usd: "0", unknown_usd: "0", left_usd });
const model = (name: string, left: string | null, more: object = {}) => ({
  config_id: name, name, provider: "openai", model: "m", target: "real", is_active: true, connected: true, last_ok_at: "2026-08-03T16:00:00Z", last_error: null,
  decisions_today: 1, cost_today_usd: "0", budget: [budget(name, left)], ...more,
});

it.each([
  ["0.4", ["Connected", "Over budget", "Connected", "Switched off"]],
  ["0", ["Over budget", "Over budget", "Over budget", "Switched off"]],
])("with %s left for all models, they stand so", async (left, wanted) => {
  for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is drawn
  const items = [model("some", "0.1"), model("none", "0"), model("unlimited", null), model("off", "0", { is_active: false, connected: false })];
  show(<Models />, { "GET /api/ai-trading/status": { items }, "GET /api/ai-trading/budgets": { items: [budget("total", left)] } });
  const rows = await screen.findAllByRole("row", { name: /^Open/ });
  await screen.findAllByText(wanted[0] ?? "");
  expect(rows.map((row) => within(row).getAllByRole("cell")[3]?.textContent)).toEqual(wanted);
});
