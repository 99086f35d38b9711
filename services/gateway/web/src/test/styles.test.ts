import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const sheets = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".css"));
const classes = (path: string): Set<string> => new Set(readFileSync(`src/${path}`, "utf8").match(/(?<=^\s*)\.[a-z][a-z-]*/gm));

it("no class stands in two style sheets: pages come when they are first opened, and the last one would win", () => {
  const all = sheets.flatMap((path) => [...classes(path)]);
  expect(all).toContain(".fields");
  expect(all.filter((name, at) => all.indexOf(name) !== at)).toEqual([]);
});
