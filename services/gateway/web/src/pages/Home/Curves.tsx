import { SegmentedControl } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { type LiveEvent, useLiveEvents } from "@/api/live";
import { useMarket } from "@/api/shared";
import { Chart, type Series } from "@/components/Chart";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import * as f from "@/format";

const POINTS = 400;
const HEIGHT = 350;
const DAY_MS = 86_400_000;
const SPANS = [
  { value: "1", label: "1 day" },
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "", label: "All" },
];
type Mark = Schemas["EquityView"];
const money = (value: number): string => f.money(value);
const below = (value: number): string => f.percent(value);

/** A curve, newest first, with the point that an event has just told; its extremes are all there, so its fall is known. */
export function longer(items: Mark[], mark: Mark): Mark[] {
  const [newest] = items;
  if (newest && (newest.account !== mark.account || Date.parse(newest.at) > Date.parse(mark.at))) return items;
  const worth = Number(mark.equity);
  const highest = Math.max(worth, ...items.map((one) => Number(one.equity)));
  return [{ ...mark, drawdown: String(highest > 0 ? 1 - worth / highest : 0) }, ...items];
}

/** A bot's equity and how far it is below its highest. */
export function Curves({ bot, known }: { bot: string | null; known: boolean }) {
  const [days, setDays] = useState("");
  const { data: market } = useMarket();
  const today = market ? market.now.slice(0, 10) : null; // asked anew once a market day
  const from = days && today ? new Date(Date.parse(today) + DAY_MS * (1 - Number(days))).toISOString() : undefined;
  const client = useQueryClient();
  const key = useMemo(() => ["equity", "curve", bot, from], [bot, from]);
  useLiveEvents(
    useCallback(
      ({ kind, data }: LiveEvent) => {
        if (kind !== "EquityMarked" || data.bot !== bot) return;
        client.setQueryData<{ items: Mark[] }>(key, (old) => old && { ...old, items: longer(old.items, data as unknown as Mark) });
      },
      [client, key, bot],
    ),
  );
  const query = useQuery({
    queryKey: key,
    queryFn: () => must(api.GET("/api/equity", { params: { query: { bot: bot ?? "", points: POINTS, from } } })),
    enabled: bot !== null,
    placeholderData: (before) => before,
  });
  return (
    <Panel
      title={bot ? `Equity of ${bot}` : "Equity"}
      tip="Cash and positions at the newest prices over market time; below it the drawdown, how far it is under its highest so far."
      className="two-thirds"
      actions={<SegmentedControl size="xs" data={SPANS} value={days} onChange={setDays} aria-label="Span of time" />}
    >
      {bot === null && known ? (
        <Empty height={HEIGHT}>No bot has traded yet. Its equity shows here as soon as its first market minute is over.</Empty>
      ) : (
        <Loaded query={query} height={HEIGHT + 26} empty="There is no equity in this span of time yet.">
          {({ items }) => <Both items={items} />}
        </Loaded>
      )}
    </Panel>
  );
}

function Both({ items }: { items: readonly Mark[] }) {
  const series = useMemo((): Series[] => {
    const at = (one: Mark) => Date.parse(one.at) / 1000;
    const forward = [...items].reverse(); // of one second the last one counts
    const worth = forward.map((one) => ({ time: at(one), value: Number(one.equity) }));
    const fallen = forward.map((one) => ({ time: at(one), value: -Number(one.drawdown ?? 0) }));
    return [
      { name: "Equity", kind: "area", points: worth },
      { name: "Drawdown", kind: "area", color: "--down", points: fallen, pane: 1, format: below },
    ];
  }, [items]);
  return <Chart label="Equity and drawdown" series={series} height={HEIGHT} format={money} />;
}
