import { Button, Checkbox, Group, Progress, Text } from "@mantine/core";
import { createContext, useContext, useMemo, useState } from "react";
import { useAddress } from "@/address";
import { api, must } from "@/api/client";
import { type Column, DataTable } from "@/components/DataTable";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { State, Time } from "@/components/Values";
import * as f from "@/format";
import { type Backtest, useAlgorithms } from "../queries";
import { period } from "../words";

const STATUSES = ["queued", "compiling", "running", "completed", "failed", "canceled"].map((value) => ({ value, label: f.sentence(value) }));

/** The two that are to be compared, the older choice first. */
export const choose = (chosen: readonly string[], id: string): string[] =>
  chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2);

const Chosen = createContext<{ chosen: readonly string[]; toggle: (id: string) => void }>({ chosen: [], toggle: () => undefined });

function Choice({ row }: { row: Backtest }) {
  const { chosen, toggle } = useContext(Chosen);
  if (row.status !== "completed") return null;
  return (
    <Checkbox
      size="xs"
      checked={chosen.includes(row.id)}
      aria-label={`Compare ${row.name}`}
      onChange={() => toggle(row.id)}
      onClick={(event) => event.stopPropagation()}
    />
  );
}

/** A state, and how far it is while it is not over. */
export function Standing({ row }: { row: Backtest }) {
  if (row.status !== "running") return <State state={row.status} title={row.message} />;
  return (
    <Group gap="xs" wrap="nowrap">
      <State state="running" title={row.message} />
      <Progress value={100 * (row.progress ?? 0)} w={26} aria-label={`${f.share(row.progress)} done`} />
    </Group>
  );
}

const COLUMNS: readonly Column<Backtest>[] = [
  { id: "choice", header: "", width: "24px", cell: (row) => <Choice row={row} /> },
  { id: "asked", header: "Asked for", tip: "When the run was asked for.", width: "88px", cell: (row) => <Time at={row.created_at} show="ago" /> },
  { id: "algorithm", header: "Algorithm", tip: "The project at QuantConnect that was tested.", width: "minmax(100px, 1fr)", cell: (row) => <span title={row.algorithm_id}>{row.algorithm_name || `Project ${row.algorithm_id}`}</span> },
  { id: "name", header: "Name", width: "minmax(96px, 1.4fr)", cell: (row) => <span title={row.name}>{row.name}</span> },
  { id: "period", header: "Period", tip: "The days that it was tested on.", width: "200px", cell: (row) => period(row.backtest_start ?? row.start, row.backtest_end ?? row.end) },
  { id: "status", header: "Status", tip: "How far the run is, or how it ended.", width: "104px", cell: (row) => <Standing row={row} /> },
  { id: "profit", header: "Profit", tip: "Of the equity it began with, as QuantConnect says.", width: "84px", right: true, cell: (row) => row.statistics?.["Net Profit"] ?? f.NONE },
  { id: "sharpe", header: "Sharpe", tip: "Mean return for its fluctuation, a year, as QuantConnect says.", width: "80px", right: true, cell: (row) => row.statistics?.["Sharpe Ratio"] ?? f.NONE },
  { id: "drawdown", header: "Drawdown", tip: "Deepest fall below the highest value before.", width: "96px", right: true, cell: (row) => row.statistics?.Drawdown ?? f.NONE },
];

const load = (params: { algorithm?: string; status?: string }, cursor?: string, limit?: number) =>
  must(api.GET("/api/quantconnect/backtest", { params: { query: { ...params, cursor, limit } } }));

/** Every backtest that was asked for here; two that are done can be compared. */
export function History() {
  const [filters, setFilter] = useFilters("algorithm", "status");
  const [, open] = useAddress("backtest", "compare");
  const algorithms = useAlgorithms().data?.items ?? [];
  const [chosen, setChosen] = useState<string[]>([]);
  const choices = useMemo(() => ({ chosen, toggle: (id: string) => setChosen((before) => choose(before, id)) }), [chosen]);
  return (
    <Panel
      title="Backtests"
      tip="Those that were asked for here. Tick two that are done to compare them."
      actions={
        <>
          {chosen.length === 1 && <Text size="sm" c="dimmed">Tick one more</Text>}
          <Button size="xs" variant="light" disabled={chosen.length < 2} onClick={() => open({ compare: chosen.join(",") })}>
            Compare
          </Button>
        </>
      }
    >
      <Chosen.Provider value={choices}>
        <DataTable
          label="Backtests"
          topic="backtests"
          params={filters}
          load={load}
          columns={COLUMNS}
          onOpen={(row) => open({ backtest: row.id })}
          rowLabel={(row) => `${row.name}, open`}
          height={420}
          none="No backtest was run yet. Choose an algorithm above and run one."
          empty="No backtest is like that. Change or clear the filters."
          filters={
            <FilterBar>
              <FilterSelect
                label="Algorithm"
                value={filters.algorithm}
                onChange={(value) => setFilter("algorithm", value)}
                data={[...new Map(algorithms.map(({ id, name }) => [id, { value: id, label: name }])).values()]}
                width={190}
              />
              <FilterSelect label="Status" value={filters.status} onChange={(value) => setFilter("status", value)} data={STATUSES} width={130} />
            </FilterBar>
          }
        />
      </Chosen.Provider>
    </Panel>
  );
}
