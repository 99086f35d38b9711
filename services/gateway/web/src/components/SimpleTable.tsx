import { useMemo, useState } from "react";
import { type Column, type TableProps, TableView } from "./TableView";

export type { Column } from "./TableView";

interface Props<Row> extends Pick<TableProps<Row>, "label" | "rows" | "columns" | "idOf" | "onOpen" | "rowLabel"> {
  height?: number;
}

interface Sorting {
  column: string;
  falling: boolean;
}

/** A table of rows that are all here; columns with `sort` sort it by their header. */
export function SimpleTable<Row>({ rows, height = 420, ...table }: Props<Row>) {
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const value = table.columns.find((column) => column.id === sorting?.column)?.sort;
  const sorted = useMemo(() => {
    const way = sorting?.falling ? -1 : 1;
    return value ? [...rows].sort((a, b) => way * compare(value(a), value(b))) : rows;
  }, [rows, value, sorting]);
  /** Text from A on, numbers from the largest on; then the other way round, then as it was. */
  const toggle = ({ id, sort }: Column<Row>) => {
    const first = rows[0] === undefined || typeof sort?.(rows[0]) === "number";
    if (sorting?.column !== id) setSorting({ column: id, falling: first });
    else setSorting(sorting.falling === first ? { column: id, falling: !first } : null);
  };
  return (
    <TableView
      {...table}
      rows={sorted}
      height={height}
      header={(column) => ({
        sorted: sorting?.column !== column.id ? undefined : sorting.falling ? "descending" : "ascending",
        toggle: column.sort && (() => toggle(column)),
      })}
    />
  );
}

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);
