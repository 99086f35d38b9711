import { Button } from "@mantine/core";
import { Link, useNavigate } from "react-router";
import { useBudgets, useModels } from "@/api/shared";
import { Empty, Loaded } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { State, Time } from "@/components/Values";
import * as f from "@/format";
import { standing } from "@/standing";
import type { Status } from "../queries";

type Row = Status & { spent: boolean };

const isSpent = (lines: Status["budget"]): boolean => lines.some((line) => line.left_usd !== null && Number(line.left_usd) <= 0);
/** How it stands; who answers and may not be asked any more is over budget. */
const stateOf = (one: Row): string => (one.spent && standing(one) === "connected" ? "over_budget" : standing(one));
const left = (one: Status) => one.budget.find((line) => line.period === "day")?.left_usd;

const COLUMNS: readonly Column<Row>[] = [
  { id: "name", header: "Config", tip: "A model, its prompt, its symbols and its budget.", width: "minmax(150px, 2fr)", cell: (one) => <span title={one.name}>{one.name}</span>, sort: (one) => one.name },
  { id: "model", header: "Model", tip: "The model that is asked.", width: "minmax(110px, 1fr)", cell: (one) => one.model || f.NONE, sort: (one) => one.model },
  { id: "target", header: "Target", width: "86px", tip: "The sandbox plays providers; its answers come from a small rule, not from a model.", cell: (one) => <State state={one.target} /> },
  { id: "state", header: "State", tip: "How its provider answers, and whether its budget is spent; hover for what to do.", width: "112px", cell: (one) => <State state={stateOf(one)} title={one.last_error ?? one.todo} />, sort: stateOf },
  { id: "next", header: "Next question", width: "122px", tip: "Market time. Moves of the price may bring one sooner.", cell: (one) => <Time at={one.next_at} /> },
  { id: "decisions", header: "Today", width: "72px", right: true, tip: "Decisions of this day, UTC.", cell: (one) => f.count(one.decisions_today), sort: (one) => one.decisions_today },
  { id: "cost", header: "Cost today", tip: "What its decisions of this day, UTC, have cost.", width: "98px", right: true, cell: (one) => f.cost(one.cost_today_usd), sort: (one) => Number(one.cost_today_usd) },
  { id: "left", header: "Left today", width: "98px", right: true, tip: "Of the config's own budget. Calls under way are taken off already.", cell: (one) => (left(one) ? f.cost(left(one)) : "no limit") },
];

/** Every config and how it stands. */
export function Models() {
  const navigate = useNavigate();
  const total = useBudgets().data?.items.filter((line) => line.scope === "total") ?? [];
  return (
    <Loaded query={useModels()} height={150}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty height={150} action={<Button component={Link} to="/ai-trading/configuration?config=new">Add a model</Button>}>
            No language model is configured. Add one with a provider's key, or one of the sandbox to see how it works.
          </Empty>
        ) : (
          <SimpleTable
            label="Models"
            rows={items.map((one) => ({ ...one, spent: isSpent([...total, ...one.budget]) }))}
            columns={COLUMNS}
            idOf={(one) => one.config_id}
            onOpen={(one) => void navigate(`/ai-trading/configuration?config=${encodeURIComponent(one.config_id)}`)}
            rowLabel={(one) => `Open ${one.name}`}
          />
        )
      }
    </Loaded>
  );
}
