import { describe, expect, it } from "vitest";
import type { Variable } from "../queries";
import { diff } from "./diff";
import { knownOf, markOf, placeholders, typed, unknown } from "./placeholders";

const variable = (name: string, trusted = true): Variable => ({ name, description: "", trusted, max_chars: 10, example: "" });
const KNOWN = knownOf([variable("symbols"), variable("market"), variable("news", false)]);

describe("placeholders", () => {
  it("are found, spaces inside or not", () => {
    expect(placeholders("a {{symbols}} {{ market }}")).toEqual(["symbols", "market"]);
  });

  it("are not single braces, and do not span lines", () => {
    expect(placeholders("{symbols} { {market} } {{mar\nket}}")).toEqual([]);
  });

  it("that no variable has are named once, in order", () => {
    expect(unknown("{{foo}} {{symbols}} {{Bar}} {{foo}} {{}}", KNOWN)).toEqual(["foo", "Bar", ""]);
  });

  it("are not called unknown before the variables are here", () => {
    expect(unknown("{{foo}}", knownOf([]))).toEqual([]);
    expect(markOf("foo", knownOf([]), "user")).toBe("");
  });

  it("that others wrote are wrong in the system part only", () => {
    expect(markOf("news", KNOWN, "user")).toBe("ph-ok");
    expect(markOf("news", KNOWN, "system")).toBe("ph-bad");
    expect(markOf("foo", KNOWN, "user")).toBe("ph-bad");
  });

  it("are completed after two braces", () => {
    expect(["Decide on {{sy", "{{", "{{symbols}} and", "{sy"].map(typed)).toEqual([10, 0, -1, -1]);
  });
});

describe("diff", () => {
  const short = (before: string, after: string) =>
    diff(before, after).map(({ kind, text }) => `${{ same: " ", added: "+", removed: "-" }[kind]}${text}`);

  it("keeps what both have and names what was removed before what was added", () => {
    expect(short("a\nb\nc", "a\nx\nc")).toEqual([" a", "-b", "+x", " c"]);
  });

  it("finds a moved end, an insertion and a removal", () => {
    expect(short("a\nb", "a\nb\nc")).toEqual([" a", " b", "+c"]);
    expect(short("a\nb\nc", "c")).toEqual(["-a", "-b", " c"]);
    expect(short("same", "same")).toEqual([" same"]);
  });

  it("turns the one text into the other, whatever they are", () => {
    const before = "1\n2\n3\n2\n4", after = "2\n3\n5\n4\n4";
    const lines = diff(before, after);
    expect(lines.filter((l) => l.kind !== "added").map((l) => l.text).join("\n")).toBe(before);
    expect(lines.filter((l) => l.kind !== "removed").map((l) => l.text).join("\n")).toBe(after);
  });
});
