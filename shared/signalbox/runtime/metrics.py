"""Every metric, one line each. Labels come from closed sets; never an id or an error's text."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BPS = (-50, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50, 100)

# How services live
BUILD = Gauge("signalbox_build_info", "Always 1", ["version", "service"])
BUS_ERRORS = Counter("signalbox_bus_errors_total", "Errors the NATS client reported", ["service"])
OUTBOX_RETRIES = Counter("signalbox_outbox_retries_total", "Failed publishing rounds", ["service"])
OUTBOX_PENDING = Gauge("signalbox_outbox_pending", "Committed, not confirmed", ["service"])
CONSUMER_PENDING = Gauge(
    "signalbox_consumer_pending", "Messages not delivered yet", ["stream", "consumer"]
)
CONSUMER_ACK_PENDING = Gauge(
    "signalbox_consumer_ack_pending", "Delivered, not acknowledged", ["stream", "consumer"]
)
HANDLED = Counter("signalbox_messages_handled_total", "Messages by outcome", ["service", "outcome"])
DEAD_LETTERS = Counter("signalbox_dead_letters_total", "Messages set aside", ["service"])
BATCH_SECONDS = Histogram(
    "signalbox_db_tx_duration_seconds", "One transaction", ["service", "kind"], buckets=_SECONDS
)
DB_ERRORS = Counter("signalbox_db_errors_total", "Failed transactions", ["service"])
TASK_FAILURES = Counter("signalbox_task_failures_total", "Tasks that were restarted", ["service"])
COMMANDS = Counter("signalbox_commands_total", "Commands answered", ["service", "verb", "outcome"])
CONFIG_VERSION = Gauge("signalbox_config_version", "Configuration in force", ["service"])
ACTIVE = Gauge("signalbox_active", "1 when this process may write", ["service"])
CLOCK_FROZEN = Gauge(
    "signalbox_clock_frozen", "1 when the market clock is not renewed", ["service"]
)
INVARIANTS = Counter(
    "signalbox_invariant_violations_total", "Books that contradict themselves", ["invariant"]
)
SECRET_FAILURES = Counter("signalbox_secret_decrypt_failures_total", "Secrets that stayed shut")

# Signals and verdicts
SIGNALS = Counter(
    "signalbox_signals_total", "Signals raised", ["source_type", "source_id", "outcome"]
)
SIGNAL_DUPLICATES = Counter("signalbox_signal_duplicates_total", "Seen again", ["source_id"])
LAST_SIGNAL = Gauge(
    "signalbox_source_last_signal_timestamp_seconds", "Wall time of the last one", ["source_id"]
)
DECISIONS = Counter("signalbox_decisions_total", "Verdicts", ["source_type", "result", "reason"])
CONFLICTS = Counter("signalbox_conflicts_total", "Lost arbitrations", ["winner", "loser", "rule"])
PENDING_APPROVALS = Gauge("signalbox_pending_approvals", "Verdicts that wait for a person")

OUTCOMES = Counter(
    "signalbox_outcomes_total", "Signals scored, or why not", ["source_type", "result"]
)
OUTCOMES_WAITING = Gauge("signalbox_outcomes_waiting", "Signals whose horizon has not passed")

# Orders and books
ORDERS = Counter("signalbox_orders_total", "Order states", ["broker", "source_type", "state"])
ORDERS_OPEN = Gauge("signalbox_orders_open", "Orders that are not final")
BROKER_REQUESTS = Counter(
    "signalbox_broker_requests_total", "Calls", ["broker", "method", "outcome"]
)
BROKER_ORDERS = Counter(
    "signalbox_broker_orders_total", "Orders intended, left, held back", ["account", "what"]
)
BROKER_STREAM = Gauge(
    "signalbox_broker_stream_connected", "1 while order updates are heard", ["account"]
)
BROKER_STREAM_HEARD = Gauge(
    "signalbox_broker_stream_last_event_timestamp_seconds", "Wall time", ["account"]
)
BROKER_STREAM_MESSAGES = Counter(
    "signalbox_broker_stream_messages_total", "Messages heard", ["account", "what"]
)
RECONCILED = Gauge("signalbox_reconcile_last_success_timestamp_seconds", "Wall time", ["account"])
POSITION_MISMATCHES = Gauge(
    "signalbox_position_mismatch", "Symbols that differ from the broker", ["account"]
)
ORDERS_UNKNOWN = Gauge("signalbox_orders_unknown", "Orders whose outcome is not known")
STAGE_SECONDS = Histogram(
    "signalbox_order_stage_seconds", "Time between stages", ["stage"], buckets=_SECONDS
)
SLIPPAGE_BPS = Histogram(
    "signalbox_slippage_bps", "Fill against arrival mid", ["source_type"], buckets=_BPS
)
VERDICT_REPEATS = Counter("signalbox_verdict_repeats_total", "Verdicts applied before")
DENIALS = Counter("signalbox_risk_denials_total", "Denied intents", ["code", "source_type"])
FILL_DUPLICATES = Counter("signalbox_fill_duplicates_total", "Fills seen again", ["broker"])
LATE_FILLS = Counter("signalbox_late_fills_total", "Fills after a final state", ["broker"])
HALTED_KEYS = Gauge("signalbox_halted_keys", "Halted (bot, symbol) pairs", ["service"])
TRADING_STATE = Gauge("signalbox_trading_state", "1 active, 0 halted")
KILL_SWITCH = Gauge("signalbox_kill_switch_engaged", "1 when engaged", ["scope"])
EQUITY = Gauge("signalbox_equity", "Account value", ["bot"])
CASH = Gauge("signalbox_cash", "Cash", ["bot"])
EXPOSURE_GROSS = Gauge("signalbox_exposure_gross", "Sum of absolute positions", ["bot"])
EXPOSURE_NET = Gauge("signalbox_exposure_net", "Sum of positions", ["bot"])
PNL_REALIZED = Gauge("signalbox_pnl_realized", "Since the beginning", ["source_type", "source_id"])

# Feeds and providers
BARS = Counter("signalbox_bars_total", "Bars published", ["interval"])
ROWS_REFUSED = Counter("signalbox_feed_rows_refused_total", "Malformed price rows", ["origin"])
FEED_CONNECTED = Gauge("signalbox_feed_connected", "1 when a live feed answers", ["feed"])
CLOCK_EPOCH = Gauge("signalbox_clock_epoch", "Loop of the replay")
QC_REQUESTS = Counter("signalbox_quantconnect_requests_total", "Calls", ["endpoint", "status"])
QC_CONNECTED = Gauge("signalbox_quantconnect_connected", "1 when it answers", ["config_id"])

# Language models; provider, model and config_id come from the settings
LLM_TRIGGERS = Counter("signalbox_llm_triggers_total", "Questions due", ["config_id", "trigger"])
LLM_CALLS = Counter("signalbox_llm_calls_total", "Attempts", ["provider", "model", "outcome"])
LLM_SECONDS = Histogram(
    "signalbox_llm_request_seconds",
    "One attempt",
    ["provider", "model"],
    buckets=(*_SECONDS, 20, 30, 60, 120),
)
LLM_COST = Counter("signalbox_llm_cost_usd_total", "Settled", ["provider", "model"])
LLM_TOKENS = Counter("signalbox_llm_tokens_total", "Tokens", ["provider", "model", "kind"])
LLM_DECISIONS = Counter(
    "signalbox_llm_decisions_total", "Decisions", ["config_id", "outcome", "action"]
)
LLM_OVERRUNS = Counter(
    "signalbox_llm_overruns_total", "Calls above their worst case", ["provider", "model"]
)
LLM_REFUSALS = Counter("signalbox_llm_budget_refusals_total", "Calls not made", ["config_id"])
LLM_CACHE_HITS = Counter("signalbox_llm_cache_hits_total", "Answered at no cost", ["config_id"])
LLM_CONNECTED = Gauge("signalbox_llm_connected", "1 when it answers", ["config_id"])
BUDGET_RESERVED = Gauge("signalbox_budget_reserved_ratio", "Under way, of the limit", ["budget"])
BUDGET_SETTLED = Gauge("signalbox_budget_settled_ratio", "Spent, of the limit", ["budget"])

# The outside
HTTP_REQUESTS = Counter(
    "signalbox_http_requests_total", "Answered requests", ["route", "method", "status"]
)
HTTP_SECONDS = Histogram(
    "signalbox_http_request_duration_seconds", "Answer time", ["route", "method"], buckets=_SECONDS
)
AUTH_FAILURES = Counter("signalbox_auth_failures_total", "Refused logins and tokens", ["reason"])
STREAM_CLIENTS = Gauge("signalbox_stream_clients", "Open event streams")
ARCHIVED = Counter("signalbox_events_archived_total", "Events stored for good", ["stream"])
ALERTS_RECENT = Gauge(
    "signalbox_alerts_recent", "Raised within 15 minutes", ["service", "code", "severity"]
)
