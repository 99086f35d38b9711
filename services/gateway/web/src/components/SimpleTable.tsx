import { createColumnHelper, createSortedRowModel, type RowData, rowSortingFeature, sortFns, tableFeatures, useTable } from "@tanstack/react-table";
import { useMemo } from "react";
import { type Column, TableView } from "./TableView";

export type { Column } from "./TableView";

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns });

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  rowLabel?: (row: Row) => string;
  height?: number;
}

const ownId = (row: unknown): string => (row as { id: string }).id;

/** A table of rows that are all here; columns with `sort` sort it by their header. */
export function SimpleTable<Row extends RowData>({ label, rows, columns, idOf = ownId, onOpen, rowLabel, height = 420 }: Props<Row>) {
  const defined = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    return columns.map((column) =>
      helper.accessor((row): unknown => column.sort?.(row) ?? "", {
        id: column.id,
        enableSorting: column.sort !== undefined,
        sortFn: "basic",
      }),
    );
  }, [columns]);
  const table = useTable({ features, columns: defined, data: rows as Row[], getRowId: idOf });
  const sorted = table.getRowModel().rows.map((row) => row.original);
  return (
    <TableView
      label={label}
      columns={columns}
      rows={sorted}
      idOf={idOf}
      height={height}
      onOpen={onOpen}
      rowLabel={rowLabel}
      header={(column) => {
        const one = table.getColumn(column.id);
        if (!column.sort || !one) return {};
        const now = one.getIsSorted();
        return {
          sorted: now === "asc" ? "ascending" : now === "desc" ? "descending" : undefined,
          toggle: () => one.toggleSorting(),
        };
      }}
    />
  );
}
