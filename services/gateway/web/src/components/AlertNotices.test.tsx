import { afterEach, describe, expect, it } from "vitest";
import { setNotices } from "@/prefs";
import { isWanted } from "./AlertNotices";

const alert = (severity: string, more: object = {}) => ({ kind: "AlertRaised", data: { severity, active: true, ...more } });

describe("alerts that show themselves", () => {
  afterEach(() => localStorage.clear());

  it("are warnings and critical ones, as long as nobody says otherwise", () => {
    expect(["info", "warning", "critical"].map((one) => isWanted(alert(one)))).toEqual([false, true, true]);
  });

  it.each([
    ["off", [false, false, false]],
    ["critical", [false, false, true]],
    ["info", [true, true, true]],
  ] as const)("with %s are %s", (least, wanted) => {
    setNotices(least);
    expect(["info", "warning", "critical"].map((one) => isWanted(alert(one)))).toEqual([...wanted]);
  });

  it("are none that are over, and no other events", () => {
    expect(isWanted(alert("critical", { active: false }))).toBe(false);
    expect(isWanted({ kind: "OrderChanged", data: { severity: "critical" } })).toBe(false);
  });
});
