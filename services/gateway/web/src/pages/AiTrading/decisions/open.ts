import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** Which decision's dialog is open: `?decision=ID`. */
export function useOpenDecision() {
  const [params, setParams] = useSearchParams();
  const id = params.get("decision");
  const open = useCallback(
    (next: string | null) =>
      setParams((before) => {
        const after = new URLSearchParams(before);
        if (next) after.set("decision", next);
        else after.delete("decision");
        return after;
      }),
    [setParams],
  );
  return { id, open };
}
