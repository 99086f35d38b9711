// Long lists, page by page. With every event as many rows are read again as somebody has come to see: the
// newest page while they are at the top, further ones below as they scroll.

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

const PAGE = 100;
const AGAIN = 200; // rows of a further page that is read again, the most that one answer holds
const AHEAD = 40; // rows below the last one seen that should be there already

/** The newest rows, page by page until there are as many as are `wanted`, which may grow meanwhile. */
export async function readRows<Row>(load: LoadPage<Row>, wanted: () => number): Promise<Rows<Row>> {
  let page = await load(undefined, PAGE);
  const rows = [...page.items];
  while (page.next_cursor && rows.length < wanted()) {
    page = await load(page.next_cursor, AGAIN);
    rows.push(...page.items);
  }
  return { rows, next: page.next_cursor ?? null };
}

/** Rows of a list under `[topic, "rows", params]`. While it is not `live`, nothing is read a second time. */
export function useRows<Row>(topic: string, params: object, options: { load: LoadPage<Row>; live: boolean }) {
  const { load, live } = options;
  const client = useQueryClient();
  const text = JSON.stringify(params);
  const { key, seen } = useMemo(() => ({ key: [topic, "rows", text], seen: { rows: 0 } }), [topic, text]);
  const query = useQuery({
    queryKey: key,
    queryFn: () => readRows(load, () => seen.rows),
    enabled: (of) => live || of.state.data === undefined,
    staleTime: 0, // also when it is live again, whatever was read below meanwhile
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
      client.setQueryData<Rows<Row>>(key, (old) =>
        old?.next === next ? { rows: [...old.rows, ...page.items], next: page.next_cursor ?? null } : old,
      );
      setOlder({ busy: false, error: null });
    } catch (error) {
      setOlder({ busy: false, error: error as Error });
    } finally {
      busy.current = false;
    }
  }, [client, key, load]);

  /** So far somebody sees; what comes next is read before they are there. */
  const onSeen = useCallback(
    (last: number) => {
      seen.rows = last + 1 + AHEAD;
      if (seen.rows > (client.getQueryData<Rows<Row>>(key)?.rows.length ?? 0)) void loadOlder();
    },
    [client, key, seen, loadOlder],
  );

  return { query, onSeen, loadOlder, older };
}
