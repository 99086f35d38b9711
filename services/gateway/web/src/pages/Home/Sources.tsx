import { Anchor, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "@/api/client";
import { useConnections, useFlags, useModels, useStrategies } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { Time } from "@/components/Values";
import * as f from "@/format";
import { isLive, type Standing, standing } from "@/standing";

type Tone = "up" | "down" | "dim" | "warn";

interface Entry {
  key: string;
  name: string;
  kind: string;
  tone: Tone;
  state: string;
  about: ReactNode;
  problem?: string | null;
  sandbox?: boolean;
}

const TONES: Record<Standing, Tone> = { incomplete: "dim", "switched off": "dim", connected: "up", "not connected": "down", waiting: "warn" };
const toneAndState = (stands: Standing) => ({ tone: TONES[stands], state: f.sentence(stands) });

function ofQuantConnect(one: Schemas["ConnectionStatus"]): Entry {
  const running = (one.algorithms ?? []).filter(isLive).length;
  const about = <>{`${running} of ${one.algorithms?.length ?? 0} algorithms running, last answer `}<Time at={one.last_ok_at} show="ago" /></>;
  return { key: `q-${one.config_id}`, name: one.name, kind: "QuantConnect", ...toneAndState(standing(one)), about, problem: one.last_error, sandbox: one.target === "sandbox" };
}

function ofModel(one: Schemas["LlmStatus"]): Entry {
  const about = one.todo || `${one.model}, ${f.count(one.decisions_today)} decisions today for ${f.cost(one.cost_today_usd)}`;
  return { key: `l-${one.config_id}`, name: one.name, kind: "AI", ...toneAndState(standing(one)), about, problem: one.trouble ?? one.last_error, sandbox: one.target === "sandbox" };
}

function ofStrategy(one: Schemas["StrategyView"]): Entry {
  const tone: Tone = !one.active ? "dim" : one.problem ? "down" : one.status ? "up" : "warn";
  const state = one.active ? f.sentence(one.status ?? "not started yet") : "Switched off";
  const symbols = one.symbols.length > 3 ? `${one.symbols.slice(0, 3).join(", ")} and ${one.symbols.length - 3} more` : one.symbols.join(", ");
  return { key: `s-${one.id}`, name: one.id, kind: "Classic", tone, state, about: `${f.words(one.strategy)} on ${one.interval} bars of ${symbols}`, problem: one.problem };
}

/** Who speaks, and whether they can. */
export function Sources() {
  const connections = useConnections();
  const models = useModels();
  const strategies = useStrategies();
  const { data: flags } = useFlags();
  const off = Object.entries(flags ?? {}).filter(([, on]) => !on).map(([type]) => f.sourceType(type));
  return (
    <Panel title="Sources" tip="Who raises signals: QuantConnect algorithms, language models (AI) and classic strategies." className="third">
      <Stack gap="sm" className="scrolls" tabIndex={0} role="group" aria-label="Sources and their states">
        {off.length > 0 && <Text size="sm" className="down">Switched off for all bots: {off.join(", ")}.</Text>}
        <Loaded query={connections} height={60} empty={<Anchor component={Link} to="/quantconnect/configuration" inherit>Add a QuantConnect account</Anchor>}>
          {({ items }) => items.map((one) => <Row key={one.config_id} entry={ofQuantConnect(one)} />)}
        </Loaded>
        <Loaded query={models} height={60} empty={<Anchor component={Link} to="/ai-trading/configuration" inherit>Add a language model</Anchor>}>
          {({ items }) => items.map((one) => <Row key={one.config_id} entry={ofModel(one)} />)}
        </Loaded>
        <Loaded query={strategies} height={60} empty={<Anchor component={Link} to="/settings/strategies" inherit>Add a classic strategy</Anchor>}>
          {({ items }) => items.map((one) => <Row key={one.id} entry={ofStrategy(one)} />)}
        </Loaded>
      </Stack>
    </Panel>
  );
}

function Row({ entry }: { entry: Entry }): ReactNode {
  return (
    <div className="entry">
      <Group gap="sm" wrap="nowrap" justify="space-between" align="baseline">
        <Text size="sm" fw={600} className="unbroken">
          {entry.name}
        </Text>
        <Text size="xs" className={`dot ${entry.tone}`} span>{entry.state}</Text>
      </Group>
      <Text size="xs" c="dimmed">{entry.kind}{entry.sandbox && " (sandbox)"} · {entry.about}</Text>
      {entry.problem && <Text size="xs" className="down">{entry.problem}</Text>}
    </div>
  );
}
