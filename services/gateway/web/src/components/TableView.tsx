// The markup of every table: a few rows in the document, however many there are.

import { Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, type ReactNode, useEffect, useRef } from "react";
import { InfoTip } from "./InfoTip";

const ROW_PX = 36;
const GAP_PX = 12; // as in the style sheet, like the padding
const PADDING_PX = 12;
const OVERSCAN = 10;
const FIRST_ROW = 2; // aria counts the header too, and from one
// Where a key leads to from the row that has the focus; no further than what is drawn.
const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: OVERSCAN, PageUp: -OVERSCAN };

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** A track of the grid: "110px", "minmax(140px, 1fr)". */
  width: string;
  /** What the term means. */
  tip?: string;
  /** Numbers stand at the right. */
  right?: boolean;
  /** Makes a table of given rows sortable by this. */
  sort?: (row: Row) => number | string;
}

export interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  /** What tells a row from all others; its `id`, if it is not said. */
  idOf?: (row: Row) => string;
  height: number;
  onOpen?: (row: Row) => void;
  rowLabel?: (row: Row) => string;
  /** Hears how far down one sees: the index of the last row that is drawn. */
  onSeen?: (last: number) => void;
  /** More rows than are there; unknown when undefined. */
  more?: boolean;
  header?: (column: Column<Row>) => { sorted?: "ascending" | "descending"; toggle?: () => void };
}

const ownId = (row: unknown): string => (row as { id: string }).id;

export function TableView<Row>(props: TableProps<Row>) {
  const { label, columns, rows, idOf = ownId, height, onOpen, rowLabel, onSeen, more = false, header } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    getItemKey: (index) => idOf(rows[index] as Row),
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => onSeen?.(last), [onSeen, last, rows.length]);

  /** The table is one stop of the tab key; arrows go from row to row, which open with Enter. */
  const walk = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = STEPS[event.key];
    const from = indexOf(event.target as HTMLElement);
    const enters = event.key === "ArrowDown" && event.target === scroller.current;
    if (!onOpen || step === undefined || (from < 0 && !enters)) return;
    event.preventDefault();
    const top = scroller.current?.scrollTop ?? 0;
    const first = shown.find((item) => item.start >= top)?.index ?? 0;
    const to = from < 0 ? first : Math.max(0, Math.min(rows.length - 1, from + step));
    scroller.current?.querySelector<HTMLElement>(`[aria-rowindex="${to + FIRST_ROW}"]`)?.focus();
  };

  const template = columns.map((column) => column.width).join(" ");
  const least = leastWidth(columns.map((column) => column.width));
  return (
    <div
      ref={scroller}
      className="table"
      role="table"
      aria-label={label}
      aria-rowcount={more ? -1 : rows.length + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      onKeyDown={walk}
      style={{ maxHeight: height }}
    >
      <div className="table-head" role="rowgroup" style={{ minWidth: least }}>
        <div role="row" className="table-row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {columns.map((column) => (
            <HeaderCell key={column.id} column={column} {...header?.(column)} />
          ))}
        </div>
      </div>
      <div className="table-body" role="rowgroup" style={{ height: virtual.getTotalSize(), minWidth: least }}>
        {shown.map((item) => (
          <BodyRow
            key={item.key}
            row={rows[item.index] as Row}
            index={item.index}
            start={item.start}
            columns={columns}
            template={template}
            onOpen={onOpen}
            rowLabel={rowLabel}
          />
        ))}
      </div>
    </div>
  );
}

/** Of the row that this element is; less than zero: it is none. */
const indexOf = (element: HTMLElement): number =>
  element.classList.contains("opens") ? Number(element.getAttribute("aria-rowindex")) - FIRST_ROW : -1;

/** Of a row, from the least widths of its tracks: head and body scroll sideways together. */
export function leastWidth(tracks: readonly string[]): number {
  const sum = tracks.reduce((width, track) => width + Number(/(\d+)px/.exec(track)?.[1] ?? 0), 0);
  return sum + (tracks.length - 1) * GAP_PX + 2 * PADDING_PX;
}

function HeaderCell<Row>({ column, sorted, toggle }: { column: Column<Row>; sorted?: "ascending" | "descending"; toggle?: () => void }) {
  const text = (
    <Text size="xs" fw={600} c="dimmed" component="span" truncate>
      {column.header}
      {sorted === "ascending" ? " ↑" : sorted === "descending" ? " ↓" : ""}
    </Text>
  );
  return (
    <div role="columnheader" className={column.right ? "cell right" : "cell"} aria-sort={toggle ? (sorted ?? "none") : undefined}>
      {toggle ? (
        <button type="button" className="sorter" onClick={toggle}>
          {text}
        </button>
      ) : (
        text
      )}
      {column.tip && <InfoTip about={column.header}>{column.tip}</InfoTip>}
    </div>
  );
}

interface RowProps<Row> extends Pick<TableProps<Row>, "columns" | "onOpen" | "rowLabel"> {
  row: Row;
  index: number;
  start: number;
  template: string;
}

function PlainRow<Row>({ row, index, start, columns, template, onOpen, rowLabel }: RowProps<Row>) {
  const open = onOpen && {
    tabIndex: -1,
    "aria-label": rowLabel?.(row),
    onClick: () => onOpen(row),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && event.target === event.currentTarget) onOpen(row);
    },
  };
  return (
    <div
      role="row"
      aria-rowindex={index + FIRST_ROW}
      className={onOpen ? "table-row opens" : "table-row"}
      style={{ gridTemplateColumns: template, transform: `translateY(${start}px)`, scrollMarginTop: ROW_PX }}
      {...open}
    >
      {columns.map((column) => (
        <div role="cell" key={column.id} className={column.right ? "cell right" : "cell"}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

// A row that has not changed is not drawn again while others scroll by.
const BodyRow = memo(PlainRow) as typeof PlainRow;
