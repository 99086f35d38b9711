// Builds the page. Text only ever becomes a text node, so nothing that is described can become markup.

const given = (child) => child !== null && child !== undefined && child !== false;

export const byId = (id) => document.getElementById(id);

/** An element: `el("td", {class: "number"}, "1.00")`; children that are not there are left out. */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children.flat().filter(given));
  return node;
}

/** Puts children in the place of whatever was there. */
export const show = (id, ...children) => byId(id).replaceChildren(...children.flat());

/** A table of rows of cells. */
export function table(columns, rows) {
  const head = columns.map((name) => el("th", { scope: "col" }, name));
  const body = rows.map((cells) => el("tr", null, cells.map((cell) => el("td", null, cell))));
  return el("table", null, el("thead", null, el("tr", null, head)), el("tbody", null, body));
}
