// Shows /api/openapi.json as a page.

import { byId, el, show, table } from "./dom.js";

const DEPTH = 4;
const JSON_TYPE = "application/json";
let schemas = {};

const named = (schema) => (schema?.$ref ? schemas[schema.$ref.split("/").at(-1)] : schema) ?? {};
const isNull = (schema) => schema.type === "null";

/** The type of a field in a few words. */
function typeOf(given) {
  const schema = named(given);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.filter((one) => !isNull(one)).map(typeOf))].join(" or ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.format === "date-time") return "time";
  return schema.type === "object" && schema.title ? schema.title : schema.type ?? "any";
}

/** An example of a value, made from its description. */
function example(given, depth = 0) {
  const schema = named(given);
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((one) => !isNull(one));
  if (choices) return choices.length ? example(choices.at(-1), depth) : null;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined && schema.default !== null && typeof schema.default !== "object") return schema.default;
  if (depth > DEPTH) return "…";
  if (schema.type === "array") return [example(schema.items ?? {}, depth + 1)];
  if (schema.type === "object" || schema.properties)
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, example(field, depth + 1)]));
  if (schema.format === "date-time") return "2026-08-03T16:00:00Z";
  return { string: "text", integer: 1, number: 0.5, boolean: true }[schema.type] ?? null;
}

/** Text with `code` in it. */
const prose = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", null, part) : part));
const json = ({ schema, example: given }) => el("pre", null, JSON.stringify(given ?? example(schema), null, 2));
const anchor = (operation) => `op-${operation.operationId}`;

function parameters(list) {
  if (!list?.length) return null;
  return el("div", { class: "scroll" }, table(["Parameter", "In", "Type", "Example", ""], list.map((one) => [
    el("code", null, one.name), one.required ? `${one.in}, needed` : one.in, typeOf(one.schema),
    one.example !== undefined && el("code", null, JSON.stringify(one.example)), prose(one.description ?? one.schema?.description ?? ""),
  ])));
}

function section({ method, path, operation }) {
  const body = operation.requestBody?.content?.[JSON_TYPE];
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
  const [status, { description = "", content } = {}] = good.find(([, one]) => one.content?.[JSON_TYPE]?.example !== undefined) ?? good[0] ?? [""];
  const answer = content?.[JSON_TYPE];
  return el("article", { class: "card operation", id: anchor(operation) },
    el("h3", null, el("span", { class: `method ${method}` }, method.toUpperCase()), el("code", null, path),
      !operation.security && el("span", { class: "badge" }, "open to all")),
    el("p", null, prose(operation.description ?? operation.summary)),
    parameters(operation.parameters),
    body && el("details", null, el("summary", null, `Body: ${typeOf(body.schema)}`), json(body)),
    el("details", null, el("summary", null, `Answer ${status}${answer ? "" : ", no JSON"}`), answer ? json(answer) : el("p", { class: "dim" }, description)));
}

async function main() {
  const described = await (await fetch("/api/openapi.json")).json();
  schemas = described.components.schemas;
  const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })));
  const tags = Map.groupBy
    ? Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "other")
    : operations.reduce((map, one) => map.set(one.operation.tags?.[0] ?? "other", [...(map.get(one.operation.tags?.[0] ?? "other") ?? []), one]), new Map());
  show("contents", [...tags].flatMap(([tag, list]) => [
    el("h2", null, tag), ...list.map(({ method, path, operation }) => el("a", { href: `#${anchor(operation)}` }, `${method.toUpperCase()} ${path.replace("/api", "")}`)),
  ]));
  show("operations",
    el("div", { class: "card" }, el("h1", null, "REST interface"), el("p", null, prose(described.info.description)),
      el("p", { class: "dim" }, "Sign in with POST /api/auth/token and send the token as Authorization: Bearer.")),
    [...tags.values()].flat().map(section));
  if (location.hash) byId(location.hash.slice(1))?.scrollIntoView();
}

main().catch((error) => show("operations", el("p", { class: "problem" }, `The description could not be read: ${error.message}`)));
