import { QueryClientProvider, QueryObserver } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setDesktop } from "@/prefs";
import { streaming } from "@/test/stream";
import { useLive, useLiveEvents, useLiveStatus } from "./live";
import { newQueryClient } from "./query";

function following(hear: () => void = () => undefined) {
  const stream = streaming();
  const client = newQueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
  const { result } = renderHook(
    () => {
      useLive();
      useLiveEvents(hear);
      return useLiveStatus();
    },
    { wrapper },
  );
  return { ...stream, client, status: () => result.current };
}

function look(hidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
}

describe("the stream", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    localStorage.clear();
  });

  it("is opened anew when nobody gives a sign of life, and is not called live meanwhile", () => {
    const { newest, open, status } = following();
    const first = newest();
    first.tell("hello");
    expect(status()).toBe("live");
    act(() => void vi.advanceTimersByTime(30_000));
    first.tell("beat");
    act(() => void vi.advanceTimersByTime(30_000));
    expect(newest()).toBe(first);
    act(() => void vi.advanceTimersByTime(6_000));
    expect(status()).toBe("lost");
    expect(newest()).not.toBe(first);
    expect(open()).toEqual([newest()]);
    newest().tell("hello");
    expect(status()).toBe("live");
  });

  it("is closed while nobody looks, unless the browser is to show alerts then", () => {
    const heard = vi.fn();
    const { newest, open, status } = following(heard);
    look(true);
    expect([open().length, status()]).toEqual([0, "paused"]);
    look(false);
    setDesktop(true);
    newest().tell("hello");
    look(true);
    newest().tell("AlertRaised", { code: "bot_halted" });
    expect([open().length, status()]).toEqual([1, "live"]);
    expect(heard).toHaveBeenCalledWith({ kind: "AlertRaised", data: { code: "bot_halted" } });
  });

  it("reads again what came in the background when somebody looks", () => {
    setDesktop(true);
    const { client } = following();
    client.setQueryData(["orders"], []);
    look(true);
    expect(client.getQueryState(["orders"])?.isInvalidated).toBe(false);
    look(false);
    expect(client.getQueryState(["orders"])?.isInvalidated).toBe(true);
  });
});

it("when the gateway is back, what could never be read is read again", async () => {
  const { newest, client } = following();
  const read = vi.fn(() => Promise.reject(new Error("away")));
  const stop = new QueryObserver(client, { queryKey: ["kill-switch"], queryFn: read, retry: false }).subscribe(() => undefined);
  await waitFor(() => expect(client.getQueryState(["kill-switch"])?.status).toBe("error"));
  newest().tell("hello");
  await waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  stop();
});
