import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { problem, sent, show } from "@/test/render";
import { Budgets } from "./Budgets";
import { Unresolved } from "./Unresolved";

const ADMIN = { "GET /api/auth/me": { username: "ann", role: "admin", expires_at: "2030-01-01T00:00:00Z" } };
const line = (period: string, limit: string | null) => ({ scope: "total", period, key: "k", limit_usd: limit, spent_usd: "0", reserved_usd: "0", unknown_usd: "0", left_usd: null });
const ATTEMPT = { attempt_id: "a1", config_id: "m", provider: "openai", model: "gpt", at: "2026-08-03T16:00:00Z", decisions: { AAPL: "d" }, outcome: "", reserved_usd: "0.5", request_id: "r" };
const PATH = "/api/ai-trading/attempts/a1/settle";

beforeEach(() => {
  for (const size of ["clientHeight", "clientWidth"] as const) vi.spyOn(Element.prototype, size, "get").mockReturnValue(400); // or no row is drawn
});

const retype = async (field: HTMLElement, text: string) => {
  await userEvent.clear(field);
  if (text) await userEvent.type(field, text);
};

it("limits of all models go out as they were typed; an empty one is none", async () => {
  show(<Budgets />, { ...ADMIN, "GET /api/ai-trading/budgets": { items: [line("day", "1"), line("month", "20")] }, "GET /api/ai-trading/config": { items: [] }, "GET /api/alerts": { items: [] }, "PUT /api/ai-trading/budgets/total": {} });
  const day = await screen.findByRole("textbox", { name: "A day, USD" });
  const month = screen.getByRole("textbox", { name: "A month, USD" });
  const set = screen.getByRole("button", { name: "Set limits" });
  await waitFor(() => expect(set).toBeEnabled());
  await retype(day, "much");
  await userEvent.click(set);
  expect(await screen.findByText("This is no number.")).toBeInTheDocument();
  expect(sent("PUT")).toEqual([]);
  await retype(day, "2.50");
  await retype(month, "");
  await userEvent.click(set);
  await waitFor(() => expect(sent("PUT").map((one) => one.body)).toEqual([{ day_usd: "2.50", month_usd: null }]));
});

it("a call is settled with what was typed, and an objection stands at its field", async () => {
  let answer: unknown = problem(422, "cost_usd: too much", { errors: [{ field: "cost_usd", message: "must be at most 0.5" }] });
  show(<Unresolved />, { ...ADMIN, "GET /api/ai-trading/attempts": { items: [ATTEMPT] }, [`POST ${PATH}`]: () => answer });
  await userEvent.click(await screen.findByRole("row", { name: "Settle the call of m" }));
  const dialog = within(await screen.findByRole("dialog", { name: "What did this call cost?" }));
  await userEvent.click(dialog.getByRole("button", { name: "Settle" }));
  expect(await dialog.findByText("A number is needed.")).toBeInTheDocument();
  expect(sent("POST")).toEqual([]);
  await userEvent.type(dialog.getByRole("textbox", { name: "Cost in US dollars" }), "1");
  await userEvent.click(dialog.getByRole("button", { name: "Settle" }));
  expect(await dialog.findByText("Must be at most 0.5.")).toBeInTheDocument();
  answer = { attempt_id: "a1", cost_usd: "0.001" };
  await retype(dialog.getByRole("textbox", { name: "Cost in US dollars" }), "0.001");
  await userEvent.click(dialog.getByRole("button", { name: "Settle" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent("POST").map(({ path, body }) => [path, body])).toEqual([[PATH, { cost_usd: "1" }], [PATH, { cost_usd: "0.001" }]]);
});
