// Fractions as per cent and back, as text: no figure is rounded on its way through a form.

/** "0.025" moved by 2 places is "2.5". What is no decimal number stays as it is. */
export function shift(text: string, places: number): string {
  const found = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text.trim());
  if (!found || !/\d/.test(text)) return text.trim();
  const [, sign = "", whole = "", part = ""] = found;
  const digits = whole + part;
  const point = whole.length + places;
  const padded = point > digits.length ? digits.padEnd(point, "0") : digits;
  const wide = point < 0 ? "0".repeat(-point) + padded : padded;
  const at = Math.max(0, point);
  const left = wide.slice(0, at).replace(/^0+(?=\d)/, "") || "0";
  const right = wide.slice(at).replace(/0+$/, "");
  return `${sign}${left}${right ? `.${right}` : ""}`;
}

export const toPercent = (fraction: string): string => shift(fraction, 2);
export const fromPercent = (percent: string): string => shift(percent, -2);

const GROUPED = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/;

/** What a person types as a number: spaces and thousands' commas do not matter. Any other comma stays: 2,5 is not 25. */
export function plain(text: string): string {
  const typed = text.replace(/\s/g, "");
  return GROUPED.test(typed) ? typed.replaceAll(",", "") : typed;
}
