"""Other promises tried out: what is stored, replayed beside the promises in force; alerts and states are not touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from listener.app import App, Pair, replay_many
from listener.drift.backtest import Outcome, outcome_of
from listener.drift.marks import by_koc
from listener.drift.rules import Rule, default_calibration
from listener.pipeline import Desk, Interrupted, batches
from storage.records import Calibration, History, KocMark, MoodDay, Verdict

READ_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """A backtest of one brand: the outcomes of each KOC under the promises in force, and under the others (the same ones, where
    no others were named). late: mentions of that time that were stored only after as_of, and so were not known."""

    brand: str
    since: datetime
    until: datetime
    as_of: datetime | None
    calibration: Calibration
    rule: Rule
    other: Rule
    marks: Sequence[KocMark]
    in_force: Sequence[Outcome]
    tried: Sequence[Outcome]
    late: int


def backtest(
    app: App, brand: str, desk: Desk, other: Rule, *, since: datetime, until: datetime, as_of: datetime | None = None
) -> Trial:
    """Replay a brand's KOCs under the promises in force and under others, and look at since … until.

    as_of: know only what was stored and posted until then (default: all that is stored). Raises Interrupted where somebody
    wants to stop."""
    store, rule = app.store, desk.rule
    calibration = store.calibration(brand, at=as_of) or default_calibration()
    marks, moods = store.koc_marks(brand=brand), store.moods(brand, as_of=as_of)
    said, pairs = by_koc(marks), [(koc.koc_id, brand) for koc in store.kocs()]
    sides: dict[Rule, list[Outcome]] = {rule: [], other: []}
    done = late = 0
    for some in batches(pairs, READ_AT_ONCE):
        if desk.stopping():
            raise Interrupted
        histories = [_until(h, until) for h in store.histories(some, as_of=as_of)]
        if as_of is not None:
            every = (_until(h, until) for h in store.histories(some))
            late += sum(len(h.mentions) for h in every) - sum(len(h.mentions) for h in histories)
        for promised, outcomes in sides.items():
            for history, verdict in _judged(app, histories, moods, calibration, promised):
                outcomes.append(outcome_of(history, verdict, said.get((history.koc_id, brand), ()), since, until))
        done += len(some)
        desk.report("回测 backtest", done, len(pairs))
    return Trial(brand, since, until, as_of, calibration, rule, other, marks, sides[rule], sides[other], late)


def promises(rule: Rule, red: float | None, amber: float | None) -> Rule:
    """The rule with other promises, false alarms in 1000 KOC-years.

    >>> promises(Rule(), 2.0, None).false_alarms_red, promises(Rule(), 2.0, None).false_alarms_amber
    (2.0, 10.0)
    """
    return replace(
        rule,
        false_alarms_red=rule.false_alarms_red if red is None else red,
        false_alarms_amber=rule.false_alarms_amber if amber is None else amber,
    )


def is_upside_down(rule: Rule) -> bool:
    """Whether red, which somebody is called for, promises more false alarms than amber.

    >>> is_upside_down(promises(Rule(), 20.0, None)), is_upside_down(Rule())
    (True, False)
    """
    return rule.false_alarms_red > rule.false_alarms_amber


def _until(history: History, until: datetime) -> History:
    return replace(history, mentions=tuple(m for m in history.mentions if m.posted_at < until))


def _judged(
    app: App, histories: Sequence[History], moods: Sequence[MoodDay], calibration: Calibration, rule: Rule
) -> Iterator[tuple[History, Verdict]]:
    """Each history with its verdict; to other processes the histories travel, since they are as of a time."""
    by_pair: dict[Pair, History] = {(h.koc_id, h.brand): h for h in histories}

    def read(pairs: Sequence[Pair]) -> list[History]:
        return [by_pair[pair] for pair in pairs]

    verdicts = replay_many(app.executor, None, list(by_pair), read, moods, calibration, rule)
    return zip(by_pair.values(), verdicts, strict=True)
