import { Alert, Button, Card, Group, Stack, Switch, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, must } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { failed, told } from "@/components/toasts";
import { State, Time } from "@/components/Values";
import * as f from "@/format";
import { standing } from "@/standing";
import type { Config, Status } from "../queries";
import { ending, inWords } from "../words";
import { testOf } from "./ConfigDialog";
import { PushDialog } from "./PushDialog";

interface Props {
  config: Config;
  status: Status | undefined;
  onEdit: () => void;
}

/** One account: what is stored of it, how it stands, and what can be done. */
export function Account({ config, status, onEdit }: Props) {
  return (
    <Card component="section" aria-label={config.name}>
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <Group gap="sm">
            <Text fw={600} className="unbroken">{config.name}</Text>
            {status && <State state={standing(status)} />}
            <State state={config.target} />
          </Group>
          <Active config={config} />
        </Group>
        {status && <Text size="sm">{inWords(status)}</Text>}
        <Facts
          items={[
            ["User id", ending(config.api_key_hint)],
            ["API token", <span key="t">{ending(config.api_secret_hint)} <span className="dim">since <Time at={config.api_secret_at} show="day" /></span></span>],
            ["Follows", config.algorithm_id === null ? "All that run live" : config.algorithm_name || `Project ${config.algorithm_id}`],
            ["Signals come from", f.sentence(config.signals_from)],
            ["Default confidence", f.setShare(config.default_confidence)],
            ["Oldest signal", f.span(config.max_age_s)],
            ["Read last", status && <Time at={status.last_ok_at} show="ago" />],
            ["Clock difference", status?.clock_skew_s != null && f.span(Math.abs(status.clock_skew_s))],
            ["Pushes", config.webhook ? `Key ${ending(config.webhook.secret_hint)}` : "Not set up"],
            ["Pushed last", config.webhook && <Time at={config.webhook.last_push_at} show="ago" />],
          ]}
        />
        {config.webhook?.refused_why && (
          <Alert color="yellow" variant="light" title="The last push was not let in">
            <Text size="sm">{config.webhook.refused_why}</Text>
          </Alert>
        )}
        <Tools config={config} onEdit={onEdit} />
      </Stack>
    </Card>
  );
}

function Active({ config }: { config: Config }) {
  const may = useMay("admin");
  const refresh = useRefresh();
  const toggle = useMutation({
    mutationFn: (is_active: boolean) => must(api.POST("/api/quantconnect/config", { body: { id: config.id, is_active } })),
    onSuccess: async ({ is_active }) => {
      told(is_active ? `${config.name} is followed.` : `${config.name} is not followed any more.`);
      await refresh("quantconnect-config", "quantconnect-status", "algorithms");
    },
    onError: failed,
  });
  return (
    <Switch
      label="Active"
      aria-label={`${config.name} is active`}
      checked={config.is_active}
      disabled={!may || toggle.isPending}
      onChange={(event) => toggle.mutate(event.currentTarget.checked)}
    />
  );
}

function Tools({ config, onEdit }: { config: Config; onEdit: () => void }) {
  const admin = useMay("admin");
  const trader = useMay("trader");
  const refresh = useRefresh();
  const [asked, setAsked] = useState<"push" | "delete" | null>(null);
  const test = useMutation({
    mutationFn: () => testOf(config.id),
    onSuccess: () => refresh("quantconnect-status", "algorithms"),
    onError: failed,
  });
  const remove = async () => {
    await must(api.DELETE("/api/quantconnect/config/{config_id}", { params: { path: { config_id: config.id } } }));
    told(`${config.name} is deleted, and its token forgotten.`);
    await refresh("quantconnect-config", "quantconnect-status", "algorithms");
  };
  return (
    <>
      {test.data && (
        <Alert
          color={test.data.connected ? "green" : "red"}
          variant="light"
          role={test.data.connected ? "status" : "alert"}
          title={test.data.connected ? "The connection works" : "The connection does not work"}
          withCloseButton
          closeButtonLabel="Close this message"
          onClose={() => test.reset()}
        >
          <Text size="sm">{test.data.message}</Text>
        </Alert>
      )}
      <Group gap="sm">
        {trader && (
          <Button size="xs" variant="light" loading={test.isPending} onClick={() => test.mutate()}>
            Test connection
          </Button>
        )}
        {admin && (
          <>
            <Button size="xs" variant="default" onClick={onEdit}>
              Edit
            </Button>
            <Button size="xs" variant="default" onClick={() => setAsked("push")}>
              Push…
            </Button>
            <Button size="xs" variant="subtle" color="red" onClick={() => setAsked("delete")}>
              Delete
            </Button>
          </>
        )}
      </Group>
      {asked === "push" && <PushDialog config={config} onClose={() => setAsked(null)} />}
      <ConfirmDialog opened={asked === "delete"} onClose={() => setAsked(null)} title={`Delete ${config.name}?`} confirm="Delete" danger act={remove}>
        Its algorithms are followed no more and its token is forgotten. The signals it gave stay; so does everything at QuantConnect.
      </ConfirmDialog>
    </>
  );
}
