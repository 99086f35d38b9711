import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** Parts of the address: `const [{ bot }, set] = useAddress("bot")`. Empty ones are undefined. `set({ bot: "demo" })`
 * leaves all others as they are, and the browser's Back leads to where it was, unless it is to `replace`. */
export function useAddress<Name extends string>(...names: readonly Name[]) {
  const [params, setParams] = useSearchParams();
  const found = names.flatMap((name): [string, string][] => [[name, params.get(name) ?? ""]]);
  const values = Object.fromEntries(found.filter(([, value]) => value)) as Partial<Record<Name, string>>;
  const set = useCallback(
    (changes: Partial<Record<Name, string | null | undefined>>, { replace = false } = {}) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries<string | null | undefined>(changes)) {
            if (value) after.set(name, value);
            else after.delete(name);
          }
          return after;
        },
        { replace, flushSync: true }, // drawn at once: whatever changes next begins from this
      ),
    [setParams],
  );
  return [values, set] as const;
}
