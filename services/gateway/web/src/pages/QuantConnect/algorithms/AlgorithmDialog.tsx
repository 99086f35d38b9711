import { Alert, Button, Code, Group, List, Stack, Text, Title } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useAddress } from "@/address";
import { Chart } from "@/components/Chart";
import { Facts } from "@/components/Facts";
import { FormDialog } from "@/components/FormDialog";
import { Loaded } from "@/components/Loaded";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { failed } from "@/components/toasts";
import { Change, State, Time } from "@/components/Values";
import * as f from "@/format";
import { TERM } from "@/terms";
import { type AlgorithmDetail, readAlgorithm, useAlgorithm } from "../queries";
import { figures, statusCode } from "../words";
import { Actions } from "./Actions";

/** One algorithm, whole: `?open=ACCOUNT:PROJECT`. */
export function AlgorithmDialog() {
  const [{ open: key }, set] = useAddress("open");
  const [config = "", id = ""] = key?.split(":") ?? [];
  return (
    <FormDialog closeOnClickOutside opened={id !== ""} onClose={() => set({ open: null })} size="xl" title="Algorithm">
      {id && <Detail id={id} config={config} />}
    </FormDialog>
  );
}

function Detail({ id, config }: { id: string; config: string }) {
  const query = useAlgorithm(id, config);
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () => readAlgorithm(id, config, true),
    onSuccess: (found) => client.setQueryData(["algorithms", "one", config, id], found),
    onError: failed,
  });
  return (
    <Loaded query={query} height={420}>
      {(one) => (
        <Stack gap="md">
          <Group justify="space-between" gap="sm">
            <Group gap="sm">
              <Title order={2}>{one.name}</Title>
              <State state={statusCode(one.status)} />
            </Group>
            <Actions algorithm={one} />
          </Group>
          {one.description && <Text size="sm">{one.description}</Text>}
          {one.message && <Alert color="yellow" variant="light">{one.message}</Alert>}
          <Facts
            items={[
              ...figures(one.performance),
              ["Project", one.id],
              ["Deployment", one.deploy_id && <span title={one.deploy_id}>{shortened(one.deploy_id)}</span>],
              ["Brokerage", one.brokerage],
              ["Launched", one.launched && <Time at={one.launched} show="day" />],
              ["Stopped", one.stopped && <Time at={one.stopped} show="day" />],
              ["Changed", one.modified && <Time at={one.modified} show="day" />],
            ]}
          />
          <History one={one} />
          <Portfolio one={one} />
          <Inside one={one} />
          {one.notes?.map((note) => <Alert key={note} color="yellow" variant="light">{note}</Alert>)}
          <Group justify="space-between" gap="sm">
            <Text size="xs" c="dimmed">
              As of <Time at={one.fetched_at} show="ago" />
            </Text>
            <Button size="xs" variant="light" leftSection={<IconRefresh size={14} aria-hidden />} loading={again.isPending} onClick={() => again.mutate()}>
              Read again
            </Button>
          </Group>
        </Stack>
      )}
    </Loaded>
  );
}

const shortened = (id: string): string => (id.length > 14 ? `${id.slice(0, 12)}…` : id);

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <Title order={3} mb="xs">{title}</Title>
      {children}
    </section>
  );
}

const asMoney = (value: number): string => f.money(value);

function History({ one }: { one: AlgorithmDetail }) {
  const series = useMemo(
    () => [{ name: "Equity", kind: "area" as const, points: (one.history ?? []).map(({ at, equity }) => ({ time: Date.parse(at) / 1000, value: Number(equity ?? NaN) })) }],
    [one.history],
  );
  return (
    <Part title="Performance history">
      {(one.history?.length ?? 0) > 1 ? (
        <Chart label={`Equity of ${one.name}`} series={series} height={200} format={asMoney} />
      ) : (
        <Text size="sm" c="dimmed">Signalbox notes how a live algorithm does every ten minutes while it follows it; there are too few notes for a curve yet.</Text>
      )}
    </Part>
  );
}

type Holding = NonNullable<NonNullable<AlgorithmDetail["portfolio"]>["holdings"]>[number];

const HOLDINGS: readonly Column<Holding>[] = [
  { id: "symbol", header: "Symbol", width: "minmax(80px, 1fr)", cell: (row) => <span title={row.symbol_id}>{row.symbol}</span>, sort: (row) => row.symbol },
  { id: "quantity", header: "Quantity", tip: TERM.quantity, width: "90px", right: true, cell: (row) => f.quantity(row.quantity) },
  { id: "average", header: "Average price", tip: "Of what it holds.", width: "122px", right: true, cell: (row) => f.price(row.average_price) },
  { id: "price", header: "Price", tip: "The newest that QuantConnect knows.", width: "100px", right: true, cell: (row) => f.price(row.price) },
  { id: "value", header: "Value", tip: "At that price.", width: "120px", right: true, cell: (row) => f.money(row.value), sort: (row) => Number(row.value ?? 0) },
  { id: "unrealised", header: "Unrealised", tip: "Gain at that price, as QuantConnect says.", width: "110px", right: true, cell: (row) => <Change value={row.unrealized} />, sort: (row) => Number(row.unrealized ?? 0) },
];

function Portfolio({ one }: { one: AlgorithmDetail }) {
  if (!one.portfolio) return null;
  const { holdings = [], cash = [] } = one.portfolio;
  return (
    <Part title="What it holds at QuantConnect">
      <Stack gap="sm">
        {holdings.length ? (
          <SimpleTable label="Holdings" rows={holdings} columns={HOLDINGS} idOf={(row) => row.symbol_id || row.symbol} height={220} />
        ) : (
          <Text size="sm" c="dimmed">No securities.</Text>
        )}
        <Facts items={cash.map((row) => [`Cash, ${row.currency}`, f.ratio(row.amount)] as const)} />
      </Stack>
    </Part>
  );
}

function Inside({ one }: { one: AlgorithmDetail }) {
  const parameters = Object.entries(one.parameters ?? {});
  return (
    <>
      {one.nodes && (
        <Part title="Nodes">
          <Text size="sm">
            {one.nodes.live?.length
              ? one.nodes.live.map((node) => `${node.name} ${node.busy ? `runs ${node.used_by ?? "something"}` : "is free"}`).join("; ")
              : "The organization has no live node."}
            {". "}
            {f.count(one.nodes.free_backtest)} backtest {one.nodes.free_backtest === 1 ? "node is" : "nodes are"} free.
          </Text>
        </Part>
      )}
      {parameters.length > 0 && (
        <Part title="Parameters">
          <Facts items={parameters} />
        </Part>
      )}
      {(one.files?.length ?? 0) > 0 && (
        <Part title="Files">
          <List size="sm">
            {one.files?.map((file) => (
              <List.Item key={file.name}>
                {file.name} <span className="dim">{[file.size && `${f.count(file.size)} bytes`, file.modified && f.day(file.modified)].filter(Boolean).join(", ")}</span>
              </List.Item>
            ))}
          </List>
        </Part>
      )}
      {(one.logs?.length ?? 0) > 0 && (
        <Part title="Last log lines">
          <Code block tabIndex={0} aria-label="Last log lines" className="log">
            {one.logs?.join("\n")}
          </Code>
        </Part>
      )}
    </>
  );
}
