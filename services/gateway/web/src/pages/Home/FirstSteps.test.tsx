import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { sent, show } from "@/test/render";
import { FirstSteps } from "./FirstSteps";

const SOURCES = ["GET /api/quantconnect/status", "GET /api/ai-trading/status", "GET /api/strategies"];
const given = (bots: number, sources: number, role = "admin") => {
  const items = (count: number) => ({ items: Array.from({ length: count }, (_, number) => ({ id: `${number}` })) });
  const [last = ""] = SOURCES.slice(-1);
  const me = { username: "a", role, expires_at: "2027-01-01T00:00:00Z" };
  return { "GET /api/auth/me": me, "GET /api/bots": items(bots), ...Object.fromEntries(SOURCES.map((path) => [path, items(0)])), [last]: items(sources) };
};

it.each([
  [0, 0, ["To do:", "To do:", "To do:"]],
  [0, 1, ["Done:", "To do:", "To do:"]],
  [1, 0, ["To do:", "Done:", "To do:"]],
])("with %i bots and %i sources the steps stand so", async (bots, sources, wanted) => {
  show(<FirstSteps />, given(bots, sources));
  await screen.findByRole("region", { name: "First steps" });
  const steps = screen.getAllByRole("listitem").map((item) => item.querySelector("[aria-label]")?.getAttribute("aria-label"));
  expect(steps).toEqual(wanted);
  expect(await screen.findByRole("link", { name: "Create a bot" })).toHaveAttribute("href", "/settings?bot=new");
});

it("offer nothing that may not be done", async () => {
  show(<FirstSteps />, given(0, 0, "viewer"));
  await screen.findByText("Create a bot");
  expect(screen.queryByRole("link", { name: "Create a bot" })).toBeNull();
});

it("are over once a source and a bot are there", async () => {
  show(<FirstSteps />, given(1, 1));
  await waitFor(() => expect(sent("GET")).toHaveLength(5));
  await expect(screen.findByRole("region", undefined, { timeout: 200 })).rejects.toThrow();
});
