import { Badge, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { useAddress } from "@/address";
import { api, must, type Schemas } from "@/api/client";
import { useAccounts, useBots, useHalts, useKillSwitch, useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { FormDialog } from "@/components/FormDialog";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { money, sentence, setShare, sourceType } from "@/format";
import { holdOf } from "@/standing";
import { BotForm } from "./BotForm";
import type { Bot } from "./values";

const NEW = "new";
type Asked = { bot: Bot; what: "on" | "off" | "delete" };

/** Every bot, and the form of one: `?bot=demo`, `?bot=new`. */
export function Bots() {
  const bots = useBots();
  const may = useMay("admin");
  const [{ bot: edited }, set] = useAddress("bot");
  const [asked, setAsked] = useState<Asked | null>(null);
  const edit = (bot: string | null) => set({ bot });
  const bot = bots.data?.items.find((one) => one.id === edited);
  const isNew = may && edited === NEW;
  return (
    <Panel
      title="Bots"
      tip="A bot is one book: who it listens to, how it decides, what it may do, on one account."
      actions={
        may && (
          <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => edit(NEW)}>
            New bot
          </Button>
        )
      }
    >
      <Loaded query={bots} height={240}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty action={may && <Button onClick={() => edit(NEW)}>Create a bot</Button>}>No bot listens to any source, so nothing is traded. Create one; it gets a paper account.</Empty>
          ) : (
            <div className="bots">
              {items.map((one) => (
                <BotCard key={one.id} bot={one} may={may} edit={() => edit(one.id)} ask={(what) => setAsked({ bot: one, what })} />
              ))}
            </div>
          )
        }
      </Loaded>
      <FormDialog
        drawer
        opened={Boolean(bot) || isNew}
        onClose={() => edit(null)}
        size="xl"
        title={<Text fw={600} size="lg" component="span">{bot ? bot.name : "New bot"}</Text>}
      >
        {bot && <BotForm key={bot.id} bot={bot} isNew={false} onDone={() => edit(null)} />}
        {isNew && <NewBot onDone={() => edit(null)} />}
      </FormDialog>
      {asked && <Question {...asked} onClose={() => setAsked(null)} />}
    </Panel>
  );
}

/** The form of a new bot, once the gateway has said what one begins with. */
function NewBot({ onDone }: { onDone: () => void }) {
  const defaults = useQuery({ queryKey: ["bots", "defaults"], queryFn: () => must(api.GET("/api/defaults/bot")) });
  const sources: Bot["sources"] = [{ source_type: "quantconnect" }, { source_type: "llm" }, { source_type: "strategy" }];
  return (
    <Loaded query={defaults} height={480}>
      {(parts) => <BotForm bot={{ id: "", name: "", account: "", sources, ...parts }} isNew onDone={onDone} />}
    </Loaded>
  );
}

function Question({ bot, what, onClose }: Asked & { onClose: () => void }) {
  const refresh = useRefresh();
  const act = async () => {
    if (what === "delete") await must(api.DELETE("/api/bots/{bot_id}", { params: { path: { bot_id: bot.id } } }));
    else await must(api.POST("/api/bots", { body: { id: bot.id, enabled: what === "on" } }));
    told(what === "delete" ? `Bot ${bot.id} is deleted; its account stays.` : `Bot ${bot.id} is switched ${what}.`);
    await refresh("bots", "accounts");
  };
  const words: Record<Asked["what"], [string, string, string]> = {
    on: [`Switch ${bot.id} on?`, "Switch on", "From the next signal on it trades again, within its limits."],
    off: [`Switch ${bot.id} off?`, "Switch off", "It opens nothing more. What it holds stays; stops, exits and your own commands still work."],
    delete: [`Delete ${bot.id}?`, "Delete", "Its settings are gone for good; what it has traded stays in the records. It must hold nothing."],
  };
  const [title, confirm, text] = words[what];
  return (
    <ConfirmDialog opened onClose={onClose} title={title} confirm={confirm} danger={what !== "on"} act={act}>
      {text}
    </ConfirmDialog>
  );
}

function sizeOf({ sizing }: Bot): string {
  if (sizing?.kind === "percent_of_equity") return `${setShare(sizing.fraction)} of the equity`;
  if (sizing?.kind === "volatility_target") return `risks ${setShare(sizing.risk)} of the equity`;
  return money(sizing?.notional);
}

const ruleOf = (rule: Schemas["SourceRule"]): string =>
  `${sourceType(rule.source_type)}${rule.source_id ? ` ${rule.source_id}` : ""}${rule.enabled === false ? " (off)" : ""}`;

function BotCard({ bot, may, edit, ask }: { bot: Bot; may: boolean; edit: () => void; ask: (what: Asked["what"]) => void }) {
  const { data: accounts } = useAccounts();
  const account = accounts?.items.find((one) => one.id === bot.account);
  const [kill, halts] = [useKillSwitch().data, useHalts().data];
  const hold = bot.enabled && kill && halts ? holdOf(bot, kill, halts.items) : null;
  const live = bot.live && account?.mode === "live";
  return (
    <Card component="article" aria-label={`Bot ${bot.id}`}>
      <Stack gap="sm" h="100%">
        <Group justify="space-between" gap="sm" align="flex-start" wrap="nowrap">
          <div>
            <Title order={3}>{bot.name}</Title>
            <Text size="xs" c="dimmed">{bot.id}</Text>
          </div>
          <Group gap={4} wrap="nowrap" flex="none">
            {live && <Badge color="red" variant="filled">Real money</Badge>}
            {bot.approval === "manual" && <Badge color="blue">Asks first</Badge>}
            {hold ? (
              <Badge component={Link} to="/settings/limits" color="red" className="leads">{sentence(hold)}</Badge>
            ) : (
              <Badge color={bot.enabled ? "green" : "gray"}>{bot.enabled ? "On" : "Off"}</Badge>
            )}
          </Group>
        </Group>
        <Facts
          items={[
            ["Listens to", bot.sources.map(ruleOf).join(", ")],
            ["Policy", sentence(bot.policy?.kind)],
            ["Each entry", sizeOf(bot)],
            ["Symbols", bot.symbols?.length ? bot.symbols.join(", ") : "every one"],
            ["Account", account ? `${account.id} (${account.broker})` : bot.account],
            ["Halts at", `${setShare(bot.limits?.halt_daily_loss)} loss of a day`],
          ]}
        />
        {may && (
          <Group gap="sm" mt="auto">
            <Button size="xs" variant="default" onClick={edit}>
              Edit
            </Button>
            <Button size="xs" variant="default" onClick={() => ask(bot.enabled ? "off" : "on")}>
              {bot.enabled ? "Switch off" : "Switch on"}
            </Button>
            <Button size="xs" variant="subtle" color="red" onClick={() => ask("delete")}>
              Delete
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
