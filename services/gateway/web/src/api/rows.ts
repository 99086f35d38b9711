// Long lists, page by page: the newest rows are read again with every event, older ones when somebody scrolls there.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

export interface Listing<Row> {
  items: Row[];
  next_cursor?: string | null;
}

export interface Rows<Row> {
  rows: Row[];
  next: string | null; // where older ones begin; null: there are none
}

export type LoadPage<Row> = (cursor: string | undefined, limit: number) => Promise<Listing<Row>>;
type IdOf<Row> = (row: Row) => string;

const PAGE = 100;

/** The newest page on top of what was there; rows between that were gone by are not kept. */
export function withHead<Row>(old: Rows<Row> | undefined, head: Listing<Row>, idOf: IdOf<Row>): Rows<Row> {
  const next = head.next_cursor ?? null;
  const last = head.items.at(-1);
  if (!old || next === null || last === undefined) return { rows: head.items, next };
  const at = old.rows.findIndex((row) => idOf(row) === idOf(last));
  if (at < 0) return { rows: head.items, next }; // more came than a page holds: begin anew
  const older = old.rows.slice(at + 1);
  return { rows: [...head.items, ...older], next: older.length ? old.next : next };
}

/** One more page at the end; a row that slid over the edge of a page is there once. */
export function withOlder<Row>(old: Rows<Row>, page: Listing<Row>, idOf: IdOf<Row>): Rows<Row> {
  const edge = new Set(old.rows.slice(-2 * PAGE).map(idOf));
  const fresh = page.items.filter((row) => !edge.has(idOf(row)));
  return { rows: [...old.rows, ...fresh], next: page.next_cursor ?? null };
}

/** Rows of a list under `[topic, "rows", params]`. While it is not `live`, nothing is read again. */
export function useRows<Row>(topic: string, params: object, options: { load: LoadPage<Row>; idOf: IdOf<Row>; live: boolean }) {
  const { load, idOf, live } = options;
  const client = useQueryClient();
  const text = JSON.stringify(params);
  const key = useMemo(() => [topic, "rows", text], [topic, text]);
  const query = useQuery({
    queryKey: key,
    queryFn: async () => withHead(client.getQueryData<Rows<Row>>(key), await load(undefined, PAGE), idOf),
    enabled: live,
    structuralSharing: false,
  });

  const busy = useRef(false);
  const [older, setOlder] = useState<{ busy: boolean; error: Error | null }>({ busy: false, error: null });
  const loadOlder = useCallback(async () => {
    const next = client.getQueryData<Rows<Row>>(key)?.next;
    if (!next || busy.current) return;
    busy.current = true;
    setOlder({ busy: true, error: null });
    try {
      const page = await load(next, PAGE);
      client.setQueryData<Rows<Row>>(key, (old) => (old?.next === next ? withOlder(old, page, idOf) : old));
      setOlder({ busy: false, error: null });
    } catch (error) {
      setOlder({ busy: false, error: error as Error });
    } finally {
      busy.current = false;
    }
  }, [client, key, load, idOf]);

  return { query, loadOlder, older };
}
