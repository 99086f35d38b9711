import { Group, Loader, Switch, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type LoadPage, useRows } from "@/api/rows";
import { count } from "@/format";
import { Csv } from "./Csv";
import { Empty, Loaded, Problem } from "./Loaded";
import { type TableProps, TableView } from "./TableView";

export type { Column } from "./TableView";

interface Props<Row, Params> extends Pick<TableProps<Row>, "label" | "columns" | "idOf" | "onOpen" | "rowLabel"> {
  /** Of the query's key: the events of this topic bring new rows. */
  topic: string;
  /** What the list is filtered by; each has rows of its own. */
  params: Params;
  load: LoadPage<Row, Params>;
  /** What stands there when nothing fits the filters, or when there is nothing. */
  empty: ReactNode;
  /** The same without any filter. */
  none?: ReactNode;
  height?: number;
  /** It never changes: read once, and nobody need hold it still. */
  fixed?: boolean;
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

/** A live list of any length: newest on top, older ones as one scrolls, still while one reads. */
export function DataTable<Row, Params extends object>(props: Props<Row, Params>) {
  const { topic, params, load, empty, none = empty, height = 560, fixed = false, filters, csv, ...table } = props;
  const [live, setLive] = useState(!fixed);
  const { query, onSeen, loadOlder, older } = useRows(topic, params, { load, live });
  return (
    <>
      {!fixed && (
        <Group justify="space-between" align="flex-end" gap="sm" mb="sm">
          <div className="list-filters">{filters}</div>
          <Group gap="md">
            <Switch size="sm" label="Live" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
            {csv && <Csv list={table.label} href={fileOf(csv, params)} />}
          </Group>
        </Group>
      )}
      <Loaded query={query} height={Math.min(height, 320)}>
        {({ rows, next }) =>
          rows.length === 0 ? (
            <Empty height={96}>{Object.values(params).some((value) => value !== undefined) ? empty : none}</Empty>
          ) : (
            <>
              <TableView {...table} rows={rows} height={height} onSeen={onSeen} more={next !== null} />
              <Group gap="sm" mt={6} h={22}>
                <Text size="xs" c="dimmed">
                  {count(rows.length)} {next === null ? "rows" : "rows loaded, others come as you scroll"}
                  {live || fixed ? "" : " · held still"}
                </Text>
                {older.busy && <Loader size={14} aria-label="Loading more rows" />}
              </Group>
              {older.error && <Problem error={older.error} what="More rows could not be loaded" retry={() => void loadOlder()} />}
            </>
          )
        }
      </Loaded>
    </>
  );
}
