import { Empty, Loaded } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change } from "@/components/Values";
import * as f from "@/format";
import { type Calibration, type Part, type Target, useBreakdown, useCalibration } from "../queries";
import { TERMS } from "../terms";

interface Row {
  used: Part;
  judged?: Calibration;
}

/** 57% (48% to 66%) */
export function hitRate(share: Calibration["share"] | undefined): string {
  return share?.count ? f.within(share.hit_rate, share.low, share.high) : f.NONE;
}

/** 57% of 120 */
const hitsOf = (share: Calibration["share"] | undefined): string => (share?.count ? `${f.share(share.hit_rate)} of ${f.count(share.count)}` : f.NONE);

const COLUMNS: readonly Column<Row>[] = [
  { id: "model", header: "Model", tip: "The model that is asked.", width: "minmax(160px, 2fr)", cell: ({ used }) => <span title={used.key}>{used.key || "none"} <span className="dim">{used.target ?? ""}</span></span>, sort: ({ used }) => used.key },
  { id: "decisions", header: "Decisions", tip: TERMS.decision, width: "88px", right: true, cell: ({ used }) => f.count(used.decisions), sort: ({ used }) => used.decisions },
  { id: "valid", header: "Valid", width: "64px", right: true, tip: TERMS.validity, cell: ({ used }) => f.share(used.validity), sort: ({ used }) => Number(used.validity) },
  { id: "actions", header: "Buy / sell / hold", tip: "What it answered, how often.", width: "132px", right: true, cell: ({ used }) => `${used.buys} / ${used.sells} / ${used.holds}` },
  { id: "hits", header: "Hit rate", width: "98px", right: true, tip: TERMS.hitRate, cell: ({ judged }) => <span title={hitRate(judged?.share)}>{hitsOf(judged?.share)}</span>, sort: ({ judged }) => Number(judged?.share.hit_rate ?? -1) },
  { id: "return", header: "Mean return", width: "104px", right: true, tip: TERMS.meanReturn, cell: ({ judged }) => <Change value={judged?.mean_return} percent />, sort: ({ judged }) => Number(judged?.mean_return ?? 0) },
  { id: "brier", header: "Brier", width: "64px", right: true, tip: TERMS.brier, cell: ({ judged }) => f.ratio(judged?.brier), sort: ({ judged }) => Number(judged?.brier ?? 9) },
  { id: "each", header: "Per decision", width: "102px", right: true, tip: "Cost of one decision, refusals and failures too.", cell: ({ used }) => f.cost(used.cost_per_decision), sort: ({ used }) => Number(used.cost_per_decision) },
  { id: "latency", header: "Took", width: "62px", right: true, tip: "Mean time of an answer, repeats included.", cell: ({ used }) => f.took(used.mean_latency_ms), sort: ({ used }) => used.mean_latency_ms ?? 0 },
];

/** What each model did and what it was worth. */
export function Performance({ target }: { target: Target | undefined }) {
  const used = useBreakdown("model", { target });
  const judged = useCalibration("model", target).data?.items;
  return (
    <Loaded query={used} height={150}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty height={150}>Nothing was asked of these models yet. Make a test decision, or wait for the first bar to close.</Empty>
        ) : (
          <SimpleTable
            label="Model performance"
            rows={items.map((one) => ({ used: one, judged: judged?.find((other) => other.key === one.key) }))}
            columns={COLUMNS}
            idOf={({ used: one }) => one.key}
          />
        )
      }
    </Loaded>
  );
}
