"""The signals of one KOC, each by its own rule, told together: what a graver one tells of a post, a milder one does not tell
again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from listener.signals import accusations, defections, first_negatives, grave_posts, unresolved_feedbacks
from listener.signals.praise_withdrawals import praise_withdrawals
from listener.signals.silences import silences
from storage.records import DriftState, HeldBack, History, Signal

GRAVER = frozenset({grave_posts.KIND, defections.KIND})  # than a first negative of the same post


def signals_of(
    history: History,
    state: DriftState,
    *,
    first_negative: float,
    silent_days: float,
    in_shift: Callable[[datetime], bool] = lambda at: False,
) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...], datetime | None]:
    """All signals of one KOC in order of time; what was held back and why; and the instant up to which the KOC must be heard
    for one more, if no further post is found: silence, or a change that holds over covered time alone.

    state: where the KOC stood after each mention. first_negative: promised notices per 1000 KOC-years. silent_days: the
    shortest silence. in_shift: whether the whole brand's mood had fallen then."""
    grave, not_grave = grave_posts.grave_posts(history)
    left, not_left, left_at = defections.defections(history)
    again, not_again = unresolved_feedbacks.unresolved_feedbacks(history, state)
    accused, not_accused = accusations.accusations(history)
    noticed, not_noticed = first_negatives.first_negatives(history, promised=first_negative, in_shift=in_shift)
    silent, silent_from = silences(history, state, least_days=silent_days)
    withdrawn, withdrawn_at = praise_withdrawals(history, state, least_days=silent_days)
    first, told_graver = _less(noticed, (*grave, *left))
    found = (*grave, *left, *again, *accused, *first, *silent, *withdrawn)
    held = (*not_grave, *not_left, *not_again, *not_accused, *not_noticed, *told_graver)
    return (
        tuple(sorted(found, key=lambda one: (one.at, one.kind, one.tipped_by))),
        tuple(sorted(held, key=lambda one: (one.at, one.kind, one.key))),
        min((at for at in (silent_from, left_at, withdrawn_at) if at), default=None),
    )


def _less(noticed: Sequence[Signal], graver: Sequence[Signal]) -> tuple[list[Signal], list[HeldBack]]:
    """The notices of first negatives whose post tells nothing graver, and those that it does, as held back."""
    told = {key for one in graver for key in one.posts}
    held = [HeldBack(one.kind, None, one.at, one.tipped_by, "told-as-graver") for one in noticed if one.tipped_by in told]
    return [one for one in noticed if one.tipped_by not in told], held
