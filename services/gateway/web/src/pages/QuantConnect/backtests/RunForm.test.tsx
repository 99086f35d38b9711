import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { problem, sent, show } from "@/test/render";
import { RunForm } from "./RunForm";

const ANSWERS = {
  "GET /api/auth/me": { username: "ann", role: "trader", expires_at: "2030-01-01T00:00:00Z" },
  "GET /api/quantconnect/algorithms": { items: [{ id: "7", config_id: "desk", name: "Trend", status: "Stopped" }], unavailable: [] },
};
const PATH = "/api/quantconnect/backtest";
const again = { pathname: "/", state: { again: { id: "b", config_id: "desk", algorithm_id: "7", name: "Spring", parameters: {} } } };
const lost = (): unknown => {
  throw new TypeError("connection lost");
};
const run = async () => userEvent.click(await screen.findByRole("button", { name: "Run" }));
const keys = () => sent("POST").map((one) => one.headers.get("idempotency-key"));

it("repeats a request whose answer was lost under the same key: one wish is one backtest", async () => {
  let answer = lost;
  show(<RunForm />, { ...ANSWERS, [`POST ${PATH}`]: () => answer() }, again);
  await run();
  expect(await screen.findByRole("alert")).toHaveTextContent(/It may have been started/);
  answer = () => problem(422, "start: is too early");
  await run();
  await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("It was not started"));
  answer = () => ({ id: "b2" });
  await run();
  await waitFor(() => expect(keys()).toHaveLength(3));
  const [first, second, third] = keys();
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

it("takes other words for another wish: a lost answer does not stand for it", async () => {
  show(<RunForm />, { ...ANSWERS, [`POST ${PATH}`]: lost }, again);
  await run();
  await screen.findByRole("alert");
  await userEvent.type(screen.getByLabelText("Parameters"), "fast = 5");
  await run();
  await waitFor(() => expect(keys()).toHaveLength(2));
  expect(new Set(keys()).size).toBe(2);
});
