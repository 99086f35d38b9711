import { Button } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { api, must } from "@/api/client";
import { once } from "@/api/once";
import { useMay, useRefresh } from "@/api/shared";
import { useChain } from "@/components/ChainDialog";
import { DataTable } from "@/components/DataTable";
import { DateFilters } from "@/components/DateFilter";
import { FilterBar, FilterSelect, FilterText, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { failed, told } from "@/components/toasts";
import { count, sentence } from "@/format";
import { useConfigs } from "../queries";
import { rowLabel, SIGNAL_COLUMNS } from "./columns";
import { ACTIONS, NAMES, queryOf } from "./filters";

const CHOICES = ACTIONS.map((value) => ({ value, label: sentence(value) }));
const YES_NO = [
  { value: "yes", label: "Processed" },
  { value: "no", label: "Not processed" },
];

const load = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/quantconnect/signals", { params: { query: { ...params, cursor, limit } } }));

/** What algorithms have said, as it comes. */
export function Signals() {
  const [filters, setFilter] = useFilters(...NAMES);
  const { open } = useChain();
  const configs = useConfigs().data?.items ?? [];
  return (
    <Panel
      title="Signals"
      tip="What live algorithms have said. Signals of backtests are never here."
      actions={<Fetch config={filters.config} />}
    >
      <DataTable
        label="QuantConnect signals"
        topic="quantconnect-signals"
        params={queryOf(filters)}
        load={load}
        columns={SIGNAL_COLUMNS}
        onOpen={(row) => open(row.id)}
        rowLabel={rowLabel}
        csv="/api/quantconnect/signals.csv"
        none="Nothing was said yet. Deploy an algorithm, or fetch what QuantConnect has written down."
        empty="No signal is like that. Change or clear the filters."
        filters={
          <FilterBar>
            <FilterText label="Symbol" value={filters.symbol} onChange={(value) => setFilter("symbol", value)} width={110} />
            <FilterSelect label="Signal" value={filters.action} onChange={(value) => setFilter("action", value)} data={CHOICES} width={110} />
            <FilterSelect label="Bots" value={filters.processed} onChange={(value) => setFilter("processed", value)} data={YES_NO} width={140} />
            <FilterSelect
              label="Account"
              value={filters.config}
              onChange={(value) => setFilter("config", value)}
              data={configs.map(({ id, name }) => ({ value: id, label: name }))}
              width={170}
            />
            <DateFilters filters={filters} set={setFilter} />
          </FilterBar>
        }
      />
    </Panel>
  );
}

/** Reads QuantConnect at once instead of at the next poll. */
function Fetch({ config }: { config: string | undefined }) {
  const may = useMay("trader");
  const refresh = useRefresh();
  const fetching = useMutation({
    mutationFn: () =>
      once(`fetch ${config ?? ""}`, (key) =>
        must(
          api.POST("/api/quantconnect/signals/fetch", {
            params: { header: { "idempotency-key": key } },
            body: config ? { config_id: config } : {},
          }),
        ),
      ),
    onSuccess: async ({ fetched, raised }) => {
      told(
        raised
          ? `${count(raised)} new ${raised === 1 ? "signal" : "signals"}.`
          : `Nothing new: ${fetched ? `${count(fetched)} entries were read, none is a new signal` : "QuantConnect has written nothing since"}.`,
      );
      await refresh("quantconnect-signals", "quantconnect-status");
    },
    onError: failed,
  });
  if (!may) return null;
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<IconRefresh size={14} aria-hidden />}
      loading={fetching.isPending}
      onClick={() => fetching.mutate()}
    >
      Fetch new signals now
    </Button>
  );
}
