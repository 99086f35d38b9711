import { describe, expect, it } from "vitest";
import { STORED } from "./example";
import { bodyOf, fieldOf, NEW, problemsOf, sentOf, type Values, valuesOf } from "./form";

const changed = (over: Partial<Values>): Values => ({ ...valuesOf(STORED), ...over });
const fresh = (over: Partial<Values> = {}): Values => ({ ...NEW, name: "Mine", model: "m", symbols: ["aapl"], api_key: "k", ...over });

describe("what is sent", () => {
  it("is nothing but the id when nothing was changed", () => {
    expect(sentOf(valuesOf(STORED), STORED)).toEqual({ id: "gpt" });
  });

  it("is what was changed, money and fractions as text", () => {
    const values = changed({ move: "2.5", day_usd: "3", month_usd: "40", temperature: "0.3", symbols: ["AAPL", "msft"] });
    expect(sentOf(values, STORED)).toEqual({
      id: "gpt", move: "0.025", budget: { day_usd: "3", month_usd: "40" }, temperature: "0.3", symbols: ["AAPL", "MSFT"],
    });
  });

  it("shows fractions as per cent without the noise of floating point", () => {
    expect(valuesOf({ ...STORED, move: "0.07" }).move).toBe("7");
    expect(valuesOf({ ...STORED, move: null }).move).toBe("");
  });

  it("takes back what was emptied by null", () => {
    expect(sentOf(changed({ every: "", move: "", day_usd: "" }), STORED)).toEqual({
      id: "gpt", every: null, move: null, budget: { day_usd: null },
    });
  });

  it("holds a key only when one was typed", () => {
    expect(sentOf(changed({ api_key: "  " }), STORED)).not.toHaveProperty("api_key");
    expect(sentOf(changed({ api_key: " sk-1 " }), STORED)).toEqual({ id: "gpt", api_key: "sk-1" });
    expect(valuesOf(STORED).api_key).toBe("");
  });

  it("is all of a new config, without an id", () => {
    const body = sentOf(fresh(), null);
    expect(body).toMatchObject({ name: "Mine", provider: "openai", wire: "responses", symbols: ["AAPL"], api_key: "k", is_active: true });
    expect(body).not.toHaveProperty("id");
  });

  it("names a compatible server's address and its form; no other target has one", () => {
    const own = { compatible: true, base_url: " http://127.0.0.1:11434/v1 " };
    expect(bodyOf(fresh(own))).toMatchObject({ base_url: "http://127.0.0.1:11434/v1", wire: "chat" });
    expect(bodyOf(fresh({ ...own, target: "sandbox" }))).toMatchObject({ base_url: null, wire: "responses" });
    expect(bodyOf(fresh({ ...own, provider: "claude" }))).not.toHaveProperty("wire");
  });

  it("has a price only when both are there", () => {
    expect(bodyOf(fresh({ input_usd: "0", output_usd: "0.2" })).price).toEqual({ input_usd: "0", output_usd: "0.2" });
    expect(bodyOf(fresh({ input_usd: "1" })).price).toBeNull();
  });
});

describe("what the form refuses", () => {
  it.each([
    ["name", { name: " " }],
    ["model", { model: "" }],
    ["symbols", { symbols: [] }],
    ["interval", { interval: "minute" }],
    ["output_usd", { input_usd: "1" }],
    ["min_gap_s", { min_gap_s: "a minute" }],
    ["max_tokens", { max_tokens: "" }],
    ["api_key", { api_key: "" }],
    ["base_url", { compatible: true }],
  ] as const)("%s", (field, over) => {
    expect(Object.keys(problemsOf(fresh(over as Partial<Values>), null))).toEqual([field]);
  });

  it("wants the key again where a stored one may not go", () => {
    expect(problemsOf(changed({ name: "Other" }), STORED)).toEqual({});
    expect(problemsOf(changed({ target: "sandbox" }), STORED).api_key).toMatch(/only where it was entered/);
    expect(problemsOf(changed({ compatible: true, base_url: "https://x/v1" }), STORED)).toHaveProperty("api_key");
  });
});

it("finds the field that the interface complains about", () => {
  expect(fieldOf("budget.day_usd")).toBe("day_usd");
  expect(fieldOf("symbols.0")).toBe("symbols");
});
