import { Anchor } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Schemas } from "@/api/client";
import { useBots, useHalts, useKillSwitch, useMarket } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { StatCard } from "@/components/StatCard";
import { Change } from "@/components/Values";
import * as f from "@/format";
import { holdOf } from "@/standing";

type Summary = Schemas["SummaryView"];

const TIPS = {
  equity: "Cash and open positions at the newest prices, of all bots together.",
  today: "What the equity has gained or lost since the market day began at 00:00 UTC of market time.",
  open: "What open positions would bring if they were closed at the newest prices, before fees.",
  positions: "How many symbols are held now, by all bots together.",
  trading: "How many bots may trade: open positions. The kill switch, a halt, a market clock that stands still, and a bot's own switch stop them; exits always work.",
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
  const { data: bots } = useBots();
  const { data: halts } = useHalts();
  const { data: market } = useMarket();
  if (!kill || !bots || !halts) return <StatCard label="Trading" tip={TIPS.trading} value={f.NONE} />;
  const on = bots.items.filter((bot) => bot.enabled);
  const holds = on.map((bot) => holdOf(bot, kill, halts.items));
  const [may, halted, stopped] = [null, "halted", "stopped"].map((hold) => holds.filter((one) => one === hold).length) as [number, number, number];
  const value = on.length === 0 ? "Off" : may === 0 ? "Stopped" : may < on.length ? "Partly" : market?.frozen ? "Waiting" : "On";
  const off = bots.items.length - on.length;
  const counts = [[may, "may trade"], [halted, "halted"], [stopped, "stopped"], [off, "switched off"]] as const;
  const words = counts.filter(([count], at) => count > 0 || at === 0).map(([count, what]) => `${count} ${what}`).join(", ");
  const [to, note] = bots.items.length === 0 ? ["/settings?bot=new", "Create a bot"] : value === "Off" ? ["/settings", words] : ["/settings/limits", words];
  return (
    <StatCard
      label="Trading"
      tip={TIPS.trading}
      value={value}
      note={value === "Waiting" ? "the clock stands still" : value === "On" ? words : <Anchor component={Link} to={to} inherit>{note}</Anchor>}
      tone={value === "On" ? "" : value === "Off" || value === "Waiting" ? "warn" : "down"}
    />
  );
}
