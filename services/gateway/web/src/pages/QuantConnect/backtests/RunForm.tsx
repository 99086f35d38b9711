import { Button, Group, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "react-router";
import { useAddress } from "@/address";
import { api, must, refused } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { Problem } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Algorithm, type Backtest, useAlgorithms } from "../queries";
import { keyOf } from "../words";
import { again, body, EMPTY, type Given, problems } from "./form";

const choice = (one: Algorithm) => ({ value: keyOf(one), label: `${one.name} (${one.id})` });

/** Begins a backtest, and goes to it. */
export function RunForm() {
  const before = (useLocation().state as { again?: Backtest } | null)?.again;
  const may = useMay("trader");
  const refresh = useRefresh();
  const [, open] = useAddress("backtest");
  const algorithms = useAlgorithms();
  const form = useForm<Given>({ initialValues: before ? again(before) : EMPTY, validate: problems });
  const run = useMutation({
    mutationFn: (values: Given) => {
      const sent = body(values);
      return once(`backtest ${JSON.stringify(sent)}`, (key) =>
        must(api.POST("/api/quantconnect/backtest", { params: { header: { "idempotency-key": key } }, body: sent })),
      );
    },
    onSuccess: (begun) => {
      open({ backtest: begun.id });
      void refresh("backtests");
    },
  });
  if (!may) return null;
  const listed = (algorithms.data?.items ?? []).map(choice);
  return (
    <Panel title="Run a backtest" tip="QuantConnect runs the project over the past, on its own data. Nothing of it is ever traded.">
      <form onSubmit={form.onSubmit((values) => run.mutate(values))}>
        <Stack gap="md">
          <div className="run">
            <Select
              label="Algorithm"
              placeholder={algorithms.isPending ? "Reading the projects…" : listed.length ? "Choose a project" : "No project can be read"}
              data={listed}
              searchable
              {...form.getInputProps("algorithm")}
            />
            <TextInput label="Name" placeholder="Made from the time" maxLength={100} {...form.getInputProps("name")} />
            <DateInput label="From" placeholder="Its own" valueFormat="YYYY-MM-DD" clearable {...form.getInputProps("start")} />
            <DateInput label="To" placeholder="Its own" valueFormat="YYYY-MM-DD" clearable {...form.getInputProps("end")} />
          </div>
          <Textarea
            label="Parameters"
            description="One a line, as name = value; the others keep what the project says."
            placeholder="lookback = 5"
            rows={2}
            resize="vertical"
            className="mono"
            {...form.getInputProps("parameters")}
          />
          {algorithms.error && (
            <Problem error={algorithms.error} what="The projects could not be read" retry={() => void algorithms.refetch()} busy={algorithms.isFetching} />
          )}
          {run.error && (
            <Problem
              error={run.error}
              what={refused(run.error) ? "It was not started" : "It may have been started. Run it again unchanged: it starts once"}
            />
          )}
          <Group justify="space-between" gap="sm">
            <Text size="xs" c="dimmed" className="grows">
              The dates reach the algorithm as parameters signalbox_start and signalbox_end; one that does not read them runs its own.
            </Text>
            <Button type="submit" loading={run.isPending} leftSection={<IconPlayerPlay size={16} aria-hidden />}>
              Run
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
