// The event stream of a test: what the page opens, and what it is told.

import { act } from "@testing-library/react";
import { vi } from "vitest";

class FakeStream extends EventTarget {
  static readonly CLOSED = 2;
  static opened: FakeStream[] = [];
  readyState = 1;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeStream.opened.push(this);
  }

  close(): void {
    this.readyState = FakeStream.CLOSED;
  }

  /** One frame, as the gateway sends it. */
  tell(kind: string, data: object = {}): void {
    act(() => void this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify({ data }) })));
  }
}

/** From now on the page's stream is this one. */
export function streaming(): { newest: () => FakeStream; open: () => FakeStream[] } {
  FakeStream.opened = [];
  vi.stubGlobal("EventSource", FakeStream);
  return {
    newest: () => {
      const found = FakeStream.opened.at(-1);
      if (!found) throw new Error("no stream was opened");
      return found;
    },
    open: () => FakeStream.opened.filter((one) => one.readyState !== FakeStream.CLOSED),
  };
}
