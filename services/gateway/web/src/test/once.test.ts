import { describe, expect, it, vi } from "vitest";
import { ApiError, refused } from "@/api/client";
import { once } from "@/api/once";

async function keysOf(subject: string, ...outcomes: (Error | null)[]): Promise<string[]> {
  const keys: string[] = [];
  for (const outcome of outcomes)
    await once(subject, async (key) => {
      keys.push(key);
      if (outcome) throw outcome;
    }).catch(() => undefined);
  return keys;
}

describe("an action that must happen once", () => {
  it.each([
    ["was done", null, true],
    ["was refused", new ApiError(422, "no"), true],
    ["had no answer", new ApiError(0, "nobody answered"), false],
    ["broke off at the gateway", new ApiError(503, "not in time"), false],
  ])("that %s: the next one has a key of its own: %s", async (name, outcome, fresh) => {
    const [first, second] = await keysOf(name, outcome, null);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second !== first).toBe(fresh);
  });

  it("is another one when it comes much later", async () => {
    vi.useFakeTimers();
    const lost = new ApiError(0, "nobody answered");
    const [first] = await keysOf("stop", lost);
    vi.advanceTimersByTime(3_600_000);
    const [later] = await keysOf("stop", lost);
    vi.useRealTimers();
    expect(later).not.toBe(first);
  });

  it("keeps its key apart from those of others", async () => {
    const lost = new ApiError(0, "nobody answered");
    const [one] = await keysOf("deploy a", lost);
    const [other] = await keysOf("deploy b", lost);
    expect(one).not.toBe(other);
  });

  it("is refused by an answer only", () => expect([refused(new ApiError(409, "")), refused(new ApiError(0, "")), refused(null)]).toEqual([true, false, false]));
});
