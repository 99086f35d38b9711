import { expect, it } from "vitest";

const PAGES = import.meta.glob<string>("../pages/**/*.tsx", { query: "?raw", import: "default", eager: true });
const PLAIN = ["", "Time", "Symbol", "Symbols", "Side", "Name", "Made", "Saved", "Last used", "Limit", "Close", "Revoke"]; // speak for themselves

/** From each header of a table to the next: its name, and whether it says what it means. */
function columns(text: string) {
  return text.split(/header: "/).slice(1).map((part) => ({ name: part.slice(0, part.indexOf('"')), told: /\btip: /.test(part) }));
}

it.each(Object.entries(PAGES).filter(([, text]) => text.includes('header: "')))("each column of %s says what it means", (_, text) => {
  expect(columns(text).filter(({ name, told }) => !told && !PLAIN.includes(name))).toEqual([]);
});
