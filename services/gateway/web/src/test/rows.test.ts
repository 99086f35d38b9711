import { describe, expect, it } from "vitest";
import { type Rows, withHead, withOlder } from "@/api/rows";

type Row = { id: string; state?: string };
const rows = (...ids: string[]): Row[] => ids.map((id) => ({ id }));
const ids = (found: Rows<Row>) => found.rows.map((row) => row.id).join("");
const idOf = (row: Row) => row.id;

describe("withHead", () => {
  it("takes the first page as it is", () => {
    const found = withHead(undefined, { items: rows("c", "b", "a"), next_cursor: "a" }, idOf);
    expect([ids(found), found.next]).toEqual(["cba", "a"]);
  });

  it("puts new rows on top and keeps older pages", () => {
    const old = { rows: rows("c", "b", "a", "Z", "Y"), next: "Y" };
    const found = withHead(old, { items: rows("e", "d", "c"), next_cursor: "c" }, idOf);
    expect([ids(found), found.next]).toEqual(["edcbaZY", "Y"]);
  });

  it("replaces what has changed and drops what no longer fits the filters", () => {
    const old = { rows: rows("c", "b", "a", "Z"), next: "Z" };
    const found = withHead(old, { items: [{ id: "c", state: "filled" }, { id: "a" }], next_cursor: "a" }, idOf);
    expect([ids(found), found.rows[0]?.state]).toEqual(["caZ", "filled"]);
  });

  it("begins anew when more came than a page holds", () => {
    const found = withHead({ rows: rows("c", "b"), next: "b" }, { items: rows("z", "y"), next_cursor: "y" }, idOf);
    expect([ids(found), found.next]).toEqual(["zy", "y"]);
  });

  it("is the whole list when there are no older rows", () => {
    const found = withHead({ rows: rows("c", "b"), next: null }, { items: rows("c") }, idOf);
    expect([ids(found), found.next]).toEqual(["c", null]);
  });
});

describe("withOlder", () => {
  it("adds a page and keeps a row that slid over its edge once", () => {
    const found = withOlder({ rows: rows("c", "b"), next: "b" }, { items: rows("b", "a"), next_cursor: null }, idOf);
    expect([ids(found), found.next]).toEqual(["cba", null]);
  });
});
