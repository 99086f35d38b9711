import { SegmentedControl } from "@mantine/core";
import { Empty, Loaded } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change, State } from "@/components/Values";
import * as f from "@/format";
import { TERM } from "@/terms";
import { type Part, type PartBy, type Target, useBreakdown } from "../queries";
import { TERMS } from "../terms";

const BY: { value: PartBy; label: string }[] = [
  { value: "model", label: "Model" },
  { value: "provider", label: "Provider" },
  { value: "symbol", label: "Symbol" },
  { value: "config", label: "Config" },
];

const TARGET: Column<Part> = { id: "target", header: "Target", tip: "The real provider, or the sandbox that plays it.", width: "84px", cell: (one) => (one.target ? <State state={one.target} /> : f.NONE) };

const USED: readonly Column<Part>[] = [
  { id: "name", header: "Name", width: "minmax(130px, 2fr)", cell: (one) => <span title={one.key}>{one.name || "none"}</span>, sort: (one) => one.name },
  { id: "cost", header: "Cost", tip: "What its answers have cost.", width: "76px", right: true, cell: (one) => f.cost(one.cost_usd), sort: (one) => Number(one.cost_usd) },
  { id: "share", header: "Share", tip: "Of the cost of all.", width: "64px", right: true, cell: (one) => f.share(one.share), sort: (one) => Number(one.share) },
  { id: "decisions", header: "Decisions", tip: TERMS.decision, width: "88px", right: true, cell: (one) => f.count(one.decisions), sort: (one) => one.decisions },
  { id: "each", header: "Per decision", tip: "Cost of one decision, refusals and failures too.", width: "102px", right: true, cell: (one) => f.cost(one.cost_per_decision), sort: (one) => Number(one.cost_per_decision) },
  { id: "in", header: "Tokens in", width: "94px", right: true, tip: TERMS.tokens, cell: (one) => f.compact(one.tokens_in), sort: (one) => one.tokens_in },
  { id: "out", header: "Out", tip: "Tokens of the answers.", width: "64px", right: true, cell: (one) => f.compact(one.tokens_out), sort: (one) => one.tokens_out },
  { id: "cached", header: "Cached", width: "88px", right: true, tip: TERMS.cachedShare, cell: (one) => f.share(one.cached_share), sort: (one) => Number(one.cached_share) },
];
const EARNED: readonly Column<Part>[] = [
  { id: "fills", header: "Fills", tip: TERM.fills, width: "66px", right: true, cell: (one) => f.count(one.fills), sort: (one) => one.fills ?? 0 },
  { id: "fill", header: "Per fill", width: "82px", right: true, tip: TERMS.costPerFill, cell: (one) => f.cost(one.cost_per_fill), sort: (one) => Number(one.cost_per_fill) },
  { id: "after", header: "P&L after cost", width: "120px", right: true, tip: TERMS.afterCost, cell: (one) => <Change value={one.pnl_after_cost} />, sort: (one) => Number(one.pnl_after_cost) },
];
const ALONE = [...USED, TARGET];
const ALL = [...USED, ...EARNED, TARGET];

interface Props {
  by: string | undefined;
  onBy: (by: string) => void;
  only: { config?: string; target?: Target };
}

/** The parts of what was spent. */
export function Parts({ by, onBy, only }: Props) {
  const kind = BY.find((one) => one.value === by)?.value ?? "model";
  const query = useBreakdown(kind, only);
  const earned = kind === "config" || kind === "symbol";
  return (
    <>
      <SegmentedControl size="xs" mb="sm" w="fit-content" aria-label="Parts by" data={BY} value={kind} onChange={onBy} />
      <Loaded query={query} height={180}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty height={180}>Nothing was asked yet, so nothing was spent.</Empty>
          ) : (
            <SimpleTable label={`Cost by ${kind}`} rows={items} columns={earned ? ALL : ALONE} idOf={(one) => one.key} />
          )
        }
      </Loaded>
    </>
  );
}
