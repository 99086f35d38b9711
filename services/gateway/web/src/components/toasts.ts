import { notifications } from "@mantine/notifications";
import { ApiError } from "@/api/client";

/** It worked. */
export function told(message: string, title?: string): void {
  notifications.show({ message, title, color: "green", autoClose: 6000, withBorder: true });
}

/** It did not, and why. Use it as `onError` of a mutation whose form shows no problem itself. */
export function failed(error: Error): void {
  const known = error instanceof ApiError ? error : null;
  const message = [error.message, known?.advice, known?.requestId && `Request ${known.requestId}`].filter(Boolean).join(" ");
  notifications.show({ message, title: "That did not work", color: "red", autoClose: 15_000, withBorder: true });
}
