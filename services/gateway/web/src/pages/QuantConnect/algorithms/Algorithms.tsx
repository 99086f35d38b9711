import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useConnections, useRefresh } from "@/api/shared";
import { FilterBar, FilterSelect, FilterText, useFilters } from "@/components/filters";
import { Empty, Loaded } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { failed } from "@/components/toasts";
import { isLive } from "@/standing";
import { type Algorithm, readAlgorithms, useAlgorithms, useConfigs } from "../queries";
import { byState, keyOf, upToDate } from "../words";
import { AlgorithmCard } from "./AlgorithmCard";
import { AlgorithmDialog } from "./AlgorithmDialog";
import { JobProgress } from "./JobProgress";
import "../quantconnect.css";

const RUNNING = [
  { value: "yes", label: "Active" },
  { value: "no", label: "Not active" },
];

/** Every project of the accounts: look at it, start it, end it. */
export function Algorithms() {
  const query = useAlgorithms();
  const { data: statuses } = useConnections();
  const { data: configs } = useConfigs();
  const [filters, setFilter] = useFilters("q", "config", "active");
  const fits = (one: Algorithm): boolean =>
    `${one.name} ${one.id}`.toLowerCase().includes((filters.q ?? "").toLowerCase()) &&
    (!filters.config || one.config_id === filters.config) &&
    (!filters.active || isLive(one) === (filters.active === "yes"));
  return (
    <>
      <JobProgress />
      <Panel
        title="Algorithms"
        tip="The projects of your QuantConnect accounts. The list is kept for ten minutes; read it again to see what is new there."
        actions={<ReadAgain />}
      >
        <Stack gap="md">
          <FilterBar>
            <FilterText label="Name or number" value={filters.q} onChange={(value) => setFilter("q", value)} width={180} />
            <FilterSelect
              label="Account"
              value={filters.config}
              onChange={(value) => setFilter("config", value)}
              data={(configs?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
              width={200}
            />
            <FilterSelect label="State" value={filters.active} onChange={(value) => setFilter("active", value)} data={RUNNING} width={120} />
          </FilterBar>
          <Loaded query={query} height={220}>
            {({ items, problems }) => {
              const shown = upToDate(items, statuses?.items ?? []).filter(fits).sort(byState);
              return (
                <>
                  {problems?.map((one) => (
                    <Alert key={one.config_id} color="yellow" variant="light" title={`${nameOf(configs?.items, one.config_id)} cannot be read now`}>
                      <Text size="sm">{one.message}</Text>
                    </Alert>
                  ))}
                  {shown.length === 0 ? (
                    <Empty height={140}>
                      {items.length
                        ? "No algorithm is like that. Change or clear the filters."
                        : "No project can be read. Add an account under Configuration, or create a project on quantconnect.com and read the list again."}
                    </Empty>
                  ) : (
                    <div className="algorithms">
                      {shown.map((one) => (
                        <AlgorithmCard key={keyOf(one)} algorithm={one} account={nameOf(configs?.items, one.config_id)} />
                      ))}
                    </div>
                  )}
                </>
              );
            }}
          </Loaded>
        </Stack>
      </Panel>
      <AlgorithmDialog />
    </>
  );
}

const nameOf = (configs: readonly { id: string; name: string }[] | undefined, id: string): string =>
  configs?.find((one) => one.id === id)?.name ?? (id || "QuantConnect");

/** Asks QuantConnect now. */
function ReadAgain() {
  const client = useQueryClient();
  const refresh = useRefresh();
  const reading = useMutation({
    mutationFn: () => readAlgorithms(true),
    onSuccess: async (found) => {
      client.setQueryData(["algorithms"], found);
      await refresh("quantconnect-status");
    },
    onError: failed,
  });
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<IconRefresh size={14} aria-hidden />}
      loading={reading.isPending}
      onClick={() => reading.mutate()}
    >
      Read again
    </Button>
  );
}
