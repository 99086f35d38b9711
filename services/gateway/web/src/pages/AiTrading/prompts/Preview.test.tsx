import { fireEvent, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { expect, it } from "vitest";
import { problem, sent, show } from "@/test/render";
import { STORED } from "../configuration/example";
import { Preview } from "./Preview";
import { knownOf } from "./placeholders";

const ANSWERS = {
  "GET /api/auth/me": { username: "admin", role: "trader", expires_at: "2026-12-01T00:00:00Z" },
  "GET /api/ai-trading/config": { items: [{ ...STORED, id: "other" }, STORED] },
};
const PREVIEW = "POST /api/ai-trading/prompts/preview";
const PATH = "/api/ai-trading/prompts/preview";
const SHOWN = { system: "Rules.", user: "AAPL.price: last 210.50 <b>", tokens_estimated: 900, cost_usd_estimated: "0.0001", cost_usd_worst: "0.0009", warnings: ["No news is known."] };
const KNOWN = knownOf([{ name: "symbols", description: "", trusted: true, max_chars: 10, example: "" }]);

it("shows the server's words, their size and cost, for a config that uses the prompt", async () => {
  show(<Preview system="S" user="{{symbols}}" known={KNOWN} usedBy={["gpt"]} />, { ...ANSWERS, [PREVIEW]: SHOWN });
  expect(await screen.findByText("AAPL.price: last 210.50 <b>")).toBeVisible();
  expect(screen.getByText("about 900 tokens")).toBeVisible();
  expect(screen.getByText("$0.0009")).toBeVisible();
  expect(screen.getByText("No news is known.")).toBeVisible();
  const asked = sent("POST").filter((one) => one.path === PATH);
  expect(asked[0]?.body).toEqual({ system: "S", user: "{{symbols}}", config_id: "gpt" });
});

it("lists what is unknown, and every place that the server refuses", async () => {
  const errors = [{ field: "user", message: "There is no variable {{moon}}.", line: 2, column: 5 }];
  show(<Preview system="" user={"x\n{{moon}}"} known={KNOWN} usedBy={[]} />, { ...ANSWERS, [PREVIEW]: () => problem(422, "wrong", { errors }) });
  expect(screen.getByRole("status", { name: "Placeholders" })).toHaveTextContent("{{moon}}: no variable has this name");
  expect(await screen.findByText(/User part, line 2, column 5/)).toBeVisible();
});

function Typing() {
  const [user, setUser] = useState("{{symbols}}");
  return (
    <>
      <input aria-label="User part" value={user} onChange={(event) => setUser(event.currentTarget.value)} />
      <Preview system="" user={user} known={KNOWN} usedBy={[]} />
    </>
  );
}

it("asks once a moment after the last key, not at every key", async () => {
  show(<Typing />, { ...ANSWERS, [PREVIEW]: SHOWN });
  await screen.findByText("about 900 tokens");
  for (const value of ["{{symbols}} and", "{{symbols}} and no", "{{symbols}} and now"]) fireEvent.change(screen.getByLabelText("User part"), { target: { value } }); // nothing rests between them
  const words = () => sent("POST").map((one) => (one.body as { user: string }).user);
  await waitFor(() => expect(words().at(-1)).toBe("{{symbols}} and now"));
  expect(words()).toEqual(["{{symbols}}", "{{symbols}} and now"]);
});

it("is not asked for by who may not", async () => {
  const viewer = { ...ANSWERS["GET /api/auth/me"], role: "viewer" };
  show(<Preview system="" user="{{symbols}}" known={KNOWN} usedBy={[]} />, { ...ANSWERS, "GET /api/auth/me": viewer, [PREVIEW]: SHOWN });
  expect(await screen.findByText("Only a trader may preview a prompt.")).toBeVisible();
  await waitFor(() => expect(sent("POST")).toHaveLength(0));
});
