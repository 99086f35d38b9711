// Builds the page. Text only ever becomes a text node, so nothing that a source says can become markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, options, children) {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
    else if (name === "disabled" || name === "hidden" || name === "required") node[name] = value;
    else node.setAttribute(name, String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** An element: `el("td", {class: "number"}, "1.00")`. */
export const el = (tag, options, ...children) => fill(document.createElement(tag), options, children);

/** The same for drawings. */
export const svg = (tag, options, ...children) => fill(document.createElementNS(SVG, tag), options, children);

/** Puts children in the place of whatever was there; a part that has the focus keeps it. */
export function show(id, ...children) {
  const place = typeof id === "string" ? byId(id) : id;
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  if (key) place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

/** A table with right-aligned number columns; a row is a list of cells, or `{cells, on, key, class}`. */
export function table(columns, rows, options) {
  const head = columns.map((c) => el("th", { class: c.number ? "number" : undefined, scope: "col", title: c.title }, c.name));
  const body = rows.map((row) => {
    const given = Array.isArray(row) ? { cells: row } : row;
    const cells = given.cells.map((cell, i) =>
      el("td", { class: [columns[i].number ? "number" : "", columns[i].class ?? ""].join(" ").trim() || undefined, "data-name": columns[i].name }, cell));
    return el("tr", { class: given.class, on: given.on, "data-key": given.key, tabindex: given.on ? 0 : undefined, "aria-label": given.label }, cells);
  });
  return el("table", options, el("thead", null, el("tr", null, head)), el("tbody", null, body));
}

/** What stands where nothing is yet. */
export const empty = (...words) => el("p", { class: "empty" }, words);

/** A small coloured word. */
export const badge = (text, kind, title) => el("span", { class: `badge ${kind ?? ""}`.trim(), title }, text);

/** A line through numbers, newest last, as wide as its place; `none` stands where there is no line yet. */
export function sparkline(values, label, none) {
  const [width, height, pad] = [240, 56, 3];
  if (values.length < 2) return el("div", { class: "spark none" }, none);
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  const level = (value) => (high === low ? 0.5 : (value - low) / span);
  const points = values.map((value, i) => [
    (i / (values.length - 1)) * width, pad + (1 - level(value)) * (height - 2 * pad),
  ].map((n) => n.toFixed(1)).join(","));
  const moved = Math.sign(values.at(-1) - values[0]);
  return svg("svg", { class: `spark ${["down", "", "up"][moved + 1]}`, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("title", null, label),
    svg("polygon", { points: `0,${height} ${points.join(" ")} ${width},${height}` }),
    svg("polyline", { points: points.join(" ") }));
}
