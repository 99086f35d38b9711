import { expect, it } from "vitest";
import { type Listing, readRows } from "@/api/rows";

const LIST = Array.from({ length: 450 }, (_, number) => ({ id: String(number) }));
const asked: number[] = [];

/** A list of 450 rows; a cursor is the number of the row that comes next. */
const load = async (cursor: string | undefined, limit: number): Promise<Listing<{ id: string }>> => {
  const from = Number(cursor ?? 0);
  asked.push(from);
  return { items: LIST.slice(from, from + limit), next_cursor: from + limit < LIST.length ? String(from + limit) : null };
};

it.each([
  [0, [0], 100, "100"],
  [100, [0], 100, "100"],
  [101, [0, 100], 300, "300"],
  [5000, [0, 100, 300], 450, null],
])("reads as many pages as %d rows need, each row once", async (wanted, pages, length, next) => {
  asked.length = 0;
  const found = await readRows(load, () => wanted);
  expect(asked).toEqual(pages);
  expect(found.next).toBe(next);
  expect(found.rows).toEqual(LIST.slice(0, length));
});
