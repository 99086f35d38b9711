import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useNavigate } from "react-router";
import { expect, it, vi } from "vitest";
import { problem, show } from "@/test/render";
import { Backtests } from "./Backtests";

vi.mock("@/components/Chart", () => ({ Chart: ({ label }: { label: string }) => <figure aria-label={label} /> }));

const PATH = "/api/quantconnect/backtest";
const run = (id: string, status: string) => ({ id, config_id: "desk", algorithm_id: "7", name: `Run ${id}`, status, created_at: "2026-08-03T16:00:00Z" });
const series = { equity: [], benchmark: [], drawdown: [] };
const ANSWERS = {
  "GET /api/auth/me": { username: "ann", role: "viewer", expires_at: "2030-01-01T00:00:00Z" },
  "GET /api/quantconnect/algorithms": { items: [], problems: [] },
  [`GET ${PATH}`]: { items: [run("a", "failed"), run("b", "completed")] },
  [`GET ${PATH}/a`]: run("a", "failed"),
  [`GET ${PATH}/b`]: run("b", "completed"),
  [`GET ${PATH}/a/series`]: series,
  [`GET ${PATH}/b/series`]: series,
};

function Tab() {
  const navigate = useNavigate();
  return (
    <>
      <button onClick={() => void navigate(-1)}>Back</button>
      <Backtests />
    </>
  );
}

it("Back leads from a run to the list as it was filtered", async () => {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(800);
  show(<Tab />, ANSWERS, "/quantconnect/backtests?status=failed");
  await userEvent.click(await screen.findByRole("row", { name: "Run a, open" }));
  await screen.findByRole("heading", { name: "Run a" });
  await userEvent.click(screen.getByRole("button", { name: "Back" }));
  await screen.findByRole("row", { name: "Run a, open" });
  expect(screen.getByRole("combobox", { name: "Status" })).toHaveValue("Failed");
});

it("two are drawn once both are there", async () => {
  const answers = { ...ANSWERS, [`GET ${PATH}/b/series`]: () => problem(503, "QuantConnect does not answer") };
  show(<Tab />, answers, "/quantconnect/backtests?compare=a,b");
  await waitFor(() => expect(screen.getAllByText("QuantConnect does not answer")).toHaveLength(2));
  expect(screen.queryByRole("figure")).not.toBeInTheDocument();
});
