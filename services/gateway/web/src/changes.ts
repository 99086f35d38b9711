// What a form changed. What nobody touched is not sent, so it stays as somebody else may have set it meanwhile.

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The fields of `now` that differ from what the form began with. Of the groups named in `within` the gateway takes
 * single fields too: there only those are sent that differ.
 */
export function changes<T extends object>(before: T, now: T, ...within: readonly (keyof T)[]): Partial<T> {
  const names = (Object.keys(now) as (keyof T)[]).filter((name) => !same(now[name], before[name]));
  const pairs = names.map((name) => {
    const [old, group] = [before[name], now[name]];
    return [name, within.includes(name) && old && group ? changes(old as object, group as object) : group];
  });
  return Object.fromEntries(pairs) as Partial<T>;
}
