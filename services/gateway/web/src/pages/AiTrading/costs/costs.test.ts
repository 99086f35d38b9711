import { expect, it } from "vitest";
import type { Schemas } from "@/api/client";
import { fullness } from "@/components/BudgetBar";
import { bars, periods } from "./bars";

const NOW = new Date("2026-03-02T00:30:00Z");
const line = (over: Partial<Schemas["BudgetLine"]>): Schemas["BudgetLine"] => ({
  scope: "total", period: "day", key: "2026-03-02", limit_usd: "2", spent_usd: "0.5", reserved_usd: "0.2", unknown_usd: "0", left_usd: "1.3", ...over,
});

it("counts days and months in UTC, oldest first", () => {
  expect(periods("day", 3, NOW)).toEqual(["2026-02-28", "2026-03-01", "2026-03-02"]);
  expect(periods("month", 4, NOW)).toEqual(["2025-12", "2026-01", "2026-02", "2026-03"]);
});

it("shows a day without questions as nothing, not as a gap", () => {
  const found = [{ period: "2026-03-02", cost_usd: "0.00125", decisions: 3, calls: 1 }];
  expect(bars(found, ["2026-03-01", "2026-03-02"])).toEqual([
    { label: "2026-03-01", value: 0, text: "$0.00" },
    { label: "2026-03-02", value: 0.00125, text: "$0.0013, 3 decisions, 1 call" },
  ]);
});

it("fills a budget's bar with what is spent and set aside, and not beyond", () => {
  expect(fullness(line({}))).toEqual({ spent: 25, reserved: 10 });
  expect(fullness(line({ spent_usd: "1.9", reserved_usd: "0.5" }))).toEqual({ spent: 95, reserved: 5 });
  expect(fullness(line({ limit_usd: "0", spent_usd: "0" }))).toEqual({ spent: 100, reserved: 0 });
  expect(fullness(line({ limit_usd: null }))).toEqual({ spent: 0, reserved: 0 });
});
