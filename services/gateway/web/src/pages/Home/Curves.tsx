import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { type LiveEvent, useLiveEvents } from "@/api/live";
import { useMarket } from "@/api/shared";
import { Chart, type Series } from "@/components/Chart";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import * as f from "@/format";

const POINTS = 400;
const HEIGHT = 400;
const EMPTY = 160;
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

/** A curve, newest first, with what events have told since it was read; its extremes are all there, so each fall is known. */
export function joined(items: readonly Mark[], told: readonly Mark[]): readonly Mark[] {
  let highest = Math.max(0, ...items.map((one) => Number(one.equity)));
  let [newest] = items;
  const more: Mark[] = [];
  for (const mark of told) {
    if (newest && (newest.bot !== mark.bot || newest.account !== mark.account || Date.parse(newest.at) >= Date.parse(mark.at))) continue;
    const worth = Number(mark.equity);
    highest = Math.max(highest, worth);
    newest = { ...mark, drawdown: String(highest > 0 ? 1 - worth / highest : 0) };
    more.unshift(newest);
  }
  return [...more, ...items];
}

/** A bot's equity and how far it is below its highest. */
export function Curves({ bot, known }: { bot: string | null; known: boolean }) {
  const [days, setDays] = useState("");
  const { data: market } = useMarket();
  const today = market ? market.now.slice(0, 10) : null; // asked anew once a market day
  const from = days && today ? new Date(Date.parse(today) + DAY_MS * (1 - Number(days))).toISOString() : undefined;
  const [told, setTold] = useState<readonly Mark[]>([]);
  useLiveEvents(
    useCallback(
      ({ kind, data }: LiveEvent) => {
        if (kind !== "EquityMarked" || data.bot !== bot || document.hidden) return; // all is read when somebody looks again
        setTold((before) => [...before, data as unknown as Mark].slice(-POINTS));
      },
      [bot],
    ),
  );
  const query = useQuery({
    queryKey: ["equity", "curve", bot, from],
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
        <Empty height={EMPTY}>No bot has traded yet. Its equity shows here as soon as its first market minute is over.</Empty>
      ) : (
        <Loaded query={query} height={HEIGHT + 26} empty="There is no equity in this span of time yet.">
          {({ items }) => <Both items={items} told={told} />}
        </Loaded>
      )}
    </Panel>
  );
}

function Both({ items, told }: { items: readonly Mark[]; told: readonly Mark[] }) {
  const series = useMemo((): Series[] => {
    const at = (one: Mark) => Date.parse(one.at) / 1000;
    const forward = [...joined(items, told)].reverse(); // of one second the last one counts
    const worth = forward.map((one) => ({ time: at(one), value: Number(one.equity) }));
    const fallen = forward.map((one) => ({ time: at(one), value: -Number(one.drawdown ?? 0) }));
    return [
      { name: "Equity", kind: "area", points: worth },
      { name: "Drawdown", kind: "area", color: "--down", points: fallen, pane: 1, format: below },
    ];
  }, [items, told]);
  return <Chart label="Equity and drawdown" series={series} height={HEIGHT} format={money} />;
}
