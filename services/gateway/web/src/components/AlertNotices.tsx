import { notifications } from "@mantine/notifications";
import { useCallback, useEffect, useRef } from "react";
import { titleOf } from "@/alerts";
import { api, must } from "@/api/client";
import { lastHeard, type LiveEvent, useLiveEvents, useLiveStatus } from "@/api/live";
import { desktop, notices } from "@/prefs";

const RANK = { info: 1, warning: 2, critical: 3 } as const;
const COLORS = { info: "blue", warning: "yellow", critical: "red" } as const;
const MOST = 20;
type Severity = keyof typeof RANK;

/** Whether a person wants to be told of this at once. What is over is told as information; what is only said once needs no end. */
export function isWanted({ kind, data }: LiveEvent): boolean {
  const least = notices();
  const rank = RANK[data.severity as Severity] ?? 0;
  const over = data.active === false && data.severity === "info";
  return kind === "AlertRaised" && !over && least !== "off" && rank >= RANK[least];
}

function tell(event: LiveEvent): void {
  const id = `alert-${String(event.data.code)}-${String(event.data.about)}`;
  if (event.kind === "AlertRaised" && event.data.active === false) notifications.hide(id);
  if (!isWanted(event)) return;
  const severity = event.data.severity as Severity;
  const [title, message] = [titleOf(String(event.data.code)), String(event.data.message)];
  const stays = severity === "critical" || document.hidden; // until somebody has seen it
  const notice = { id, title, message, color: COLORS[severity], withBorder: true, autoClose: stays ? (false as const) : 15_000 };
  notifications.show(notice);
  notifications.update(notice); // one that is shown already is not shown anew
  if (desktop() && document.hidden && Notification.permission === "granted") new Notification(title, { body: message, tag: id });
}

/** Stands once in the shell: an alert shows itself, whatever page is open. */
export function AlertNotices() {
  useLiveEvents(useCallback(tell, []));
  useWhatWasMissed();
  return null;
}

/** While the stream was closed, alerts were raised that nobody told here. */
function useWhatWasMissed(): void {
  const status = useLiveStatus();
  const since = useRef<string | null>(null);
  const wasLive = useRef(false);
  useEffect(() => {
    if (wasLive.current && status !== "live") since.current ??= lastHeard();
    wasLive.current = status === "live";
    const from = since.current;
    if (status !== "live" || from === null) return;
    since.current = null;
    must(api.GET("/api/alerts", { params: { query: { active: true, from, limit: MOST } } })).then(
      ({ items }) => items.forEach((alert) => tell({ kind: "AlertRaised", data: { ...alert } })),
      () => undefined, // the overview lists them, too, and says when it cannot
    );
  }, [status]);
}
