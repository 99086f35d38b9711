"""Prices from the list that `genai-prices` carries with it. Nothing is fetched."""

from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import genai_prices
from genai_prices.types import ModelPrice, PriceCalculation, TieredPrices

from llm_decider.domain import costs
from llm_decider.domain.costs import Priced, UnitPrices, Unpriced
from llm_decider.domain.shapes import Usage
from signalbox.contracts.config import LlmConfig
from signalbox.contracts.values import Target

SOURCE = f"genai-prices {genai_prices.__version__}"
_PROVIDERS = {"openai": "openai", "claude": "anthropic"}


def price_call(
    config: LlmConfig, usage: Usage, at: datetime, *, served_model: str = ""
) -> Priced | Unpriced:
    """What a call cost, by the prices of the moment `at` and the model that served it; by the one
    that was asked for where the list does not know that.
    """
    if config.price is not None:
        return costs.own_price(config.price, served_model or config.model, usage)
    for model in (served_model, config.model):
        found = _calculate(config, model, usage, at) if model else None
        if found is not None:
            return _priced(found, usage)
    return _unpriced(config)


def price_worst(config: LlmConfig, most_in: int, most_out: int, at: datetime) -> Priced | Unpriced:
    """The most that one call can cost: every token that may go in at the dearest input price,
    written to the provider's cache or not, and an answer up to its limit.
    """
    worst: Priced | Unpriced = _unpriced(config)
    for written in (0, most_in):
        usage = Usage(input_total=most_in, cache_write_5m=written, output_total=most_out)
        found = price_call(config, usage, at)
        if isinstance(found, Priced) and (isinstance(worst, Unpriced) or found.usd > worst.usd):
            worst = found
    return worst


def _unpriced(config: LlmConfig) -> Unpriced:
    at = config.base_url if config.base_url and config.target is Target.REAL else ""
    return costs.unpriced(config.provider, config.model, urlsplit(at).hostname or "")


def _calculate(
    config: LlmConfig, model: str, usage: Usage, at: datetime
) -> PriceCalculation | None:
    written = usage.cache_write_5m + usage.cache_write_1h
    counted = genai_prices.Usage(
        input_tokens=usage.input_total,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=written,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output_total,
    )
    try:
        if config.base_url and config.target is Target.REAL:
            return genai_prices.calc_price(
                counted, model, provider_api_url=config.base_url, genai_request_timestamp=at
            )
        return genai_prices.calc_price(
            counted,
            model,
            provider_id=_PROVIDERS[config.provider],
            genai_request_timestamp=at,
        )
    except (LookupError, ValueError):
        return None


def _priced(found: PriceCalculation, usage: Usage) -> Priced:
    price, total = found.model_price, usage.input_total
    plain_input = _unit(price, "input_mtok", total) or Decimal(0)
    written = _unit(price, "cache_write_mtok", total)
    written = plain_input if written is None else written
    short, long, read = (
        _unit(price, name, total)
        for name in ("cache_write_5m_mtok", "cache_write_1h_mtok", "cache_read_mtok")
    )
    unit = UnitPrices(
        source=SOURCE,
        model=found.model.id,
        input=plain_input,
        cache_read=plain_input if read is None else read,
        cache_write_5m=written if short is None else short,
        cache_write_1h=written if long is None else long,
        output=_unit(price, "output_mtok", total) or Decimal(0),
    )
    return Priced(costs.plain(found.total_price), unit)


def _unit(price: ModelPrice, name: str, total: int) -> Decimal | None:
    """A unit price at the step that so much input reaches."""
    found = getattr(price, name)
    if not isinstance(found, TieredPrices):
        return found if isinstance(found, Decimal) else None
    reached = [tier.price for tier in found.tiers if total > tier.start]
    return reached[-1] if reached else found.base
