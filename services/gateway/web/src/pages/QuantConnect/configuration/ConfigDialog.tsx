import { Alert, Anchor, Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { once } from "@/api/once";
import { useRefresh } from "@/api/shared";
import { fieldErrors, NumberField, SelectField, SwitchField, TextField } from "@/components/fields";
import { FormDialog, useClosing } from "@/components/FormDialog";
import { Problem } from "@/components/Loaded";
import { SecretInput } from "@/components/SecretInput";
import type { Config } from "../queries";
import { ending } from "../words";
import { AGE, body, CONFIDENCE, EMPTY, fieldOf, type Given, given, problems } from "./form";

/** Adds an account, or changes one; after saving it is tried at once. */
export function ConfigDialog({ config, onClose }: { config: Config | null; onClose: () => void }) {
  return (
    <FormDialog opened onClose={onClose} size="lg" title={config ? config.name : "Add a QuantConnect account"}>
      <ConfigForm config={config} onClose={onClose} />
    </FormDialog>
  );
}

export const testOf = (id: string) =>
  must(api.POST("/api/quantconnect/config/{config_id}/test", { params: { path: { config_id: id } } }));

interface Choice {
  value: string;
  label: string;
}

const choicesOf = (test: Schemas["ConnectionTest"] | undefined, config: Config | null): Choice[] => {
  const found = new Map<string, string>();
  if (config?.algorithm_id) found.set(String(config.algorithm_id), config.algorithm_name || `Project ${config.algorithm_id}`);
  for (const { id, name } of test?.projects ?? []) found.set(String(id), String(name));
  return [...found].map(([value, name]) => ({ value, label: `${name} (${value})` }));
};

function ConfigForm({ config, onClose }: { config: Config | null; onClose: () => void }) {
  const refresh = useRefresh();
  const [saved, setSaved] = useState(config);
  const [kept, keep] = useState(false);
  const [tested, setTested] = useState<Schemas["ConnectionTest"]>(); // stays while it is tested again
  const form = useForm<Given>({ initialValues: config ? given(config) : EMPTY, validate: (values) => problems(values, saved) });

  // What the stored account shows, so that an algorithm can be chosen right away.
  const known = useQuery({
    queryKey: ["quantconnect-projects", config?.id],
    queryFn: () => testOf(config?.id ?? ""),
    enabled: config !== null,
    retry: false,
  });
  const save = useMutation({
    mutationFn: async (values: Given) => {
      keep(false);
      const name = (id: string) => choices.find((one) => one.value === id)?.label.replace(/ \(\d+\)$/, "") ?? "";
      const sent = body(values, saved, name);
      const stored = saved
        ? await must(api.POST("/api/quantconnect/config", { body: sent }))
        : await once("QuantConnect account", (key) =>
            must(api.POST("/api/quantconnect/config", { params: { header: { "idempotency-key": key } }, body: sent })),
          );
      setSaved(stored);
      keep(true);
      const shown = given(stored); // the keys leave the page
      form.setValues(shown);
      form.resetDirty(shown);
      await refresh("quantconnect-config", "quantconnect-status");
      return await testOf(stored.id);
    },
    onSuccess: (found) => {
      setTested(found);
      return refresh("algorithms", "quantconnect-status");
    },
    onError: (error) => form.setErrors(fieldErrors(error, fieldOf)),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  const choices = choicesOf(tested ?? known.data, saved);
  const done = save.data?.connected === true && !form.isDirty();

  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} autoComplete="off">
      <Stack gap="md">
        <TextField form={form} path="name" label="Name" placeholder="Trend desk" data-autofocus />
        <Radio.Group label="Where" {...form.getInputProps("target")}>
          <Group gap="md" mt={4}>
            <Radio value="real" label="quantconnect.com" />
            <Radio value="sandbox" label="The sandbox: a stand-in to try things on" />
          </Group>
        </Radio.Group>
        <Group grow align="flex-start" gap="md" className="stacks">
          <SecretInput label="User id" hint={saved && ending(saved.api_key_hint)} {...form.getInputProps("api_key")} />
          <SecretInput label="API token" hint={saved && ending(saved.api_secret_hint)} {...form.getInputProps("api_secret")} />
        </Group>
        <Text size="xs" c="dimmed">
          Both stand on quantconnect.com under Account, Security. The token is sealed as it arrives and never shown again.
          {form.values.target === "sandbox" && " The sandbox takes user id 123 and token abc."}
        </Text>
        <SelectField
          form={form}
          path="algorithm"
          label="Algorithm"
          description={choices.length ? "Whose signals are followed." : "Save once, and what the account shows can be chosen here."}
          placeholder="All that run live"
          data={choices}
          searchable
          clearable
        />
        <Radio.Group
          label="Signals come from"
          description="The other kind is stored and never traded."
          {...form.getInputProps("signals_from")}
        >
          <Group gap="md" mt={4}>
            <Radio value="insights" label="Insights: what it predicts" />
            <Radio value="fills" label="Fills: what it buys and sells" />
          </Group>
        </Radio.Group>
        <Group grow align="flex-start" gap="md" className="stacks">
          <NumberField form={form} path="confidence_percent" spec={CONFIDENCE} description="Where an insight says nothing of its own." />
          <NumberField form={form} path="max_age_minutes" spec={AGE} description="What is older at first sight is not traded." />
        </Group>
        <SwitchField form={form} path="is_active" label="Follow this account" />
        {save.error && <Problem error={save.error} what={kept ? "It is saved, but could not be tested" : "It was not saved"} />}
        {save.data && <Result test={save.data} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose} disabled={save.isPending}>
            {done ? "Done" : "Cancel"}
          </Button>
          <Button type="submit" loading={save.isPending} variant={done ? "light" : "filled"}>
            Save and test
          </Button>
        </Group>
        <Text size="xs" c="dimmed" ta="right">
          <Anchor href="https://www.quantconnect.com/" rel="noreferrer" target="_blank" size="xs">
            quantconnect.com
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}

/** What QuantConnect said of user id and token. */
export function Result({ test }: { test: Schemas["ConnectionTest"] }) {
  return (
    <Alert color={test.connected ? "green" : "red"} variant="light" title={test.connected ? "Saved, and the connection works" : "Saved, but the connection does not work"} role={test.connected ? "status" : "alert"}>
      <Text size="sm">{test.message}</Text>
    </Alert>
  );
}
