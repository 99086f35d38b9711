// Long lists, page by page. With every event as many rows are read again as somebody has come to see: the
// newest page while they are at the top, further ones below as they scroll.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";

export interface Listing<Row> {
  items: Row[];
  next_cursor?: string | null;
}

export interface Rows<Row> {
  rows: Row[];
  next: string | null; // where older ones begin; null: there are none
}

/** Reads a page of the list that has these parameters. A function of a module: it must stay the same. */
export type LoadPage<Row, Params> = (params: Params, cursor: string | undefined, limit: number) => Promise<Listing<Row>>;

const PAGE = 100;
const AGAIN = 200; // rows of a further page that is read again, the most that one answer holds
const AHEAD = 40; // rows below the last one seen that should be there already

/** The newest rows, page by page until there are as many as are `wanted`, which may grow meanwhile. */
export async function readRows<Row>(load: (cursor: string | undefined, limit: number) => Promise<Listing<Row>>, wanted: () => number): Promise<Rows<Row>> {
  let page = await load(undefined, PAGE);
  const rows = [...page.items];
  while (page.next_cursor && rows.length < wanted()) {
    page = await load(page.next_cursor, AGAIN);
    rows.push(...page.items);
  }
  return { rows, next: page.next_cursor ?? null };
}

const IDLE = { busy: false, error: null as Error | null };

/** Rows of a list under `[topic, "rows", params]`. While it is not `live`, nothing is read a second time. */
export function useRows<Row, Params extends object>(topic: string, params: Params, options: { load: LoadPage<Row, Params>; live: boolean }) {
  const { load, live } = options;
  const client = useQueryClient();
  const text = JSON.stringify(params);
  const list = useMemo(() => {
    const page = (cursor: string | undefined, limit: number) => load(JSON.parse(text) as Params, cursor, limit);
    return { key: [topic, "rows", text], page, seen: 0, busy: false };
  }, [topic, text, load]);
  const query = useQuery({
    queryKey: list.key,
    queryFn: () => readRows(list.page, () => list.seen),
    enabled: (of) => live || of.state.data === undefined,
    staleTime: 0, // also when it is live again, whatever was read below meanwhile
    structuralSharing: false,
  });

  const [older, setOlder] = useState({ ...IDLE, list });
  const loadOlder = useCallback(async () => {
    const next = client.getQueryData<Rows<Row>>(list.key)?.next;
    if (!next || list.busy) return;
    list.busy = true;
    setOlder({ busy: true, error: null, list });
    const end = (error: Error | null) => {
      list.busy = false;
      setOlder((now) => (now.list === list ? { busy: false, error, list } : now));
    };
    try {
      const page = await list.page(next, PAGE);
      client.setQueryData<Rows<Row>>(list.key, (old) =>
        old?.next === next ? { rows: [...old.rows, ...page.items], next: page.next_cursor ?? null } : old,
      );
      end(null);
    } catch (error) {
      end(error as Error);
    }
  }, [client, list]);

  /** So far somebody sees; what comes next is read before they are there. */
  const onSeen = useCallback(
    (last: number) => {
      list.seen = last + 1 + AHEAD;
      if (list.seen > (client.getQueryData<Rows<Row>>(list.key)?.rows.length ?? 0)) void loadOlder();
    },
    [client, list, loadOlder],
  );

  return { query, onSeen, loadOlder, older: older.list === list ? older : IDLE };
}
