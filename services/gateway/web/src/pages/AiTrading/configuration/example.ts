// A stored config, for tests.

import type { Config } from "../queries";

export const STORED: Config = {
  id: "gpt", name: "By the minute", provider: "openai", wire: "responses", base_url: null, api_key_hint: "9f3A",
  api_key_at: "2026-11-20T09:00:00Z", model: "a-model", prompt_template: "standard", max_tokens: 2000, temperature: null,
  effort: null, symbols: ["AAPL"], interval: "1m", every: 15, move: "0.015", min_gap_s: 60, symbols_per_call: 5,
  horizon_s: 3600, deadline_s: 60, fallback: null, bot: null, show_signals: false, cache_s: 300,
  budget: { day_usd: "1", month_usd: null }, price: null, target: "real", is_active: true,
  created_at: "2026-11-20T09:00:00Z", updated_at: "2026-11-20T09:00:00Z", todo: "", warnings: [], left_out: [],
};
