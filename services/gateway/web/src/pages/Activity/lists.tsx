// What the lists of this page share: their filters.

import { useBots } from "@/api/shared";
import { FilterSelect, FilterText } from "@/components/filters";
import { sentence, sourceType } from "@/format";

export type Filters = Partial<Record<string, string>>;

const SOURCE_TYPES = ["quantconnect", "llm", "strategy", "external", "manual"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

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

/** Words for the codes of a filter. */
export const choices = (codes: readonly string[]) => codes.map((code) => ({ value: code, label: sentence(code) }));
