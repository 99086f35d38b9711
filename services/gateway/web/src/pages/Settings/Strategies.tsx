import { Badge, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { useAddress } from "@/address";
import { api, must, type Schemas } from "@/api/client";
import { useMay, useRefresh, useStrategies } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { FormDialog } from "@/components/FormDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { State } from "@/components/Values";
import { sentence } from "@/format";
import { StrategyForm } from "./StrategyForm";

type Strategy = Schemas["StrategyView"];
type Asked = { strategy: Strategy; what: "on" | "off" | "delete" };
const NEW = "new";

/** sma-cross: Sma cross */
export const nameOf = (kind: string): string => sentence(kind.replaceAll(/[-_]/g, " ")).replace(/\b(sma|ema|rsi|macd)\b/i, (word) => word.toUpperCase());

/** Classic strategies: fixed rules on bars, each a source of its own. */
export function Strategies() {
  const query = useStrategies();
  const may = useMay("admin");
  const [{ strategy: edited }, set] = useAddress("strategy");
  const edit = (id: string | null) => set({ strategy: id });
  const [asked, setAsked] = useState<Asked | null>(null);
  const found = query.data?.items.find((one) => one.id === edited);
  return (
    <Panel
      title="Classic strategies"
      tip="Fixed rules on closed bars. Each is a source: bots that listen to classic strategies hear it."
      actions={
        may && (
          <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => edit(NEW)}>
            New strategy
          </Button>
        )
      }
    >
      <Loaded query={query} height={240}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty action={may && <Button onClick={() => edit(NEW)}>Create a strategy</Button>}>No classic strategy runs. Create one, and let a bot listen to it.</Empty>
          ) : (
            <div className="bots">
              {items.map((one) => (
                <StrategyCard key={one.id} strategy={one} may={may} edit={() => edit(one.id)} ask={(what) => setAsked({ strategy: one, what })} />
              ))}
            </div>
          )
        }
      </Loaded>
      <FormDialog opened={Boolean(found) || edited === NEW} onClose={() => edit(null)} title={found ? `Strategy ${found.id}` : "New strategy"} size="lg">
        <StrategyForm key={edited} strategy={found} onDone={() => edit(null)} />
      </FormDialog>
      {asked && <Question {...asked} onClose={() => setAsked(null)} />}
    </Panel>
  );
}

function Question({ strategy, what, onClose }: Asked & { onClose: () => void }) {
  const refresh = useRefresh();
  const act = async () => {
    if (what === "delete") await must(api.DELETE("/api/strategies/{strategy_id}", { params: { path: { strategy_id: strategy.id } } }));
    else await must(api.POST("/api/strategies", { body: { id: strategy.id, active: what === "on" } }));
    told(what === "delete" ? `Strategy ${strategy.id} is deleted.` : `Strategy ${strategy.id} is switched ${what}.`);
    await refresh("strategies");
  };
  const verb = what === "delete" ? "Delete" : `Switch ${what}`;
  const texts = {
    on: "It warms up on past bars and speaks from the next close on.",
    off: "It says nothing more. What it bought stays until somebody sells it.",
    delete: "It says nothing more. What it bought stays until somebody sells it; its trades stay in the records.",
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={`${verb} ${strategy.id}?`} confirm={verb} danger={what !== "on"} act={act}>
      {texts[what]}
    </ConfirmDialog>
  );
}

function StrategyCard({ strategy, may, edit, ask }: { strategy: Strategy; may: boolean; edit: () => void; ask: (what: Asked["what"]) => void }) {
  const given = Object.entries(strategy.parameters);
  return (
    <Card component="article" aria-label={`Strategy ${strategy.id}`}>
      <Stack gap="sm" h="100%">
        <Group justify="space-between" gap="sm" align="flex-start" wrap="nowrap">
          <div>
            <Title order={3}>{nameOf(strategy.strategy)}</Title>
            <Text size="xs" c="dimmed">{strategy.id}</Text>
          </div>
          {strategy.active ? <State state={strategy.status ?? "starting"} /> : <Badge color="gray">Off</Badge>}
        </Group>
        {strategy.problem && <Text size="sm" className="down">{strategy.problem}</Text>}
        <Facts
          items={[
            ["Symbols", strategy.symbols.join(", ")],
            ["Bars", strategy.interval],
            ["Parameters", given.length ? given.map(([name, value]) => `${name} ${value}`).join(", ") : "its defaults"],
          ]}
        />
        <Group gap="sm" mt="auto">
          {may && (
            <>
              <Button size="xs" variant="default" onClick={edit}>
                Edit
              </Button>
              <Button size="xs" variant="default" onClick={() => ask(strategy.active ? "off" : "on")}>
                {strategy.active ? "Switch off" : "Switch on"}
              </Button>
              <Button size="xs" variant="subtle" color="red" onClick={() => ask("delete")}>
                Delete
              </Button>
            </>
          )}
          <Button size="xs" variant="subtle" component={Link} to={`/activity?source=strategy&id=${encodeURIComponent(strategy.id)}`}>
            Signals
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
