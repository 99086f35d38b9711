import { Button } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import { useBots } from "@/api/shared";
import { type Spec, shownAs } from "@/components/fields";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { money, NONE, quantity } from "@/format";
import { LIMIT_GROUPS, LIMITS } from "../bots/specs";
import type { Bot } from "../bots/values";
import { Halts } from "./Halts";
import { KillSwitchPanel } from "./KillSwitch";

interface Row {
  id: string;
  spec: Spec;
  values: Record<string, string>;
}

/** 60 min; 150 s: what somebody has set is never rounded */
const lasting = (seconds: number): string => (seconds < 120 || seconds % 60 ? `${seconds} s` : `${seconds / 60} min`);

function shown(spec: Spec, value: string | number | null | undefined): string {
  const text = shownAs(spec, value);
  if (text === "") return spec.none ?? NONE;
  if (spec.unit === "$") return money(text);
  if (spec.unit === "s") return lasting(Number(text));
  return spec.unit ? `${text}${spec.unit === "%" ? "" : " "}${spec.unit}` : quantity(text);
}

function rowsOf(bots: readonly Bot[]): Row[] {
  const names = LIMIT_GROUPS.flatMap(([, list]) => list);
  return names.map((name) => ({
    id: name,
    spec: LIMITS[name],
    values: Object.fromEntries(bots.map((bot) => [bot.id, shown(LIMITS[name], bot.limits?.[name])])),
  }));
}

/** What may not trade, what is halted, and what each bot may do at most. */
export function Limits() {
  const bots = useBots();
  const items = bots.data?.items;
  const columns = useMemo<Column<Row>[]>(
    () => [
      { id: "name", header: "Limit", cell: (row) => <span title={row.spec.tip}>{row.spec.label}</span>, width: "minmax(140px, 1fr)" },
      ...(items ?? []).map((bot): Column<Row> => ({ id: bot.id, header: bot.id, cell: (row) => row.values[bot.id], width: "minmax(104px, 1fr)", right: true })),
    ],
    [items],
  );
  return (
    <>
      <div className="grid">
        <div className="half">
          <KillSwitchPanel />
        </div>
        <div className="half">
          <Halts />
        </div>
      </div>
      <Panel
        title="Limits of the bots"
        tip="The first limit that objects denies an entry. Exits are never held back by them."
        actions={
          <Button component={Link} to="/settings" size="xs" variant="default">
            Change them in a bot
          </Button>
        }
      >
        <Loaded query={bots} height={400} empty="No bot, no limits. Create a bot first.">
          {(found) => <SimpleTable label="Limits of the bots" rows={rowsOf(found.items)} columns={columns} height={760} />}
        </Loaded>
      </Panel>
    </>
  );
}
