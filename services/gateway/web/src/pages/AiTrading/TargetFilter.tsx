import { FilterSelect } from "@/components/filters";
import type { Target } from "./queries";

const CHOICES = [
  { value: "real", label: "Real models" },
  { value: "sandbox", label: "Sandbox" },
];

export const asTarget = (value: string | undefined): Target | undefined =>
  value === "real" || value === "sandbox" ? value : undefined;

/** Real models, the sandbox's pretended ones, or both. */
export function TargetFilter({ value, onChange }: { value: string | undefined; onChange: (value: string | null) => void }) {
  return <FilterSelect label="Models" value={value} onChange={onChange} data={CHOICES} />;
}
