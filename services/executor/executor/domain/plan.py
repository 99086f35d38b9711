"""From an accepted verdict to exactly one intent: an order to make, or a denial with its reason."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from executor.domain.broker import objection
from executor.domain.exits import closable, exit_of, still_open
from executor.domain.guards import guard_of
from executor.domain.limits import over_rate, size_entry
from executor.domain.orders import Follow, Ticket
from executor.domain.prices import limit_of
from executor.domain.risk import HALTS
from executor.domain.scene import Denial, Intent, Scene
from signalbox.contracts.accounts import AccountConfig
from signalbox.contracts.config import BotConfig
from signalbox.contracts.errors import InvariantBroken
from signalbox.contracts.payloads import Signal, Verdict
from signalbox.contracts.values import Action, OrderState, Side


def plan(verdict: Verdict, version: int, scene: Scene) -> Intent | Denial:
    """What to do about an accepted verdict that was reached under config `version`; the first
    objection wins.

    A sell or a close, or a buy that meets short lots, closes lots; only where there are none it
    opens some. Where the bot may sell short, the entry follows that exit: a flip. Without a fresh
    quote an entry is planned without a size, and `settle` looks at the limits later.
    """
    bot, account, signal = scene.bot, scene.account, verdict.signal
    if bot is None:
        return Denial("unknown_bot", f"there is no bot {verdict.bot}")
    if account is None:
        return Denial("unknown_account", f"bot {bot.id} has no account {bot.account}")
    denial = (
        _stopped(bot, account, scene)
        or _outdated(verdict, version, bot, scene)
        or objection(account, bot, replay=scene.replay, allow_live=scene.allow_live)
    )
    if denial:
        return denial
    for book in (scene.book, *scene.former):
        lots = closable(signal, book, bot)
        if lots:
            follow = _follow(signal, bot, scene) if book is scene.book else None
            return replace(exit_of(lots, book.account), follow=follow)
    if scene.halted:  # by its losses: what is open may still be closed
        return _halted(bot, scene)
    if signal.action is Action.BUY or (signal.action is Action.SELL and bot.allow_short):
        side = Side.BUY if signal.action is Action.BUY else Side.SELL
        return _entry(signal, side, bot, scene)
    return Denial("nothing_to_change", _nothing(signal, bot))


def settle(
    ticket: Ticket, bot: BotConfig | None, scene: Scene
) -> Decimal | tuple[OrderState, Denial]:
    """How much more a waiting order trades at the scene's quote now, or how it ends instead.

    Time has passed since it was planned, so an entry is checked again, and an exit closes what is
    still there.
    """
    over = ending(ticket, bot, scene)
    if over:
        return over
    if not ticket.entry:
        left = still_open(ticket, scene.book)
        why = Denial("nothing_to_change", "the lots it was to close are closed already")
        return left or (OrderState.CANCELED, why)
    order = ticket.order
    if bot is None or order.side is None:
        raise InvariantBroken(f"entry {order.order_id} has no bot or no side")
    if ticket.remaining is not None:
        return ticket.remaining
    size = size_entry(
        order.symbol,
        order.side,
        ticket.signal_price,
        bot,
        scene,
        source=order.source_type,
        guard=ticket.guard,
    )
    return (OrderState.REJECTED, size) if isinstance(size, Denial) else size


def ending(ticket: Ticket, bot: BotConfig | None, scene: Scene) -> tuple[OrderState, Denial] | None:
    """How a waiting order ends, because its time is up or the configuration forbids an entry; None
    if it stays.
    """
    if ticket.expires_at is not None and scene.now >= ticket.expires_at:
        words = f"the signal ended at {ticket.expires_at}, before a quote could fill it"
        return OrderState.EXPIRED, Denial("expired", words)
    why = forbidden(ticket, bot, scene) if ticket.entry else None
    return (OrderState.CANCELED, why) if why else None


def forbidden(ticket: Ticket, bot: BotConfig | None, scene: Scene) -> Denial | None:
    """Why, as things have become, a waiting order opens nothing: itself, or what follows it."""
    order = ticket.order
    if bot is None:
        return Denial("unknown_bot", f"there is no bot {order.bot} any more")
    if scene.kill_switch.stops(order.bot, order.account):
        return Denial("trading_halted", "the kill switch was engaged while it waited")
    if scene.halted:
        return Denial("trading_halted", f"the key was halted while it waited: {scene.halted}")
    if not bot.enabled:
        return Denial("bot_disabled", f"bot {order.bot} was switched off while it waited")
    if order.account != bot.account or ticket.config_version < bot.bound_version:
        words = "the bot's account or mode has changed since it was planned"
        return Denial("config_changed", words)
    return None


def _stopped(bot: BotConfig, account: AccountConfig, scene: Scene) -> Denial | None:
    if scene.halted and scene.halted not in HALTS:
        return _halted(bot, scene)
    if scene.kill_switch.stops(bot.id, account.id):
        return Denial("trading_halted", f"the kill switch is engaged: {scene.kill_switch.reason}")
    if not bot.enabled:
        return Denial("bot_disabled", f"bot {bot.id} is switched off")
    return None


def _halted(bot: BotConfig, scene: Scene) -> Denial:
    words = f"{bot.id} is halted on this symbol ({scene.halted}) until a person clears it"
    return Denial("trading_halted", words)


def _outdated(verdict: Verdict, version: int, bot: BotConfig, scene: Scene) -> Denial | None:
    if version < bot.bound_version or verdict.account not in {"", bot.account}:
        return Denial(
            "config_changed",
            "the bot's account or mode has changed since the verdict",
            {"limit": str(bot.bound_version), "observed": str(version)},
        )
    if scene.now >= verdict.signal.valid_until:
        return _stale(verdict.signal, scene.now)
    return None


def _stale(signal: Signal, now: datetime) -> Denial:
    numbers = {"limit": signal.valid_until.isoformat(), "observed": now.isoformat()}
    return Denial("stale_signal", f"the signal ended at {numbers['limit']}", numbers)


def _entry(signal: Signal, side: Side, bot: BotConfig, scene: Scene) -> Intent | Denial:
    denial = not_allowed(signal.symbol, side, bot) or over_rate(bot, scene)
    if denial:
        return denial
    guard = guard_of(bot.exits, signal.stop_price, signal.target_price)
    if scene.closed and not bot.limits.wait_for_open:
        words = f"the market of {signal.symbol} is closed, and {bot.id} does not wait for it"
        return Denial("market_closed", words)
    if scene.quote is None:
        return Intent(side, bot.account, entry=True, quantity=None, guard=guard)
    symbol, source = signal.symbol, signal.source_type
    size = size_entry(symbol, side, signal.price, bot, scene, source=source, guard=guard)
    if isinstance(size, Denial):
        return size
    limit = limit_of(side, scene.quote, bot.limits)
    return Intent(side, bot.account, entry=True, quantity=size, guard=guard, limit_price=limit)


def not_allowed(symbol: str, side: Side, bot: BotConfig) -> Denial | None:
    """Why the bot may not open a position of this symbol on this side at all."""
    if bot.symbols and symbol not in bot.symbols:
        return Denial("symbol_not_allowed", f"bot {bot.id} does not trade {symbol}")
    if side is Side.SELL and "/" in symbol:
        return Denial("not_shortable", f"{symbol} is a spot pair and cannot be sold short")
    return None


def _follow(signal: Signal, bot: BotConfig, scene: Scene) -> Follow | None:
    """What comes after the exit that a word asks for in the bot's account."""
    side = {Action.BUY: Side.BUY, Action.SELL: Side.SELL}.get(signal.action)
    if side is None or not bot.allow_short or scene.halted:
        return None
    if not_allowed(signal.symbol, side, bot):
        return None
    guard = guard_of(bot.exits, signal.stop_price, signal.target_price)
    return Follow(signal.valid_until, guard)


def _nothing(signal: Signal, bot: BotConfig) -> str:
    if signal.action is Action.SELL:
        return (
            f"{signal.source_id} owns nothing of {signal.symbol}, and {bot.id} may not sell short"
        )
    return f"{signal.source_id} owns nothing of {signal.symbol} that a {signal.action} could change"
