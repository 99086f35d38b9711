import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Time } from "./Values";

const NOW = new Date("2026-08-03T16:00:00Z");

describe("how long ago something was", () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }));
  afterEach(() => void vi.useRealTimers());

  it("goes on while it stands there", () => {
    render(<Time at="2026-08-03T15:59:55Z" show="ago" />);
    expect(screen.getByText("5 s ago")).toBeInTheDocument();
    act(() => void vi.advanceTimersByTime(10_000));
    expect(screen.getByText("15 s ago")).toBeInTheDocument();
  });

  it("is right at once, also when nobody has asked for a while", () => {
    vi.setSystemTime(new Date(NOW.getTime() + 60_000));
    render(<Time at={NOW.toISOString()} show="ago" />);
    expect(screen.getByText("60 s ago")).toBeInTheDocument();
  });

  it("takes one timer, however many stand there, and none afterwards", () => {
    const all = Array.from({ length: 50 }, (_, number) => <p key={number}><Time at={NOW.toISOString()} show="ago" /></p>);
    const { unmount } = render(<>{all}</>);
    expect(vi.getTimerCount()).toBe(1);
    unmount();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is never, of what never was", () => {
    render(<p><Time at={null} show="ago" /></p>);
    expect(screen.getByText("never")).toBeInTheDocument();
  });
});
