"""What the REST interface answers about language models. Keys never come back."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Self

from pydantic import JsonValue

from gateway.domain.llm import LanguageModel, lacking
from gateway.domain.views import ChainView, Number, View
from signalbox.contracts.values import UtcTime


class BudgetView(View):
    """What calls may cost in US dollars; null is no limit."""

    day_usd: Number | None
    month_usd: Number | None


class PriceView(View):
    """A user's own price, US dollars for a million tokens."""

    input_usd: Number
    output_usd: Number


class LlmConfigView(View):
    """A language model that is asked; of its key only the end and the date."""

    id: str
    name: str
    provider: str
    wire: str
    base_url: str | None
    api_key_hint: str
    api_key_at: UtcTime | None
    model: str
    prompt_template: str
    max_tokens: int
    temperature: Number | None
    effort: str | None
    symbols: tuple[str, ...]
    interval: str
    every: int | None
    move: Number | None
    min_gap_s: int
    symbols_per_call: int
    horizon_s: int
    deadline_s: int
    fallback: str | None
    bot: str | None
    show_signals: bool
    cache_s: int
    budget: BudgetView
    price: PriceView | None
    target: str
    is_active: bool
    created_at: UtcTime
    updated_at: UtcTime
    todo: str  # what to do before it can be asked; empty when nothing is missing
    warnings: tuple[str, ...]  # of its model, as llm-decider last said
    left_out: tuple[str, ...]  # settings that its model, going by its name, does not take

    @classmethod
    def of(cls, model: LanguageModel, told: Mapping[str, JsonValue]) -> "LlmConfigView":
        """Without what is sealed; `told` is what llm-decider last said of its connection."""
        shown = {
            **model.model_dump(),
            "api_key_hint": model.key_hint,
            "api_key_at": model.key_at,
            "prompt_template": model.prompt_id,
            "is_active": model.active,
            "todo": lacking(model),
            "warnings": lines_of(told, "warnings"),
            "left_out": lines_of(told, "left_out"),
        }
        return cls.model_validate(shown)


def lines_of(told: Mapping[str, JsonValue], name: str) -> tuple[str, ...]:
    """The texts under a name in what a service said."""
    found = told.get(name)
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


class LlmTest(View):
    """Whether a provider accepts key and model. Nothing was spent on it."""

    connected: bool
    message: str
    model: dict[str, JsonValue] | None = None
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # settings that the model, going by its name, does not take


class BudgetLine(View):
    """Where one budget stands. Days and months are of wall time, UTC."""

    scope: str  # total, or a config's id
    period: str  # day or month
    key: str  # 2026-11-23 or 2026-11
    limit_usd: Number | None  # null: no limit
    spent_usd: Number
    reserved_usd: Number  # calls under way, and calls whose cost nobody knows yet
    unknown_usd: Number = Decimal(0)  # of reserved_usd: the latter; settle them
    left_usd: Number | None


class LlmStatus(View):
    """How a language model stands, and what it has used today (wall time, UTC)."""

    config_id: str
    name: str
    provider: str
    model: str
    target: str
    is_active: bool
    connected: bool
    last_ok_at: UtcTime | None = None
    last_error: str | None = None
    trouble: str | None = None
    next_at: UtcTime | None = None  # market time of the next scheduled question
    todo: str = ""
    warnings: tuple[str, ...] = ()
    calls_today: int
    decisions_today: int
    tokens_today: int
    cost_today_usd: Number
    cost_month_usd: Number
    budget: tuple[BudgetLine, ...]


class DecisionView(View):
    """One answer of a language model about one symbol, with its cost."""

    id: str
    config_id: str
    target: str | None  # real or sandbox; null where nobody knows any more
    symbol: str
    provider: str
    model: str
    served_model: str
    prompt_version: str  # `<prompt id>@<version>`
    trigger: str
    asked_by: str
    outcome: str
    error: str
    error_kind: str
    action: str | None
    abstained: bool
    confidence: Number | None
    reasoning: str
    horizon_s: float | None
    stop_price: Number | None
    target_price: Number | None
    price: Number | None
    invalidation: str
    suspicious: bool
    evidence: tuple[str, ...]
    notes: tuple[str, ...]
    call_id: str | None
    fallback_for: str | None
    attempts: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    cost_usd: Number
    cost_is_estimated: bool
    latency_ms: float
    cached: bool
    cached_from: str | None
    dry_run: bool
    signal_id: str | None
    not_traded: str
    explanation: str  # what became of it, in words
    processed: bool  # not raised, or every listening bot has settled
    at: UtcTime  # market time of the question
    created_at: UtcTime  # wall time of the answer


class CallView(View):
    """One call of a provider, and what is set aside for it."""

    attempt_id: str  # what settle names
    config_id: str
    provider: str
    model: str
    at: UtcTime
    request_id: str
    outcome: str
    error: str
    reserved_usd: Number

    @classmethod
    def of(cls, told: JsonValue) -> Self:
        """As llm-decider tells it."""
        fields = told if isinstance(told, dict) else {}
        return cls.model_validate({**fields, "attempt_id": fields.get("attempt")})


class AttemptView(CallView):
    """One call of a provider, with its money and its answer, as llm-decider keeps it."""

    number: int
    latency_ms: float
    status: int | None
    usage: dict[str, JsonValue]
    cost_usd: Number
    state: str  # started, settled, released, unknown or resolved
    raw_text: str


class UnresolvedView(CallView):
    """A call that broke off, so that nobody knows what it cost. Its worst case stays reserved."""

    decisions: dict[str, str]  # ids by symbol


class MessagesView(View):
    """What was sent to the provider."""

    system: str = ""
    user: str = ""


class DecisionDetail(DecisionView):
    """An answer with what the model was shown, the calls behind it, and all that followed."""

    market_data: dict[str, JsonValue]
    calls: tuple[AttemptView, ...] | None  # null while llm-decider does not answer
    messages: MessagesView | None
    calls_problem: str | None  # why they are not here
    chain: ChainView | None  # where it became a signal


class AskedView(View):
    """What was asked for: the answers that are there, and the ids of those to come."""

    complete: bool
    items: tuple[DecisionView, ...]
    pending: dict[str, str]  # by symbol: GET /api/ai-trading/decision/{id}
    call_ids: tuple[str, ...]


def midnight(at: datetime) -> datetime:
    """The start of this day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
