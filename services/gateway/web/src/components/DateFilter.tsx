import { DateInput } from "@mantine/dates";

interface Props {
  label: string;
  value: string | undefined;
  onChange: (value: string | null) => void;
}

/** A day, as `2026-11-23`. */
export function DateFilter({ label, value, onChange }: Props) {
  return (
    <DateInput
      size="xs"
      w={126}
      label={label}
      value={value ?? null}
      onChange={onChange}
      valueFormat="YYYY-MM-DD"
      placeholder="Any day"
      clearable
    />
  );
}

const parsed = (day: string, later: number): string | undefined => {
  const [year = NaN, month = NaN, date = NaN] = day.split("-").map(Number);
  const at = new Date(year, month - 1, date + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};

/** From the beginning of the first day to the end of the last, as days are here; not days: undefined. */
export const spanOf = (from: string | undefined, to: string | undefined) => ({
  from: from && parsed(from, 0),
  to: to && parsed(to, 1),
});
