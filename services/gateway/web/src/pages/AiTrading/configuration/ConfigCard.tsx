import { Alert, Button, Card, Group, List, Stack, Switch, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, must } from "@/api/client";
import { useMay, useModels, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { failed, told } from "@/components/toasts";
import { State } from "@/components/Values";
import * as f from "@/format";
import { standing } from "@/standing";
import type { Config } from "../queries";
import { PROVIDERS } from "../terms";
import { Check } from "./Check";

/** When it is asked, in words. */
export function triggers(config: Pick<Config, "every" | "interval" | "move">): string {
  const schedule = config.every === null ? null : config.every === 1 ? `every bar of ${config.interval}` : `every ${config.every} bars of ${config.interval}`;
  const move = config.move === null ? null : `when the price moves ${f.setShare(config.move)}`;
  return [schedule, move].filter(Boolean).join(", and ") || "on request only";
}

/** One config: how it stands, and what can be done with it. */
export function ConfigCard({ config, onEdit }: { config: Config; onEdit: () => void }) {
  const status = useModels().data?.items.find((one) => one.config_id === config.id);
  const may = useMay("admin");
  return (
    <Card component="section" aria-label={config.name}>
      <Stack gap="sm" h="100%">
        <Group justify="space-between" wrap="nowrap" align="flex-start" gap="sm">
          <Title order={2} className="unbroken">{config.name}</Title>
          <ActiveSwitch config={config} />
        </Group>
        <Group gap="sm">
          <State state={config.target} />
          {status && <State state={standing(status)} />}
          {status?.trouble && <State state={status.trouble} />}
        </Group>
        {config.todo && <Alert role="note" color="yellow" variant="light" p="sm">Not complete: pick a model and symbols before it can be asked.</Alert>}
        {!config.todo && status?.last_error && !status.connected && <Alert role="note" color="red" variant="light" p="sm">{status.last_error}</Alert>}
        <Facts
          items={[
            ["Provider", PROVIDERS[config.provider] ?? config.provider],
            ["Model", config.model],
            ["Key", config.api_key_hint ? `ends in ${config.api_key_hint}` : "none"],
            ["Asked", triggers(config)],
            ["Symbols", config.symbols.join(", ")],
            ["Prompt", config.prompt_template],
            ["Budget", `${config.budget.day_usd === null ? "no limit" : f.money(config.budget.day_usd)} a day, ${config.budget.month_usd === null ? "no limit" : f.money(config.budget.month_usd)} a month`],
            ["Spent today", status && f.cost(status.cost_today_usd)],
          ]}
        />
        {config.warnings.length > 0 && (
          <List size="sm" className="warn">
            {config.warnings.map((one) => <List.Item key={one}>{one}</List.Item>)}
          </List>
        )}
        <Group gap="sm" mt="auto">
          <Button size="xs" variant="default" onClick={onEdit}>{may ? "Edit" : "View"}</Button>
          <Check config={config} />
          <Delete config={config} />
        </Group>
      </Stack>
    </Card>
  );
}

function ActiveSwitch({ config }: { config: Config }) {
  const may = useMay("admin");
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (active: boolean) => must(api.POST("/api/ai-trading/config", { body: { id: config.id, is_active: active } })),
    onSuccess: async (saved) => {
      told(saved.is_active ? `${saved.name} is asked from now on.` : `${saved.name} is not asked any more.`);
      await refresh("llm-config", "llm-status");
    },
    onError: failed,
  });
  return (
    <Switch
      label="Active"
      aria-label={`${config.name} is active`}
      checked={config.is_active}
      disabled={!may || save.isPending || (config.todo !== "" && !config.is_active)}
      onChange={(event) => save.mutate(event.currentTarget.checked)}
    />
  );
}

function Delete({ config }: { config: Config }) {
  const [asked, setAsked] = useState(false);
  const may = useMay("admin");
  const refresh = useRefresh();
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={() => setAsked(true)} disabled={!may}>Delete</Button>
      <ConfirmDialog
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Delete ${config.name}?`}
        confirm="Delete"
        danger
        act={async () => {
          await must(api.DELETE("/api/ai-trading/config/{config_id}", { params: { path: { config_id: config.id } } }));
          told(`${config.name} is deleted.`);
          await refresh("llm-config", "llm-status", "llm-budgets");
        }}
      >
        <Text size="sm">It is asked no more and its key is forgotten. What it answered, and what that cost, stays.</Text>
      </ConfirmDialog>
    </>
  );
}
