import { Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { api, must, type Schemas } from "@/api/client";
import { useBots, useFlags, useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { sourceType } from "@/format";

type Kind = keyof Schemas["FlagsView"];

const KINDS: readonly { kind: Kind; what: string; place: [string, string] }[] = [
  { kind: "quantconnect", what: "Insights or fills of live QuantConnect algorithms, pulled or pushed.", place: ["/quantconnect/configuration", "Accounts and algorithms"] },
  { kind: "llm", what: "Decisions of language models that are fit to trade.", place: ["/ai-trading/configuration", "Models and prompts"] },
  { kind: "strategy", what: "Classic strategies: fixed rules on closed bars.", place: ["/settings/strategies", "Strategies"] },
  { kind: "external", what: "Signals that programs of your own send with an API token.", place: ["/settings/tokens", "API tokens"] },
  { kind: "manual", what: "Signals that a person sends by hand.", place: ["/activity?source=manual", "Signals so far"] },
];

/** Which kinds of sources are let in at all. */
export function Sources() {
  const flags = useFlags();
  const bots = useBots();
  const may = useMay("admin");
  const refresh = useRefresh();
  const [asked, setAsked] = useState<{ kind: Kind; on: boolean } | null>(null);
  const change = async () => {
    if (!asked) return;
    await must(api.PUT("/api/flags", { body: { [asked.kind]: asked.on } }));
    told(`${sourceType(asked.kind)} is switched ${asked.on ? "on" : "off"} for every bot.`);
    await refresh("flags");
  };
  const listeners = (kind: Kind) => bots.data?.items.filter((bot) => bot.sources.some((rule) => rule.source_type === kind && rule.enabled !== false)).length ?? 0;
  return (
    <Panel title="Kinds of sources" tip="One switch for all bots. A signal of a kind that is off still gets a verdict, which says so.">
      <Loaded query={flags} height={320}>
        {(on) => (
          <div>
            {KINDS.map(({ kind, what, place: [to, label] }) => (
              <div className="row" key={kind} role="group" aria-label={sourceType(kind)}>
                <div>
                  <Group gap="sm">
                    <Text fw={600} size="sm">{sourceType(kind)}</Text>
                    <Badge color={on[kind] ? "green" : "gray"}>{on[kind] ? "On" : "Off"}</Badge>
                    <Text size="xs" c="dimmed">{listeners(kind) === 1 ? "1 bot listens" : `${listeners(kind)} bots listen`}</Text>
                  </Group>
                  <Text size="sm" c="dimmed">{what}</Text>
                </div>
                <Group gap="sm">
                  <Button size="xs" variant="subtle" component={Link} to={to}>
                    {label}
                  </Button>
                  <Button size="xs" variant="default" disabled={!may} onClick={() => setAsked({ kind, on: !on[kind] })} aria-label={`Switch ${on[kind] ? "off" : "on"}: ${sourceType(kind)}`}>
                    {on[kind] ? "Switch off" : "Switch on"}
                  </Button>
                </Group>
              </div>
            ))}
          </div>
        )}
      </Loaded>
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked ? `Switch ${sourceType(asked.kind)} ${asked.on ? "on" : "off"}?` : ""}
        confirm={asked?.on ? "Switch on" : "Switch off"}
        danger={!asked?.on}
        act={change}
      >
        {asked?.on
          ? "Bots that listen to such sources act on their next signal again."
          : "No bot acts on such signals any more; they are recorded with a verdict. Positions stay, and so do their stops."}
      </ConfirmDialog>
    </Panel>
  );
}
