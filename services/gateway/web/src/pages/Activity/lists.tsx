// What the lists of this page share: their filters, and the same list as a file.

import { TextInput } from "@mantine/core";
import { useBots } from "@/api/shared";
import { FilterSelect, FilterText } from "@/components/filters";
import { sentence, sourceType } from "@/format";

export type Filters = Partial<Record<string, string>>;

const SOURCE_TYPES = ["quantconnect", "llm", "strategy", "external", "manual"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** The same list as a file: `/api/orders.csv?bot=alpha`. */
export function csvOf(path: string, query: object): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** A day as a person picks it, in local time: from its beginning up to the beginning of the next. */
export function daySpan(from: string | undefined, to: string | undefined): { from?: string; to?: string } {
  const start = (day: string, later: number) => {
    const at = new Date(`${day}T00:00:00`);
    at.setDate(at.getDate() + later);
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  };
  return { from: from && start(from, 0), to: to && start(to, 1) };
}

interface PartProps<Name extends string> {
  filters: Filters;
  set: (name: Name, value: string | null) => void;
}

/** Which bot; only those that are configured are offered. */
export function BotFilter({ filters, set }: PartProps<"bot">) {
  const { data } = useBots();
  const bots = data?.items.map((bot) => ({ value: bot.id, label: bot.id })) ?? [];
  return <FilterSelect label="Bot" value={filters.bot} onChange={(value) => set("bot", value)} data={bots} width={140} />;
}

/** Symbol, kind of source, its id. */
export function SourceFilters({ filters, set }: PartProps<"symbol" | "source" | "id">) {
  const types = SOURCE_TYPES.map((type) => ({ value: type, label: sourceType(type) }));
  return (
    <>
      <FilterText label="Symbol" value={filters.symbol} onChange={(value) => set("symbol", value?.toUpperCase() ?? null)} width={110} />
      <FilterSelect label="Source" value={filters.source} onChange={(value) => set("source", value)} data={types} width={140} />
      <FilterText label="Source id" value={filters.id} onChange={(value) => set("id", value)} width={140} />
    </>
  );
}

/** From a day to a day. */
export function DateFilters({ filters, set }: PartProps<"from" | "to">) {
  const one = (name: "from" | "to", label: string) => (
    <TextInput
      type="date"
      size="xs"
      w={140}
      label={label}
      value={filters[name] ?? ""}
      onChange={(event) => set(name, event.currentTarget.value || null)}
    />
  );
  return (
    <>
      {one("from", "From day")}
      {one("to", "To day")}
    </>
  );
}

/** Words for the codes of a filter. */
export const choices = (codes: readonly string[]) => codes.map((code) => ({ value: code, label: sentence(code) }));
