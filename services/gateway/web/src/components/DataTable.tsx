import { Group, Loader, Switch, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type LoadPage, useRows } from "@/api/rows";
import { count } from "@/format";
import { Csv } from "./Csv";
import { Empty, Loaded, Problem } from "./Loaded";
import { type Column, TableView } from "./TableView";

export type { Column } from "./TableView";

interface Props<Row> {
  label: string;
  /** Of the query's key: the events of this topic bring new rows. */
  topic: string;
  /** What the list is filtered by; each has rows of its own. */
  params: object;
  /** Reads one page; wrap it in `useCallback` over the filters. */
  load: LoadPage<Row>;
  columns: readonly Column<Row>[];
  empty: ReactNode;
  idOf?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  rowLabel?: (row: Row) => string;
  height?: number;
  /** `FilterText` and `FilterSelect`. */
  filters?: ReactNode;
  /** Path of the same list as a file: "/api/orders.csv". */
  csv?: string;
}

/** The same list as a file: `/api/orders.csv?bot=alpha`. */
export function fileOf(path: string, params: object): string {
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query}` : path;
}

const ownId = (row: unknown): string => (row as { id: string }).id;

/** A live list of any length: newest on top, older ones as one scrolls, still while one reads. */
export function DataTable<Row>(props: Props<Row>) {
  const { label, topic, params, load, columns, empty, idOf = ownId, onOpen, rowLabel, height = 560, filters, csv } = props;
  const [live, setLive] = useState(true);
  const { query, onSeen, loadOlder, older } = useRows(topic, params, { load, live });
  return (
    <>
      <Group justify="space-between" align="flex-end" gap="sm" mb="sm">
        <div className="grows">{filters}</div>
        <Group gap="md">
          <Switch size="sm" label="Live" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
          {csv && <Csv list={label} href={fileOf(csv, params)} />}
        </Group>
      </Group>
      <Loaded query={query} height={Math.min(height, 320)}>
        {({ rows, next }) =>
          rows.length === 0 ? (
            <Empty height={96}>{empty}</Empty>
          ) : (
            <>
              <TableView
                label={label}
                columns={columns}
                rows={rows}
                idOf={idOf}
                height={height}
                onOpen={onOpen}
                rowLabel={rowLabel}
                onSeen={onSeen}
                more={next !== null}
              />
              <Group gap="sm" mt={6} h={22}>
                <Text size="xs" c="dimmed">
                  {count(rows.length)} {next === null ? "rows" : "rows loaded, older ones come as you scroll"}
                  {live ? "" : " · held still"}
                </Text>
                {older.busy && <Loader size={14} aria-label="Loading older rows" />}
              </Group>
              {older.error && <Problem error={older.error} what="Older rows could not be loaded" retry={() => void loadOlder()} />}
            </>
          )
        }
      </Loaded>
    </>
  );
}
