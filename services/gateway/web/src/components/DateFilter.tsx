import { Group } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { times } from "@/prefs";

interface Props {
  filters: { from?: string; to?: string };
  set: (name: "from" | "to", value: string | null) => void;
}

/** From a day to a day, each as `2026-11-23`. */
export function DateFilters({ filters, set }: Props) {
  const one = (name: "from" | "to", label: string) => (
    <DateInput
      size="xs"
      w={126}
      label={label}
      value={filters[name] ?? null}
      onChange={(day) => set(name, day)}
      valueFormat="YYYY-MM-DD"
      placeholder="Any day"
      clearable
    />
  );
  return (
    <Group gap="sm" wrap="nowrap" className="dates">
      {one("from", "From")}
      {one("to", "To")}
    </Group>
  );
}

const parsed = (day: string, later: number): string | undefined => {
  const [year = NaN, month = NaN, date = NaN] = day.split("-").map(Number);
  const parts = [year, month - 1, date + later] as const;
  const at = times() === "utc" ? new Date(Date.UTC(...parts)) : new Date(...parts);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};

/** From the beginning of the first day to the end of the last, as days are in the zone of all times; not days: undefined. */
export const spanOf = (from: string | undefined, to: string | undefined) => ({
  from: from && parsed(from, 0),
  to: to && parsed(to, 1),
});
