import { useBudgets, useModels } from "@/api/shared";
import { StatCard } from "@/components/StatCard";
import * as f from "@/format";
import { useBreakdown, useCosts } from "../queries";
import { plural, TERMS } from "../terms";

/** The figures at the top. What is not known yet is a dash; the panels below say why. */
export function Figures() {
  const budgets = useBudgets().data?.items;
  const statuses = useModels().data?.items;
  const newest = useCosts("day", undefined, undefined).data?.items[0];
  const total = useBreakdown("config").data?.total;
  const day = budgets?.find((line) => line.scope === "total" && line.period === "day");
  const today = newest && newest.period === day?.key ? newest : undefined;
  const active = statuses?.filter((one) => one.is_active) ?? [];
  const connected = active.filter((one) => one.connected).length;
  return (
    <div className="cards">
      <StatCard
        label="Models that answer"
        tip="Active configs whose provider accepts key and model."
        value={statuses ? `${connected} of ${active.length}` : f.NONE}
        tone={connected < active.length ? "warn" : ""}
      />
      <StatCard
        label="Decisions today"
        tip={`${TERMS.decision} Days are of wall time, UTC.`}
        value={day ? f.count(today?.decisions ?? 0) : f.NONE}
        note={today && `${f.count(today.signals)} became a signal`}
      />
      <StatCard
        label="Spent today"
        tip={TERMS.budget}
        value={day ? f.cost(day.spent_usd) : f.NONE}
        note={day && (day.limit_usd === null ? "no limit" : `of ${f.cost(day.limit_usd)}`)}
      />
      <StatCard label="Valid answers" tip={TERMS.validity} value={f.share(total?.validity)} note={total && `of ${f.count(total.decisions)}`} />
      <StatCard
        label="P&L after cost"
        tip={TERMS.afterCost}
        value={f.change(total?.pnl_after_cost)}
        tone={f.direction(total?.pnl_after_cost)}
        note={total && plural(total.fills ?? 0, "fill")}
      />
    </div>
  );
}
