import { Button } from "@mantine/core";
import { Link } from "react-router";
import { FilterBar, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { TERMS } from "../terms";
import { asTarget, TargetFilter } from "../TargetFilter";
import { CalibrationPanel } from "./CalibrationPanel";
import { Figures } from "./Figures";
import { Models } from "./Models";
import { Performance } from "./Performance";
import { Recent } from "./Recent";
import { Spending } from "./Spending";

/** How the models stand, what they said last, what it was worth and what it cost. */
export function Overview() {
  const [filters, setFilter] = useFilters("target", "by", "who");
  const target = asTarget(filters.target);
  return (
    <>
      <Figures />
      <div className="grid">
        <Panel title="Recent decisions" tip={TERMS.decision} className="two-thirds" actions={<More to="decisions">All decisions</More>}>
          <Recent />
        </Panel>
        <Panel title="Spending" tip={TERMS.budget} className="third" actions={<More to="costs">Costs</More>}>
          <Spending />
        </Panel>
        <Panel title="Models" actions={<More to="configuration">Configuration</More>}>
          <Models />
        </Panel>
        <Panel
          title="Model performance"
          tip="What each model answered and what it was worth, scored by the lab at each signal's horizon, traded or not. Replayed days that a model may know from its training prove nothing."
          actions={
            <FilterBar>
              <TargetFilter value={filters.target} onChange={(value) => setFilter("target", value)} />
            </FilterBar>
          }
        >
          <Performance target={target} />
        </Panel>
        <Panel title="Calibration" tip={TERMS.reliability}>
          <CalibrationPanel target={target} by={filters.by} who={filters.who} onBy={(by) => setFilter("by", by)} onWho={(who) => setFilter("who", who)} />
        </Panel>
      </div>
    </>
  );
}

function More({ to, children }: { to: string; children: string }) {
  return (
    <Button component={Link} to={`/ai-trading/${to}`} size="xs" variant="default">
      {children}
    </Button>
  );
}
