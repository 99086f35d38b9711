import { notifications } from "@mantine/notifications";
import { useCallback } from "react";
import { type LiveEvent, useLiveEvents } from "@/api/live";
import { sentence } from "@/format";
import { desktop, notices } from "@/prefs";

const RANK = { info: 1, warning: 2, critical: 3 } as const;
const COLORS = { info: "blue", warning: "yellow", critical: "red" } as const;
type Severity = keyof typeof RANK;

/** Whether a person wants to be told of this at once. */
export function isWanted({ kind, data }: LiveEvent): boolean {
  const least = notices();
  const rank = RANK[data.severity as Severity] ?? 0;
  return kind === "AlertRaised" && data.active !== false && least !== "off" && rank >= RANK[least];
}

/** Stands once in the shell: an alert shows itself, whatever page is open. */
export function AlertNotices() {
  useLiveEvents(
    useCallback((event: LiveEvent) => {
      if (!isWanted(event)) return;
      const severity = event.data.severity as Severity;
      const [title, message] = [sentence(String(event.data.code)), String(event.data.message)];
      const id = `alert-${String(event.data.code)}-${String(event.data.about)}`;
      notifications.show({ id, title, message, color: COLORS[severity], withBorder: true, autoClose: severity === "critical" ? false : 15_000 });
      if (desktop() && document.hidden && Notification.permission === "granted") new Notification(title, { body: message, tag: id });
    }, []),
  );
  return null;
}
