// What the lists of this page share: their filters.

import type { Schemas } from "@/api/client";
import { useBots } from "@/api/shared";
import { spanOf } from "@/components/DateFilter";
import { FilterSelect, FilterText } from "@/components/filters";
import { sentence, SOURCE_CHOICES } from "@/format";

export type Filters = Partial<Record<string, string>>;

/** What most lists are filtered by, as the interface takes it. */
export const common = (filters: Filters) => ({
  bot: filters.bot,
  symbol: filters.symbol?.toUpperCase(),
  source_type: filters.source as Schemas["SourceType"] | undefined,
  source_id: filters.id,
  ...spanOf(filters.from, filters.to),
});

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
  return (
    <>
      <FilterText label="Symbol" value={filters.symbol} onChange={(value) => set("symbol", value)} width={110} />
      <FilterSelect label="Source" value={filters.source} onChange={(value) => set("source", value)} data={SOURCE_CHOICES} width={140} />
      <FilterText label="Source id" value={filters.id} onChange={(value) => set("id", value)} width={140} />
    </>
  );
}

/** Words for the codes of a filter. */
export const choices = (codes: readonly string[]) => codes.map((code) => ({ value: code, label: sentence(code) }));
