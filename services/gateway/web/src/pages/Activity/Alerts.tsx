import { Button, Code, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { aboutOf, placeOf, titleOf } from "@/alerts";
import { api, must, type Schemas } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { type Column, DataTable } from "@/components/DataTable";
import { DateFilters, spanOf } from "@/components/DateFilter";
import { Facts } from "@/components/Facts";
import { FilterBar, FilterSelect, useFilters } from "@/components/filters";
import { Panel } from "@/components/Panel";
import { failed, told } from "@/components/toasts";
import { State, Time } from "@/components/Values";
import { sentence, utc } from "@/format";
import { choices, type Filters } from "./lists";

type Alert = Schemas["AlertView"];
type Letter = Schemas["DeadLetterView"];

const ALERTS: Column<Alert>[] = [
  { id: "severity", header: "Severity", tip: "Critical: act now. Warning: look soon. Info: good to know.", cell: (row) => <State state={row.severity} />, width: "84px" },
  { id: "code", header: "What", tip: "What kind of trouble.", cell: (row) => <strong title={titleOf(row.code)}>{titleOf(row.code)}</strong>, width: "minmax(130px, 1fr)" },
  { id: "message", header: "Message", tip: "What happened, why, and what to do next.", cell: (row) => <span title={row.message}>{row.message}</span>, width: "minmax(340px, 4fr)" },
  { id: "about", header: "About", tip: "Which bot, symbol, source or service.", cell: (row) => <span title={row.about}>{aboutOf(row.about)}</span>, width: "minmax(140px, 1fr)" },
  { id: "active", header: "Now", cell: (row) => (row.active ? "Raised" : "Over"), width: "64px", tip: "Over: the trouble that it told of has ended." },
  { id: "at", header: "Time", cell: (row) => <Time at={row.at} />, width: "112px" },
];
const nowOf = (letter: Letter) => (letter.active ? "Waits" : "Settled");
const LETTERS: Column<Letter>[] = [
  { id: "at", header: "Time", cell: (row) => <Time at={row.at} />, width: "125px" },
  { id: "service", header: "Service", tip: "Who could not handle it.", cell: (row) => row.service, width: "130px" },
  { id: "subject", header: "Message of", tip: "The subject under which it came.", cell: (row) => <span title={row.original_subject}>{row.original_subject}</span>, width: "minmax(220px, 1fr)" },
  { id: "attempts", header: "Tries", tip: "How often it was tried.", cell: (row) => row.attempts, width: "60px", right: true },
  { id: "reason", header: "Reason", tip: "Why no retry could help.", cell: (row) => <span title={row.reason}>{row.reason}</span>, width: "minmax(300px, 2fr)" },
  { id: "active", header: "Now", tip: "Waits: nobody has said yet that it was seen to.", cell: (row) => nowOf(row), width: "64px" },
];
const NOW = [
  { value: "true", label: "Wrong now" },
  { value: "false", label: "Over" },
];

const queryOf = (filters: Filters) => ({
  severity: filters.severity as Schemas["Severity"] | undefined,
  active: filters.active === undefined ? undefined : filters.active === "true",
  ...spanOf(filters.from, filters.to),
});
const loadAlerts = (params: ReturnType<typeof queryOf>, cursor?: string, limit?: number) =>
  must(api.GET("/api/alerts", { params: { query: { ...params, cursor, limit } } }));

/** What a person should know. */
export function Alerts() {
  const [filters, set] = useFilters("severity", "active", "from", "to");
  const [shown, setShown] = useState<Alert | null>(null);
  const place = shown?.active ? placeOf(shown) : null;
  return (
    <>
      <Panel title="Alerts" tip="What went wrong, why, and what to do. A row shows the whole message.">
        <DataTable
          label="Alerts"
          topic="alerts"
          params={queryOf(filters)}
          load={loadAlerts}
          columns={ALERTS}
          onOpen={setShown}
          rowLabel={(row) => `${row.severity}: ${row.code} about ${row.about}`}
          csv="/api/alerts.csv"
          height={420}
          empty="No alert: nothing is known to be wrong. What goes wrong stands here, with what to do."
          filters={
            <FilterBar>
              <FilterSelect label="Severity" value={filters.severity} onChange={(value) => set("severity", value)} data={choices(["critical", "warning", "info"])} width={120} />
              <FilterSelect label="Now" value={filters.active} onChange={(value) => set("active", value)} data={NOW} width={120} />
              <DateFilters filters={filters} set={set} />
            </FilterBar>
          }
        />
      </Panel>
      <SetAside />
      <Modal opened={shown !== null} onClose={() => setShown(null)} title={titleOf(shown?.code ?? "")} size="lg">
        {shown && (
          <Stack gap="md">
            <Text size="sm">{shown.message}</Text>
            <Facts
              items={[
                ["Severity", sentence(shown.severity)],
                ["About", aboutOf(shown.about)],
                ["Told by", shown.service],
                ["At", utc(shown.at)],
                ["Now", shown.active ? "Raised" : "Over"],
              ]}
            />
            {place && <Button component={Link} to={place.to} onClick={() => setShown(null)} variant="light" mr="auto">{place.label}</Button>}
          </Stack>
        )}
      </Modal>
    </>
  );
}

const NO_FILTERS = {};
const loadLetters = (_: object, cursor?: string, limit?: number) => must(api.GET("/api/dead-letters", { params: { query: { cursor, limit } } }));

/** Messages that no retry could help. */
function SetAside() {
  const [shown, setShown] = useState<Letter | null>(null);
  const may = useMay("trader");
  const refresh = useRefresh();
  const settle = useMutation({
    mutationFn: (letter: Letter) => must(api.POST("/api/dead-letters/{letter_id}/settle", { params: { path: { letter_id: letter.id } } })),
    onSuccess: async () => {
      setShown(null);
      told("Its alerts are over. The message stays listed, and never acts.", "Settled");
      await refresh("dead-letters", "alerts");
    },
    onError: failed,
  });
  return (
    <Panel title="Set aside" tip="Messages that no retry could help wait here for a person (dead letters). The runbook says how to handle one.">
      <DataTable
        label="Messages set aside"
        topic="dead-letters"
        params={NO_FILTERS}
        load={loadLetters}
        columns={LETTERS}
        onOpen={setShown}
        rowLabel={(row) => `${row.service}: ${row.reason}`}
        height={280}
        empty="No message was set aside: every one could be handled."
      />
      <Modal opened={shown !== null} onClose={() => setShown(null)} title="Message set aside" size="lg">
        {shown && (
          <Stack gap="md">
            <Text size="sm">{shown.reason}</Text>
            <Facts items={[["Service", shown.service], ["Stream", `${shown.stream} ${shown.stream_sequence}`], ["Tries", shown.attempts], ["At", utc(shown.at)], ["Now", nowOf(shown)]]} />
            <Code block mah={280} tabIndex={0} aria-label="Original message">
              {shown.original}
            </Code>
            {may && shown.active && (
              <Button mr="auto" loading={settle.isPending} onClick={() => settle.mutate(shown)}>
                I have seen to it
              </Button>
            )}
          </Stack>
        )}
      </Modal>
    </Panel>
  );
}
