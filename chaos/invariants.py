"""What must always be true, whatever was killed when. Each rule returns its complaints; none is
good.
"""

from collections.abc import Callable, Iterable, Iterator

from chaos.evidence import Evidence
from chaos.rules import books, brokers, orders, records, services, verdicts

Rule = Callable[[Evidence], Iterator[str]]

OWN_TIME: tuple[Rule, ...] = (  # about services that catch up after everybody else
    services.every_question_is_answered_once,
    services.money_spent_is_what_decisions_cost,
    services.no_question_is_asked_behind_the_books,
    services.every_signal_is_scored_once,
)
RULES: tuple[Rule, ...] = (
    verdicts.no_acknowledged_signal_is_lost,
    verdicts.one_verdict_for_each_signal_and_listener,
    verdicts.nobody_listens_only_where_nobody_does,
    verdicts.later_rounds_follow_a_pending_one,
    verdicts.sequences_have_no_gap,
    verdicts.suppressed_name_their_winner,
    verdicts.ids_follow_from_their_cause,
    orders.one_intent_for_each_accepted_verdict,
    orders.one_broker_order_for_each_intent,
    orders.no_signal_is_traded_twice,
    orders.orders_move_forward,
    orders.fills_add_up,
    books.positions_are_the_sum_of_fills,
    books.lots_are_the_sum_of_slices,
    books.cash_is_what_fills_left,
    brokers.the_broker_has_each_order_once,
    brokers.the_broker_holds_what_fills_left,
    brokers.the_broker_surprises_nobody,
    *OWN_TIME,
    records.everything_came_to_rest,
    records.nothing_was_set_aside,
    records.the_archive_holds_every_event,
    records.read_models_agree,
)


def check(seen: Evidence) -> dict[str, list[str]]:
    """Complaints by rule, each rule listed."""
    return {rule.__name__: list(rule(seen)) for rule in RULES}


def complaints(seen: Evidence, *, leave_out: Iterable[Rule] = ()) -> list[str]:
    """All complaints as lines, but for rules that a test breaks on purpose."""
    out = {rule.__name__ for rule in leave_out}
    found = check(seen)
    return [f"{name}: {line}" for name, lines in found.items() if name not in out for line in lines]
