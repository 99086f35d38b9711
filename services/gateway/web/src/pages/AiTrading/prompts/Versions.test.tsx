import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { show } from "@/test/render";
import type { Version } from "../queries";
import { Versions } from "./Versions";

const USED: Version["usage"] = {
  cost_usd: "1.5", estimated_usd: "0", decisions: 120, answered: 100, refused: 3, truncated: 4, invalid: 5, failed: 6, over_budget: 2, buys: 40, sells: 25,
  closes: 5, holds: 30, abstained: 7, cached: 8, dry_runs: 9, signals: 61, tokens_in: 1000, tokens_out: 200, tokens_cached: 0, tokens_reasoning: 0,
  validity: "0.8929", cached_share: "0", cost_per_decision: "0.0125", mean_latency_ms: 900,
};
const NEVER: Version["usage"] = Object.fromEntries(Object.entries(USED).map(([name, value]) => [name, typeof value === "number" ? 0 : name.endsWith("usd") ? "0" : null])) as unknown as Version["usage"];
const version = (number: number, more: Partial<Version>): Version => ({
  prompt_id: "mine", version: number, name: "Mine", system: `system ${number}`, user: "user", hash: "h", active: false, created_by: "ann",
  created_at: "2026-08-03T16:00:00Z", usage: NEVER, scored: { count: 0, hits: 0, hit_rate: null, low: null, high: null }, ...more,
} as Version);
const OLD = version(1, { active: true, usage: USED, scored: { count: 56, hits: 34, hit_rate: "0.6071", low: "0.4765", high: "0.7244" } });
const NEW = version(2, {});

beforeEach(() => {
  for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is drawn
  show(<Versions versions={[NEW, OLD]} active={OLD} onEdit={() => undefined} />);
});

const cells = (name: string) => within(screen.getByRole("row", { name })).getAllByRole("cell").map((cell) => cell.textContent);

it("each version says how it has done, and one that was never used says nothing", () => {
  expect(cells("Version 1").toSpliced(2, 1)).toEqual(["@1", "Active", "ann", "120", "89%", "40 / 25 / 30", "61% (48% to 72%)", "$0.0125"]);
  expect(cells("Version 2").toSpliced(2, 1)).toEqual(["@2", "–", "ann", "0", "–", "0 / 0 / 0", "–", "–"]);
});

it("an opened version shows all of its figures", async () => {
  await userEvent.click(screen.getByRole("row", { name: "Version 1" }));
  const dialog = await screen.findByRole("dialog", { name: "Version 1 of Mine" });
  const figures = Object.fromEntries([...dialog.querySelectorAll("dl div")].map((one) => [one.querySelector("dt")?.textContent, one.querySelector("dd")?.textContent]));
  expect(figures).toMatchObject({
    Decisions: "120", "Became a signal": "61", "Valid answers": "89%", "Buy / sell / close / hold": "40 / 25 / 5 / 30", Abstained: "7",
    "Refused, cut off, invalid": "3, 4, 5", "Hit rate": "61% (48% to 72%)", Scored: "56", Cost: "$1.50", "Per decision": "$0.0125",
  });
});
