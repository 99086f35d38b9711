import { Notifications, notifications } from "@mantine/notifications";
import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { useLive } from "@/api/live";
import { setDesktop, setNotices } from "@/prefs";
import { show } from "@/test/render";
import { streaming } from "@/test/stream";
import { AlertNotices, isWanted } from "./AlertNotices";

const alert = (severity: string, more: object = {}) => ({ kind: "AlertRaised", data: { severity, active: true, ...more } });

describe("alerts that show themselves", () => {
  afterEach(() => localStorage.clear());

  it("are warnings and critical ones, as long as nobody says otherwise", () => {
    expect(["info", "warning", "critical"].map((one) => isWanted(alert(one)))).toEqual([false, true, true]);
  });

  it.each([
    ["off", [false, false, false]],
    ["critical", [false, false, true]],
    ["info", [true, true, true]],
  ] as const)("with %s are %s", (least, wanted) => {
    setNotices(least);
    expect(["info", "warning", "critical"].map((one) => isWanted(alert(one)))).toEqual([...wanted]);
  });

  it("are also those that are said once and need no end", () => {
    expect(isWanted(alert("warning", { active: false }))).toBe(true);
  });

  it("are none that are over, and no other events", () => {
    expect(isWanted(alert("info", { active: false }))).toBe(false);
    expect(isWanted({ kind: "OrderChanged", data: { severity: "critical" } })).toBe(false);
  });
});

function Watching() {
  useLive();
  return <><Notifications /><AlertNotices /></>;
}

describe("an alert on the page", () => {
  afterEach(() => {
    notifications.clean();
    vi.useRealTimers();
    vi.restoreAllMocks();
    localStorage.clear();
  });
  const said = { severity: "critical", code: "bot_halted", about: "bot:demo", message: "demo lost too much" };

  it("goes away when its cause is gone", async () => {
    const { newest } = streaming();
    show(<Watching />);
    newest().tell("AlertRaised", { ...said, active: true });
    expect(await screen.findByText("demo lost too much")).toBeInTheDocument();
    newest().tell("AlertRaised", { ...said, severity: "info", about: "bot:other", active: false });
    expect(screen.getByText("demo lost too much")).toBeInTheDocument();
    newest().tell("AlertRaised", { ...said, severity: "info", active: false });
    await waitFor(() => expect(screen.queryByText("demo lost too much")).not.toBeInTheDocument());
  });

  it("that comes again shows what is said now", async () => {
    const { newest } = streaming();
    show(<Watching />);
    newest().tell("AlertRaised", { ...said, severity: "warning", message: "demo has spent 80 %", active: true });
    expect(await screen.findByText("demo has spent 80 %")).toBeInTheDocument();
    newest().tell("AlertRaised", { ...said, active: true });
    expect(await screen.findByText("demo lost too much")).toBeInTheDocument();
    expect(screen.queryByText("demo has spent 80 %")).not.toBeInTheDocument();
  });

  it("is shown when it was raised after the last sign of life of a stream that had died", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance", "setInterval", "clearInterval"], now: new Date("2026-08-03T16:00:00Z") });
    const asked: (string | null)[] = [];
    const { newest } = streaming();
    const alerts = (_body: unknown, url: URL) => {
      asked.push(url.searchParams.get("from"));
      return { items: [] };
    };
    show(<Watching />, { "GET /api/alerts": alerts });
    newest().tell("hello");
    act(() => void vi.advanceTimersByTime(15_000));
    newest().tell("beat");
    act(() => void vi.advanceTimersByTime(36_000));
    newest().tell("hello");
    await vi.waitFor(() => expect(asked).toEqual(["2026-08-03T16:00:15.000Z"]), 10_000);
  });

  it("is shown by the browser while nobody looks, and waits on the page", async () => {
    const shown: string[] = [];
    const Desktop = class {
      static permission = "granted";
      constructor(title: string) {
        shown.push(title);
      }
    };
    vi.stubGlobal("Notification", Desktop);
    const { newest, open } = streaming();
    setDesktop(true);
    show(<Watching />);
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(open()).toHaveLength(1);
    newest().tell("AlertRaised", { ...said, severity: "warning", message: "demo is near its limit" });
    expect(shown).toEqual(["Bot halted"]);
    expect(await screen.findByText("demo is near its limit")).toBeInTheDocument();
  });

  it("is shown on return when it was raised while the page was not looked at", async () => {
    const asked: (string | null)[] = [];
    const raised = { ...said, active: true };
    const alerts = (_body: unknown, url: URL) => {
      asked.push(url.searchParams.get("active"));
      return { items: [raised, { ...raised, about: "bot:b", severity: "info", message: "nothing much" }] };
    };
    const { newest, open } = streaming();
    show(<Watching />, { "GET /api/alerts": alerts });
    newest().tell("hello");
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(open()).toHaveLength(0);
    hidden.mockReturnValue(false);
    act(() => void document.dispatchEvent(new Event("visibilitychange")));
    expect(asked).toEqual([]);
    newest().tell("hello");
    expect(await screen.findByText("demo lost too much")).toBeInTheDocument();
    expect(screen.queryByText("nothing much")).not.toBeInTheDocument();
    expect(asked).toEqual(["true"]);
  });
});
