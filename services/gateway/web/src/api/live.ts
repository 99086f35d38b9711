// One event stream while the page is seen. Events do not carry rows: they say which topics to read again, so
// that a row looks the same however it came here.

import type { QueryClient } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { desktop } from "@/prefs";
import { useSessionOver } from "./session";

export interface LiveEvent {
  kind: string;
  data: Record<string, unknown>;
}

const REOPEN_MS = 3000;
const SILENT_MS = 35_000; // the gateway gives a sign of life every 15 s: after so long nobody is there
const WATCH_MS = 1000;

// Pacing: the first event is answered at once, those after it as soon as the topic has rested.
const TOGETHER_MS = 50; // what happens together is read together
const REST_MS = 250;
const DEAR_MS = 500;
const REST_SHARE = 2; // a read that is slow has so much longer to rest: however much is stored, the gateway is not kept busy
const MOST_REST_MS = 5000; // but one that was held up once is not left alone for minutes
/** Topics that cost more to read, or that every event touches. The newest point of a curve comes with its event. */
const RESTS_MS: Record<string, number> = {
  equity: 5000,
  summary: DEAR_MS,
  performance: DEAR_MS,
  positions: DEAR_MS,
  "llm-costs": DEAR_MS,
  calibration: DEAR_MS,
  prompts: DEAR_MS,
};

const CONFIGURED = [
  "accounts", "bots", "flags", "kill-switch", "llm-budgets", "llm-config", "llm-status", "market", "prompts",
  "quantconnect-config", "quantconnect-status", "strategies",
];
/** By the service, and where it tells of many things, by what its state is of. */
const STATES: Record<string, readonly string[]> = {
  "qc-ingest/connection": ["quantconnect-status"],
  "qc-ingest/algorithm": ["quantconnect-status", "algorithms"],
  "qc-ingest/job": ["jobs", "algorithms"],
  "qc-ingest/backtest": ["backtests"],
  "llm-decider": ["llm-status", "llm-budgets"],
  "strategy-runner": ["strategies"],
  "market-data": ["market"],
  lab: ["calibration"],
};
const TOPICS: Record<string, readonly string[]> = {
  SignalRaised: ["signals", "quantconnect-signals", "chain"],
  SignalWithdrawn: ["signals", "quantconnect-signals", "chain"],
  LlmDecisionMade: ["llm-decisions", "llm-costs", "llm-status", "performance", "prompts", "chain"],
  VerdictReached: ["verdicts", "quantconnect-signals", "chain"],
  OrderChanged: ["orders", "chain"],
  PositionChanged: ["positions", "summary"],
  EquityMarked: ["equity", "positions", "summary"],
  OutcomeScored: ["calibration", "prompts", "chain"],
  StateChanged: [],
  AlertRaised: ["alerts"],
  MessageDeadLettered: ["dead-letters"],
  ConfigurationChanged: CONFIGURED,
};
export const KINDS = Object.keys(TOPICS);

/** Which topics an event makes old. */
export function topicsOf({ kind, data }: LiveEvent): readonly string[] {
  if (kind === "StateChanged") return STATES[`${String(data.service)}/${String(data.kind)}`] ?? STATES[String(data.service)] ?? [];
  if (kind === "OrderChanged" && data.fill) return ["orders", "chain", "trades", "performance", "llm-costs"];
  if (kind === "AlertRaised" && data.code === "dead_letter") return ["alerts", "dead-letters"];
  return TOPICS[kind] ?? [];
}

/** Reads topics again: at once, but not while they are being read, and not before they have rested. */
export class Refresher {
  readonly #due = new Set<string>();
  readonly #from = new Map<string, number>(); // when each may be read again
  #timer: number | undefined;
  #at = 0; // when the timer is over

  constructor(private readonly client: QueryClient) {}

  add(topics: Iterable<string>): void {
    for (const topic of topics) this.#due.add(topic);
    this.#plan();
  }

  /** Forget what is due. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  /** Look again when the first of what is due may be read; one that is being read says so when it has ended. */
  #plan(): void {
    const now = performance.now();
    const first = Math.min(...[...this.#due].map((topic) => this.#from.get(topic) ?? 0));
    const at = Math.max(first, now + TOGETHER_MS);
    if (at === Infinity || (this.#timer !== undefined && this.#at <= at)) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = window.setTimeout(() => this.#flush(), at - now);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const topic of this.#due) {
      const rests = performance.now() < (this.#from.get(topic) ?? 0);
      if (rests || this.client.isFetching({ queryKey: [topic] }) > 0) continue;
      this.#due.delete(topic);
      void this.#read(topic);
    }
    this.#plan(); // what has to wait
  }

  async #read(topic: string): Promise<void> {
    const began = performance.now();
    this.#from.set(topic, Infinity);
    await this.client.invalidateQueries({ queryKey: [topic] });
    const ended = performance.now();
    const rest = Math.min(REST_SHARE * (ended - began), MOST_REST_MS);
    this.#from.set(topic, Math.max(began + (RESTS_MS[topic] ?? REST_MS), ended + rest));
    this.#plan();
  }
}

// The state of the connection, and who wants to hear events themselves.
export type LiveStatus = "connecting" | "live" | "lost" | "paused";
let status: LiveStatus = "connecting";
let heardAt: string | null = null; // when the stream was last heard, wall time
const watchers = new Set<() => void>();
const hearers = new Set<(event: LiveEvent) => void>();

/** From when on alerts may have been missed, once the stream is not live any more. */
export const lastHeard = (): string | null => heardAt;

function setStatus(next: LiveStatus): void {
  status = next;
  watchers.forEach((call) => call());
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (call) => {
      watchers.add(call);
      return () => watchers.delete(call);
    },
    () => status,
  );
}

/** Hear events as they come; `hear` must be stable (`useCallback`). */
export function useLiveEvents(hear: (event: LiveEvent) => void): void {
  useEffect(() => {
    hearers.add(hear);
    return () => {
      hearers.delete(hear);
    };
  }, [hear]);
}

/** Keep the cache up to date. Called once, in the shell. */
export function useLive(): void {
  const client = useQueryClient();
  const over = useSessionOver();
  useEffect(() => (over ? undefined : follow(client)), [client, over]);
}

function follow(client: QueryClient): () => void {
  const refresher = new Refresher(client);
  let stream: EventSource | null = null;
  let reopening: number | undefined;
  let heard = 0; // when, by performance.now()

  const close = (next: LiveStatus) => {
    stream?.close();
    stream = null;
    refresher.stop();
    setStatus(next);
  };
  /** Whatever was read, or could not be, may be old. */
  const readAgain = () =>
    void client.invalidateQueries({ predicate: ({ state }) => state.dataUpdatedAt > 0 || state.status === "error" });
  const open = () => {
    clearTimeout(reopening);
    const opened = new EventSource(`/api/stream?types=${KINDS.join(",")}`);
    stream = opened;
    heard = performance.now();
    for (const sign of ["hello", "beat", ...KINDS])
      opened.addEventListener(sign, () => {
        heard = performance.now();
        heardAt = new Date().toISOString();
      });
    opened.addEventListener("hello", () => {
      readAgain();
      setStatus("live");
    });
    for (const kind of KINDS)
      opened.addEventListener(kind, (message: MessageEvent<string>) => {
        const { data = {} } = JSON.parse(message.data) as { data?: LiveEvent["data"] };
        const event = { kind, data };
        hearers.forEach((hear) => hear(event));
        if (!document.hidden) refresher.add(topicsOf(event)); // else everything is read again when somebody looks
      });
    opened.onerror = () => {
      if (opened.readyState !== EventSource.CLOSED) return setStatus("lost"); // it tries again by itself
      close("lost");
      void client.invalidateQueries({ queryKey: ["me"] }); // a session that is over asks to sign in
      reopening = window.setTimeout(sync, REOPEN_MS);
    };
  };
  const sync = () => {
    if (document.hidden && !desktop()) close("paused");
    else if (!stream) open();
    else if (!document.hidden) readAgain();
  };
  const watch = () => {
    if (!stream || performance.now() - heard <= SILENT_MS) return;
    close("lost");
    open();
  };

  const timer = window.setInterval(watch, WATCH_MS);
  document.addEventListener("visibilitychange", sync);
  sync();
  return () => {
    document.removeEventListener("visibilitychange", sync);
    clearInterval(timer);
    clearTimeout(reopening);
    close("connecting");
  };
}
