import { useAddress } from "@/address";

/** Which decision's dialog is open: `?decision=ID`. */
export function useOpenDecision() {
  const [{ decision = null }, set] = useAddress("decision");
  return { id: decision, open: (next: string | null) => set({ decision: next }) };
}
