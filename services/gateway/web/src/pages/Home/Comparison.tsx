import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "@/api/client";
import { useComparison } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { Change } from "@/components/Values";
import * as f from "@/format";

type Compared = Schemas["ComparedView"];

const COLUMNS: readonly Column<Compared>[] = [
  { id: "name", header: "Kind", tip: "Whose signals: those of language models, of classic strategies, or of QuantConnect.", width: "minmax(110px, 1fr)", cell: (one) => <strong>{f.sentence(one.name)}</strong> },
  {
    id: "pnl", header: "P&L after costs", width: "minmax(120px, 1fr)", right: true, tip: "Realised profit after fees and after what the models were paid.",
    cell: (one) => <Change value={one.pnl_after_cost} />, sort: (one) => Number(one.pnl_after_cost),
  },
  { id: "cost", header: "Model cost", width: "110px", right: true, tip: "What language models were paid.", cell: (one) => f.cost(one.llm_cost) },
  { id: "trades", header: "Trades", width: "90px", right: true, tip: "Lots, or parts of lots, that were closed.", cell: (one) => f.count(one.trades), sort: (one) => one.trades },
  {
    id: "hits", header: "Hit rate", width: "150px", right: true, tip: "Closed with a profit; in brackets between which the true rate lies with 95 per cent confidence.",
    cell: (one) => f.within(one.hit_rate, one.hit_rate_low, one.hit_rate_high),
  },
  {
    id: "mean", header: "Per trade", width: "110px", right: true, tip: "Mean profit of a closed part after all costs.",
    cell: (one) => <span title={one.missing?.expectancy}><Change value={one.expectancy} /></span>,
  },
  {
    id: "fall", header: "Max drawdown", width: "130px", right: true, tip: "Deepest fall below a former high, of what its profit alone would have made of the books.",
    cell: (one) => <span title={one.missing?.max_drawdown}>{f.fall(one.max_drawdown)}</span>,
  },
];
const idOf = (one: Compared): string => one.source_type;

/** AI against classic strategies and QuantConnect. */
export function Comparison() {
  return (
    <Panel
      title="AI against classic strategies"
      tip="Everything earned since the beginning, by the kind of source that owned the position."
      actions={<Anchor component={Link} to="/activity/trades" size="sm">Source by source</Anchor>}
    >
      <Loaded query={useComparison()} height={190}>
        {({ items, statement }) => (
          <>
            <SimpleTable label="AI against classic strategies" rows={items} columns={COLUMNS} idOf={idOf} />
            <Text size="sm" c="dimmed" mt="sm">{statement}</Text>
          </>
        )}
      </Loaded>
    </Panel>
  );
}
