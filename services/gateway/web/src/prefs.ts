// What one person prefers in this browser. Nothing of it goes to the gateway.

export type Times = "local" | "utc";
export type Notices = "off" | "critical" | "warning" | "info";

const NAME = "signalbox-";

function stored<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  const found = globalThis.localStorage?.getItem(NAME + name);
  return allowed.find((one) => one === found) ?? otherwise;
}

const store = (name: string, value: string): void => globalThis.localStorage?.setItem(NAME + name, value);

/** In which zone times are shown. */
export const times = (): Times => stored("times", ["local", "utc"], "local");
export const setTimes = (value: Times): void => store("times", value);

/** From which severity on an alert shows itself on every page. */
export const notices = (): Notices => stored("notices", ["off", "critical", "warning", "info"], "warning");
export const setNotices = (value: Notices): void => store("notices", value);

/** Whether the browser shows them too while the page is in the background. */
export const desktop = (): boolean => stored("desktop", ["on", "off"], "off") === "on";
export const setDesktop = (on: boolean): void => store("desktop", on ? "on" : "off");
