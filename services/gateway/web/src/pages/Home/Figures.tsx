import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { useBots, useKillSwitch } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { StatCard } from "@/components/StatCard";
import { Change } from "@/components/Values";
import * as f from "@/format";
import { useHalts } from "./queries";

type Summary = Schemas["SummaryView"];

const TIPS = {
  equity: "Cash and open positions at the newest prices, of all bots together.",
  today: "What the equity has gained or lost since the market day began at 00:00 UTC of market time.",
  open: "What open positions would bring if they were closed at the newest prices, before fees.",
  positions: "How many symbols are held now, by all bots together.",
  trading: "How many bots may open positions. The kill switch, a halt, and a bot's own switch stop them; exits always work.",
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
  if (!kill || !bots || !halts) return <StatCard label="Trading" tip={TIPS.trading} value={f.NONE} />;
  const on = bots.items.filter((bot) => bot.enabled);
  const free = on.filter((bot) => !kill.everything && !kill.bots?.includes(bot.id) && !kill.accounts?.includes(bot.account));
  const halted = free.filter((bot) => halts.items.some((alert) => alert.about === `bot:${bot.id}`)).length;
  const may = free.length - halted;
  const value = on.length === 0 ? "Off" : may === 0 ? "Stopped" : may < on.length ? "Partly stopped" : "On";
  const off = bots.items.length - on.length;
  const counts = [[may, "may open positions"], [halted, "halted"], [on.length - free.length, "stopped"], [off, "switched off"]] as const;
  const note = counts.filter(([count], at) => count > 0 || at === 0).map(([count, what]) => `${count} ${what}`).join(", ");
  return <StatCard label="Trading" tip={TIPS.trading} value={value} note={note} tone={value === "On" ? "" : value === "Off" ? "warn" : "down"} />;
}
