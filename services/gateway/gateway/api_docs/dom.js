// Builds the page. Text only ever becomes a text node, so nothing that a source says can become markup.

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
