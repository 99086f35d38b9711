"""Verdicts are applied in the order of their numbers, without a gap."""

from enum import StrEnum

from executor.domain.desk import Track

GAP_PATIENCE_S = 60.0


class Turn(StrEnum):
    """What a verdict's number means for its key."""

    NEXT = "next"  # to be applied now
    PAST = "past"  # applied before, or skipped when a halt was cleared
    EARLY = "early"  # an earlier one is missing


def turn(sequence: int, track: Track) -> Turn:
    """Whose turn it is. A halted key lets everything new through: it is denied, not waited for."""
    if sequence <= track.sequence:
        return Turn.PAST
    if sequence == track.sequence + 1 or track.halted:
        return Turn.NEXT
    return Turn.EARLY


def passed(sequence: int, track: Track) -> Track:
    """The track after a verdict has had its turn."""
    return Track(max(sequence, track.sequence), track.halted, track.repeat)
