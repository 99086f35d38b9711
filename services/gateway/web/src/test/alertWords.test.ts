import { expect, it } from "vitest";
import { aboutOf, placeOf, titleOf } from "@/alerts";

it.each([
  ["exit_given_up", "Exit given up"],
  ["dead_letter", "Message set aside"],
  ["budget_80", "Budget 80% spent"],
  ["budget_lost", "Budget lost"],
])("the alert %s is called %s", (code, words) => expect(titleOf(code)).toBe(words));

it.each([
  ["bot:demo", "Bot demo"],
  ["key:demo/BTC/USD", "Bot demo on BTC/USD"],
  ["account:real", "Account real"],
  ["account:real/AAPL", "Account real on AAPL"],
  ["llm:m", "Model m"],
  ["budget:total:day:2026-11-24", "Budget total, day 2026-11-24"],
  ["gateway", "gateway"],
])("%s is %s", (about, words) => expect(aboutOf(about)).toBe(words));

it.each([
  ["bot_halted", "bot:demo", "/settings/limits"],
  ["exit_given_up", "key:demo/AAPL", "/activity/positions"],
  ["exit_waits", "account:real/AAPL", "/activity/orders?state=working"],
  ["broker_refused", "account:real", "/settings/accounts"],
  ["budget_100", "budget:total:day:2026-11-24", "/ai-trading/costs"],
  ["source_down", "quantconnect:demo", "/quantconnect/configuration"],
  ["dead_letter", "message:7", "/activity/alerts"],
  ["clock_skew", "executor", undefined],
])("%s about %s is mended at %s", (code, about, to) => expect(placeOf({ code, about })?.to).toBe(to));
