import { StatCard } from "@/components/StatCard";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import * as f from "@/format";
import { useBreakdown, useConfigs } from "../queries";
import { asTarget, TargetFilter } from "../TargetFilter";
import { plural, TERMS } from "../terms";
import { Budgets } from "./Budgets";
import { History } from "./History";
import { Parts } from "./Parts";
import { Unresolved } from "./Unresolved";

/** What asking models costs, by time and by part, against budgets and against what it earned. */
export function Costs() {
  const [filters, setFilter] = useFilters("target", "config", "part");
  const configs = useConfigs().data?.items;
  const target = asTarget(filters.target);
  const only = { config: filters.config, target };
  return (
    <>
      <Sums />
      <FilterBar>
        <TargetFilter value={filters.target} onChange={(value) => setFilter("target", value)} />
        <FilterSelect label="Config" value={filters.config} onChange={(value) => setFilter("config", value)} data={configs?.map((one) => one.id) ?? []} width={200} />
      </FilterBar>
      <div className="grid">
        <Panel title="Each day" tip="The last 30 days of wall time, UTC. A call that was settled later stands here with the estimate of its decision; budgets have the true cost." className="half">
          <History period="day" {...only} />
        </Panel>
        <Panel title="Each month" tip="The last 12 months of wall time, UTC." className="half">
          <History period="month" {...only} />
        </Panel>
        <Panel title="Budgets" tip={TERMS.budget}>
          <Budgets />
        </Panel>
        <Panel title="Who used what" tip="Dearest first. Profit and fills are known by config and symbol, and over the whole time only.">
          <Parts by={filters.part} onBy={(part) => setFilter("part", part)} only={only} />
        </Panel>
        <Panel title="Unresolved calls" tip={TERMS.unresolved}>
          <Unresolved />
        </Panel>
      </div>
    </>
  );
}

function Sums() {
  const total = useBreakdown("config").data?.total;
  return (
    <div className="cards">
      <StatCard label="Spent in all" tip="All models, over the whole time. Part of it may be an estimate." value={f.cost(total?.cost_usd)} note={total && Number(total.estimated_usd) > 0 && `${f.cost(total.estimated_usd)} estimated`} />
      <StatCard label="Per decision" tip="Cost of one decision; refusals and failures count too." value={f.cost(total?.cost_per_decision)} note={total && plural(total.decisions, "decision")} />
      <StatCard label="Per filled trade" tip={TERMS.costPerFill} value={f.cost(total?.cost_per_fill)} note={total && plural(total.fills ?? 0, "fill")} />
      <StatCard label="P&L after cost" tip={TERMS.afterCost} value={f.change(total?.pnl_after_cost)} tone={f.direction(total?.pnl_after_cost)} note={total && `${f.change(total.realised_pnl)} before`} />
      <StatCard label="Input from cache" tip={TERMS.cachedShare} value={f.share(total?.cached_share)} note={total && `${f.compact(total.tokens_in)} tokens in`} />
    </div>
  );
}
