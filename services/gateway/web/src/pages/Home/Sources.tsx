import { Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "@/api/client";
import { useFlags } from "@/api/shared";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import * as f from "@/format";
import { useModels, useQuantConnect, useStrategies } from "./queries";

type Tone = "up" | "down" | "dim" | "warn";

interface Entry {
  key: string;
  name: string;
  kind: string;
  tone: Tone;
  state: string;
  about: string;
  problem?: string | null;
  sandbox?: boolean;
}

interface Connected {
  is_active: boolean;
  connected: boolean;
  last_ok_at?: string | null;
  last_error?: string | null;
}

function connection(one: Connected): [Tone, string] {
  if (!one.is_active) return ["dim", "Switched off"];
  if (one.connected) return ["up", "Connected"];
  return one.last_ok_at || one.last_error ? ["down", "Not connected"] : ["warn", "Not asked yet"];
}

function ofQuantConnect(one: Schemas["ConnectionStatus"]): Entry {
  const [tone, state] = connection(one);
  const running = (one.algorithms ?? []).filter((each) => each.status === "Running").length;
  const about = `${running} of ${one.algorithms?.length ?? 0} algorithms running, last answer ${f.ago(one.last_ok_at)}`;
  return { key: `q-${one.config_id}`, name: one.name, kind: "QuantConnect", tone, state, about, problem: one.last_error, sandbox: one.target === "sandbox" };
}

function ofModel(one: Schemas["LlmStatus"]): Entry {
  const [tone, state] = connection(one);
  const about = one.todo || `${one.model}, ${f.count(one.decisions_today)} decisions today for ${f.cost(one.cost_today_usd)}`;
  return { key: `l-${one.config_id}`, name: one.name, kind: "AI", tone, state, about, problem: one.trouble ?? one.last_error, sandbox: one.target === "sandbox" };
}

function ofStrategy(one: Schemas["StrategyView"]): Entry {
  const tone: Tone = !one.active ? "dim" : one.problem ? "down" : one.status ? "up" : "warn";
  const state = one.active ? f.sentence(one.status ?? "not started yet") : "Switched off";
  const symbols = one.symbols.length > 3 ? `${one.symbols.slice(0, 3).join(", ")} and ${one.symbols.length - 3} more` : one.symbols.join(", ");
  return { key: `s-${one.id}`, name: one.id, kind: "Classic", tone, state, about: `${f.words(one.strategy)} on ${one.interval} bars of ${symbols}`, problem: one.problem };
}

/** Who speaks, and whether they can. */
export function Sources() {
  const connections = useQuantConnect();
  const models = useModels();
  const strategies = useStrategies();
  const { data: flags } = useFlags();
  const off = Object.entries(flags ?? {}).filter(([, on]) => !on).map(([type]) => f.sourceType(type));
  return (
    <Panel title="Sources" tip="Who raises signals: QuantConnect algorithms, language models (AI) and classic strategies." className="third">
      <Stack gap="sm" className="scrolls" tabIndex={0} role="group" aria-label="Sources and their states">
        {off.length > 0 && <Text size="sm" className="down">Switched off for all bots: {off.join(", ")}.</Text>}
        <Loaded query={connections} height={60} empty={<Link to="/quantconnect/configuration">Add a QuantConnect account</Link>}>
          {({ items }) => items.map((one) => <Row key={one.config_id} entry={ofQuantConnect(one)} />)}
        </Loaded>
        <Loaded query={models} height={60} empty={<Link to="/ai-trading/configuration">Add a language model</Link>}>
          {({ items }) => items.map((one) => <Row key={one.config_id} entry={ofModel(one)} />)}
        </Loaded>
        <Loaded query={strategies} height={60} empty={<Link to="/settings/sources">Add a classic strategy</Link>}>
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
        <Text size="sm" fw={600} className="clips" title={entry.name}>
          {entry.name}
        </Text>
        <Text size="xs" className={`dot ${entry.tone}`} span>{entry.state}</Text>
      </Group>
      <Text size="xs" c="dimmed">{entry.kind}{entry.sandbox && " (sandbox)"} · {entry.about}</Text>
      {entry.problem && <Text size="xs" className="down">{entry.problem}</Text>}
    </div>
  );
}
