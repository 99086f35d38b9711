import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useBots, useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { NumberField, SelectField, type Spec, TextField } from "@/components/fields";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";
import { sentence } from "@/format";

type Alert = Schemas["AlertView"];
const MOST = 200;
const WHOLE = "*";
const CODES = ["key_halted", "bot_halted", "books_mismatch"];
const NEXT: Spec = { label: "Go on with verdict number" };

interface Halt {
  id: string;
  bot: string;
  symbol: string; // "*": the whole bot
  next: number; // number of the verdict to go on with, as far as the alert says
  alert: Alert;
}

/** Which halt an alert tells of; null: none. Its message names the number to go on with. */
export function haltOf(alert: Alert): Halt | null {
  if (!alert.active || !CODES.includes(alert.code)) return null;
  const [kind, rest = ""] = alert.about.split(/:(.*)/s);
  const [bot = "", symbol = WHOLE] = kind === "bot" ? [rest] : rest.split(/\/(.*)/s);
  const next = Number(/next number, (\d+)/.exec(alert.message)?.[1] ?? 1);
  return bot ? { id: `${bot}/${symbol}`, bot, symbol: symbol || WHOLE, next, alert } : null;
}

const nameOf = (bot: string, symbol: string): string => (symbol === WHOLE ? bot : `${bot}/${symbol}`);

/** Bots and symbols that wait for an admin. */
export function Halts() {
  const query = useQuery({
    queryKey: ["alerts", "halts"],
    queryFn: async () => {
      const { items } = await must(api.GET("/api/alerts", { params: { query: { active: true, code: CODES, limit: MOST } } }));
      const found = items.map(haltOf).filter((halt): halt is Halt => halt !== null);
      return [...new Map(found.reverse().map((halt) => [halt.id, halt])).values()];
    },
  });
  const may = useMay("admin");
  const [asked, setAsked] = useState<{ bot: string; symbol: string; next: number } | null>(null);
  return (
    <Panel
      title="Halts"
      tip="The executor halts a bot, or a bot on one symbol, when it cannot be sure any more. It trades again only when an admin says so."
      actions={
        may && (
          <Button size="xs" variant="default" onClick={() => setAsked({ bot: "", symbol: "", next: 1 })}>
            Clear another…
          </Button>
        )
      }
    >
      <Loaded query={query} height={120}>
        {(halts) =>
          halts.length === 0 ? (
            <Empty>Nothing is halted. What is halted stands here with the reason and the way out.</Empty>
          ) : (
            halts.map((halt) => (
              <div className="row" key={halt.id} role="group" aria-label={`Halt of ${nameOf(halt.bot, halt.symbol)}`}>
                <div>
                  <Text fw={600} size="sm">
                    {halt.symbol === WHOLE ? `Bot ${halt.bot}` : `${halt.bot} on ${halt.symbol}`}: {sentence(halt.alert.code)}
                  </Text>
                  <Text size="sm">{halt.alert.message}</Text>
                  <Text size="xs" c="dimmed">Since <Time at={halt.alert.at} /></Text>
                </div>
                <Button size="xs" variant="default" disabled={!may} onClick={() => setAsked(halt)}>
                  Clear…
                </Button>
              </div>
            ))
          )
        }
      </Loaded>
      {asked && <Clear key={asked.bot} {...asked} onClose={() => setAsked(null)} />}
    </Panel>
  );
}

interface Cleared extends Record<string, unknown> {
  bot: string;
  symbol: string; // empty: the whole bot
  next: string;
}
const problemsOf = ({ bot, symbol, next }: Cleared): Record<string, string> => ({
  ...(bot ? {} : { bot: "Choose the bot." }),
  ...(symbol.trim() === "" || /^[1-9]\d*$/.test(next.trim()) ? {} : { next: "A whole number from 1 on is needed." }),
});

function Clear({ onClose, ...first }: { bot: string; symbol: string; next: number; onClose: () => void }) {
  const { data: bots } = useBots();
  const form = useForm<Cleared>({ initialValues: { bot: first.bot, symbol: first.symbol === WHOLE ? "" : first.symbol, next: String(first.next) }, validate: problemsOf });
  const refresh = useRefresh();
  const { bot, next } = form.values;
  const symbol = form.values.symbol.trim().toUpperCase() || WHOLE;
  const name = nameOf(bot, symbol);
  const act = async () => {
    if (form.validate().hasErrors) throw new Error("Mend the marked field first.");
    const body = { symbol, next_sequence: symbol === WHOLE ? 1 : Number(next) };
    await once(`clear ${name} ${body.next_sequence}`, (key) =>
      must(api.POST("/api/bots/{bot_id}/clear-halt", { params: { path: { bot_id: bot }, header: { "idempotency-key": key } }, body })),
    );
    told(`${name} trades again.`);
    await refresh("alerts");
  };
  return (
    <ConfirmDialog opened onClose={onClose} title="Clear a halt?" confirm="Clear the halt" danger word={name || "a name"} act={act}>
      <Stack gap="sm">
        It trades again from the verdict of this number on. What was skipped is denied, never traded late.
        <Group gap="sm" grow align="flex-start">
          <SelectField form={form} path="bot" label="Bot" data={bots?.items.map((one) => one.id) ?? []} />
          <TextField form={form} path="symbol" label="Symbol" placeholder="the whole bot" />
        </Group>
        {symbol !== WHOLE && <NumberField form={form} path="next" spec={NEXT} description="The alert of the halt names it." />}
      </Stack>
    </ConfirmDialog>
  );
}
