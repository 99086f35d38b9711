import { expect, it } from "vitest";
import { guardOf } from "./Positions";

it("shows what protects a lot without rounding", () => {
  expect(guardOf({ protection: { stop_price: "205", trailing: "0.025" } })).toBe("stop 205.00, trailing 2.5%");
  expect(guardOf({})).toBe("none");
});
