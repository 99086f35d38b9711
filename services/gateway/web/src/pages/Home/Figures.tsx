import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { useKillSwitch } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { StatCard } from "@/components/StatCard";
import { Change } from "@/components/Values";
import * as f from "@/format";

type Summary = Schemas["SummaryView"];

const TIPS = {
  equity: "Cash and open positions at the newest prices, of all bots together.",
  today: "What the equity has gained or lost since the market day began at 00:00 UTC of market time.",
  open: "What open positions would bring if they were closed at the newest prices, before fees.",
  positions: "How many symbols are held now, by all bots together.",
  trading: "Whether bots may open positions. The kill switch stops them; exits always work.",
};

/** The figures on top of the page. */
export function Figures({ summary }: { summary: UseQueryResult<Summary> }) {
  return (
    <Loaded query={summary} height={92}>
      {({ total }) => (
        <div className="cards">
          <StatCard label="Equity" tip={TIPS.equity} value={f.money(total.equity)} />
          <StatCard
            label="P&L today"
            tip={TIPS.today}
            value={f.change(total.pnl_today)}
            tone={f.direction(total.pnl_today)}
            note={<Change value={total.pnl_today_share} percent />}
          />
          <StatCard
            label="Unrealised P&L"
            tip={TIPS.open}
            value={f.change(total.unrealised_pnl)}
            tone={f.direction(total.unrealised_pnl)}
          />
          <StatCard
            label="Open positions"
            tip={TIPS.positions}
            value={f.count(total.open_positions)}
            note={`${f.money(total.exposure_gross)} at stake`}
          />
          <Trading />
        </div>
      )}
    </Loaded>
  );
}

function Trading() {
  const { data: kill } = useKillSwitch();
  const partly = Boolean(kill?.accounts?.length || kill?.bots?.length);
  const value = !kill ? f.NONE : kill.everything ? "Stopped" : partly ? "Partly stopped" : "On";
  return <StatCard label="Trading" tip={TIPS.trading} value={value} tone={kill?.everything || partly ? "down" : ""} />;
}
