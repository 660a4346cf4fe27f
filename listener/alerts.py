"""A verdict and what is stored → alerts, and their deliveries; deliveries that are due → messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from storage.records import (
    Alert,
    Changes,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Drift,
    Evidence,
    Json,
    Koc,
    Message,
    PostKey,
    Severity,
    Signal,
    StoredAlert,
    Verdict,
)

MOST_POSTS = 12  # of the evidence, in one alert: what a person reads on a phone
MOST_ROWS = 100  # in one summary or correction

# kind and level → severity, for a KOC of a common tier and for one of the first tier. A turn is never 紧急 by itself: that
# is for those whose word reaches farthest; a wavering one is 关注, because what is asked for is a care visit, not an answer.
# The quiet kinds are 提示 or 关注: the owner should know, and nobody has to answer in public. A brand has no tier.
SEVERITIES: Mapping[tuple[str, str | None], tuple[Severity, Severity]] = {
    ("drift", "amber"): ("watch", "important"),
    ("drift", "red"): ("important", "urgent"),
    ("first-negative", None): ("info", "info"),
    ("silence", None): ("info", "watch"),
    ("praise-withdrawal", None): ("info", "watch"),
    ("brand-shift", None): ("important", "important"),
}
FIRST_TIERS = frozenset({"s", "a", "s级", "a级", "核心", "头部", "top", "core", "vip"})
URGENCY: Mapping[Severity, int] = {"urgent": 0, "important": 1, "watch": 2, "info": 3}

BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
JITTER = 0.1

HEARD = ("sent", "summarized")  # states of a delivery that somebody has received


# --------------------------------------------------------------------------------------------------- verdict → alerts


def key_of(*parts: str) -> str:
    """A key made of values alone: the same on every machine, at any time, in every workspace (32 hex digits of SHA-256).

    >>> key_of("drift", "星澜", "K1") == key_of("drift", "星澜", "K1") != key_of("drift", "星澜K", "1")
    True
    """
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:32]


def delivery_key(alert_key: str, channel: str, kind: DeliveryKind, turn: int = 0) -> str:
    """Key of a delivery. turn: how often the alert was told, corrected and told again on this channel before."""
    return key_of(alert_key, channel, kind, *([str(turn)] if turn else []))


def alerts_of(verdict: Verdict, tier: str = "") -> tuple[Alert, ...]:
    """An alert for each drift and each signal, in their order; a function of the verdict and the KOC's tier alone."""
    return (*(_alert_of(drift, tier) for drift in verdict.drifts), *(_alert_of_signal(one, tier) for one in verdict.signals))


def severity_of(kind: str, level: str | None = None, tier: str = "") -> Severity:
    """How fast somebody must act.

    >>> severity_of("drift", "red"), severity_of("drift", "red", "核心"), severity_of("drift", "amber", "B")
    ('important', 'urgent', 'watch')
    >>> severity_of("first-negative", tier="核心"), severity_of("silence", tier="核心")
    ('info', 'watch')
    """
    common, first = SEVERITIES[kind, level]
    return first if tier.strip().casefold() in FIRST_TIERS else common


def _alert_of(drift: Drift, tier: str) -> Alert:
    tip = drift.tipped_by
    posts = posts_of(drift)
    return Alert(
        key=key_of("drift", drift.brand, drift.koc_id, drift.level, tip.platform, tip.post_id),
        kind="drift",
        level=drift.level,
        severity=severity_of("drift", drift.level, tier),
        koc_id=drift.koc_id,
        brand=drift.brand,
        fired_at=drift.fired_at,
        turned_at=drift.turned_at,
        evidence=evidence_json(drift.evidence, posts),
        posts=posts,
    )


def _alert_of_signal(signal: Signal, tier: str) -> Alert:
    tip = signal.tipped_by
    over = {"ended_at": signal.ended_at.isoformat()} if signal.ended_at else {}
    return Alert(
        key=key_of(signal.kind, signal.brand, signal.koc_id, "", tip.platform, tip.post_id),
        kind=signal.kind,
        level=None,
        severity=severity_of(signal.kind, None, tier),
        koc_id=signal.koc_id,
        brand=signal.brand,
        fired_at=signal.at,
        turned_at=None,
        evidence={**signal.evidence, **over},
        posts=signal.posts[-MOST_POSTS:],
    )


def posts_of(drift: Drift, most: int = MOST_POSTS) -> tuple[PostKey, ...]:
    """The posts that make the evidence, in order of time: all since the turn, or those with the strongest shares.

    The post that tipped it is always among them: it is what the alert is about, though its own share may be small.
    """
    nats: dict[PostKey, float] = {}
    for share in drift.evidence.shares:
        nats[share.key] = nats.get(share.key, 0.0) + share.nats
    nats.setdefault(drift.tipped_by, 0.0)
    strongest = sorted(nats, key=lambda key: (key != drift.tipped_by, -nats[key], key))
    chosen = set(strongest[:most])
    return tuple(key for key in nats if key in chosen)


def evidence_json(evidence: Evidence, posts: Sequence[PostKey]) -> Json:
    """The evidence as JSON: times in ISO 8601 (UTC), numbers rounded to 1e-6, shares of the quoted posts only."""
    quoted = set(posts)
    return {
        "before_n": evidence.before_n,
        "before_mean": _rounded(evidence.before_mean),
        "after_n": evidence.after_n,
        "after_mean": _rounded(evidence.after_mean),
        "after_against": evidence.after_against,
        "log_odds_advocate": _rounded(evidence.log_odds_advocate),
        "log_odds_never": _rounded(evidence.log_odds_never),
        "log_odds_cooled": _rounded(evidence.log_odds_cooled),
        "posterior": _rounded(evidence.posterior),
        "closest": evidence.closest,
        "turn_low": evidence.turn_low.isoformat(),
        "turn_high": evidence.turn_high.isoformat(),
        "shares": [
            {"platform": share.key.platform, "post_id": share.key.post_id, "nats": _rounded(share.nats)}
            for share in evidence.shares
            if share.key in quoted
        ],
        "promise_per_1000_koc_years": _rounded(evidence.promise_per_1000_koc_years),
        "calibration": evidence.calibration,
    }


def _rounded(number: float) -> float:
    return round(float(number), 6) + 0.0  # no negative zero


# --------------------------------------------------------------------------------------- what a replay changes


def reconcile(
    verdict: Verdict,
    *,
    stored: Sequence[StoredAlert],
    deliveries: Sequence[Delivery],
    channels: Sequence[str],
    koc: Koc | None,
    now: datetime,
) -> Changes:
    """What a replay of one KOC and brand changes in the store; cases are left to `listener.cases.follow`.

    stored, deliveries: all of this KOC and brand, superseded, cancelled and sent ones too. Applied twice it changes nothing.
    It reads the states of what is stored, not the events that led there, so a process killed between any two transactions
    leaves nothing to repair:

    - An alert that is new, or back, gets a pending delivery on each channel. One that is old news for a channel added later
      gets none there, and neither does a quiet one that is over already, unless it turns out not to be.
    - An alert that is not wanted any more is superseded. What nobody received is cancelled; where somebody has received it,
      or is just receiving it, one correction follows on that channel, after the sending has ended.
    - An alert that is back: what was cancelled unsent is pending again under its own key, a correction that nobody received
      is cancelled, and where the correction was received the alert is told again, under a new key, since a receiver that
      drops what it has seen would drop the old one.
    """
    wanted = {alert.key: alert for alert in alerts_of(verdict, koc.tier if koc else "")}
    known = {one.alert.key: one for one in stored}
    rows = {one.key: one for one in deliveries}
    used: dict[str, set[str]] = {}
    for one in deliveries:
        used.setdefault(one.alert_key, set()).add(one.channel)
    made: list[Delivery] = []
    cancelled: list[str] = []
    for key in [*wanted, *sorted(known.keys() - wanted.keys())]:
        is_new = key in wanted and not wanted[key].is_over and _is_news(known.get(key))
        for channel in [*channels, *sorted(used.get(key, set()) - set(channels))]:
            thread = _Thread(key, channel, rows)
            made += thread.renewed(is_new, now) if key in wanted else thread.corrected(now) if key in known else ()
            cancelled += thread.cancelled(key in wanted)
    return Changes(
        state=verdict.state,
        drifts=verdict.drifts,
        alerts=tuple(wanted.values()),
        superseded=tuple(sorted(key for key, one in known.items() if one.state == "current" and key not in wanted)),
        deliveries=tuple(one for one in made if one.channel in channels),
        cancelled=tuple(cancelled),
        cases=(),
        steps=(),
        shifts=verdict.shifts,
    )


def _is_news(known: StoredAlert | None) -> bool:
    """Whether an alert that stands, and of which this is stored, is yet to be told."""
    return known is None or known.state == "superseded" or known.alert.is_over


class _Thread:
    """What one channel was told of one alert: the last telling, and its correction if there is one."""

    def __init__(self, alert_key: str, channel: str, rows: Mapping[str, Delivery]) -> None:
        self.alert_key, self.channel = alert_key, channel
        self.turn = 0
        while delivery_key(alert_key, channel, "alert", self.turn + 1) in rows:
            self.turn += 1
        self.told = rows.get(delivery_key(alert_key, channel, "alert", self.turn))
        self.correction = rows.get(delivery_key(alert_key, channel, "correction", self.turn))
        # of the telling before: tried, so that nobody knows whether it was heard, and cancelled when the alert came back
        self.before = rows.get(delivery_key(alert_key, channel, "correction", self.turn - 1)) if self.turn else None

    def renewed(self, is_new: bool, now: datetime) -> Iterator[Delivery]:
        """What has to go out because the alert stands."""
        if self.told is None:
            if is_new:
                yield self._pending("alert", self.turn, now, None)
        elif self.told.state in (*HEARD, "cancelled"):
            if self.correction and self.correction.state in (*HEARD, "sending"):
                yield self._pending("alert", self.turn + 1, now, self.correction.claimed_until)
            elif self.told.state == "cancelled":
                after = self.before.claimed_until if self.before else None
                yield replace(self._pending("alert", self.turn, now, after), in_doubt=self.told.in_doubt)

    def corrected(self, now: datetime) -> Iterator[Delivery]:
        """What has to go out because the alert does not stand any more."""
        if (
            self.told
            and (self.told.in_doubt or self.told.state in (*HEARD, "sending"))
            and (self.correction is None or self.correction.state == "cancelled")
        ):
            yield self._pending("correction", self.turn, now, self.told.claimed_until)
        if self.told and self.told.state in ("pending", "cancelled") and self.before and self.before.state == "cancelled":
            yield replace(self.before, state="pending", next_try_at=now, claimed_until=None)  # its alert was heard, and is gone

    def cancelled(self, is_wanted: bool) -> Iterator[str]:
        """What must not go out: an alert that does not stand, the correction of one that does, or that nobody heard of."""
        is_unheard = self.told is None or (self.told.state == "pending" and not self.told.in_doubt)
        if self.told and self.told.state == "pending" and not is_wanted:
            yield self.told.key
        if self.correction and self.correction.state == "pending" and (is_wanted or is_unheard):
            yield self.correction.key
        if self.before and self.before.state == "pending" and is_wanted:
            yield self.before.key

    def _pending(self, kind: DeliveryKind, turn: int, now: datetime, after: datetime | None) -> Delivery:
        key = delivery_key(self.alert_key, self.channel, kind, turn)
        return Delivery(key, self.alert_key, self.channel, kind, "pending", now, next_try_at=max(now, after or now))


# ----------------------------------------------------------------------------------------- deliveries → messages


Claimed = Sequence[tuple[Delivery, StoredAlert]]


def moot(claimed: Claimed) -> list[Delivery]:
    """Those of the claimed that must not be sent any more, cancelled: the alert was superseded, or its correction is untrue,
    since the delivery was made."""
    return [replace(one, state="cancelled", claimed_until=None) for one, about in claimed if not _holds(one, about)]


def plan(claimed: Claimed, *, now: datetime, deliver_within: timedelta, most_rows: int = MOST_ROWS) -> list[Message]:
    """What to send together, in this order, one after another. Moot deliveries (see `moot`) are left out.

    On one channel all news of one KOC and brand share a message, so that an amber can't arrive behind its red; a correction
    goes right before the news of its KOC, so that what was heard last is true. The most urgent KOC comes first. Turns older
    than `deliver_within`, by event time, are told in a summary, in order of time, after everything else; corrections of
    old ones share a message too. An old amber whose red is fresh goes along with it.
    """
    valid = [pair for pair in claimed if _holds(*pair)]
    since = now - deliver_within
    messages: list[Message] = []
    for channel in sorted({one.channel for one, _ in valid}):
        here = [pair for pair in valid if pair[0].channel == channel]
        groups: dict[tuple[str, str], list[tuple[Delivery, StoredAlert]]] = {}
        for pair in sorted(here, key=_by_time):
            groups.setdefault((pair[1].alert.brand, pair[1].alert.koc_id), []).append(pair)
        fresh = [group for group in groups.values() if any(about.alert.fired_at >= since for _, about in group)]
        old = [pair for group in groups.values() if group not in fresh for pair in group]
        for group in sorted(fresh, key=_urgency):
            messages += _messages(channel, group, "alert", len(group))
        messages += _messages(channel, sorted(old, key=_by_time), "summary", most_rows)
    return messages


def _messages(channel: str, pairs: Claimed, kind: str, most: int) -> Iterator[Message]:
    """Corrections first, then the alerts, at most so many in one message."""
    corrections = [one for one, _ in pairs if one.kind == "correction"]
    news = [one for one, _ in pairs if one.kind == "alert"]
    for start in range(0, len(corrections), most):
        yield Message(channel, "correction", tuple(corrections[start : start + most]))
    for start in range(0, len(news), most):
        yield Message(channel, "alert" if kind == "alert" else "summary", tuple(news[start : start + most]))


def _holds(one: Delivery, about: StoredAlert) -> bool:
    return (one.kind == "alert") == (about.state == "current")


def _by_time(pair: tuple[Delivery, StoredAlert]) -> tuple[datetime, str, str]:
    one, about = pair
    return about.alert.fired_at, about.alert.key, one.key


def _urgency(group: Claimed) -> tuple[int, datetime, str]:
    alerts = [about.alert for _, about in group]
    return min(URGENCY[a.severity] for a in alerts), min(a.fired_at for a in alerts), alerts[0].key


# --------------------------------------------------------------------------------------------- after the attempt


def told(one: Delivery, now: datetime, kind: str) -> Delivery:
    """The delivery after its message of this kind has arrived."""
    state: DeliveryState = "summarized" if kind == "summary" else "sent"
    return replace(one, state=state, sent_at=now, next_try_at=None, claimed_until=None, error="")


def failed(
    one: Delivery, now: datetime, error: str, permanent: bool = False, retry_after: timedelta | float | None = None
) -> Delivery:
    """The delivery after an attempt that failed: to be tried again later, or given up (``dead``)."""
    at = None if permanent else next_try(one.channel, one.attempts, now, retry_after)
    if at is None:
        return given_up(one, error)
    return replace(one, state="pending", next_try_at=at, claimed_until=None, error=error)


def handed_back(one: Delivery) -> Delivery:
    """A claimed delivery that was not tried after all: due again at once, its attempt given back. It goes on to name the claim
    that it gives back, so that the store can tell it from a later one."""
    return replace(one, state="pending", attempts=max(one.attempts - 1, 0))


def given_up(one: Delivery, error: str) -> Delivery:
    """The delivery given up: `listener deliver --retry` may bring it back."""
    return replace(one, state="dead", next_try_at=None, claimed_until=None, error=error)


def next_try(channel: str, attempts: int, now: datetime, retry_after: timedelta | float | None = None) -> datetime | None:
    """When to try again after so many attempts (1, 2 …), None to give up. retry_after (seconds or a span): what the receiver
    asked for; it is obeyed up to a day.

    The jitter is up to a tenth more, by channel and attempt: channels spread out, while what failed together in one message is
    tried together in one message again.
    """
    if attempts > len(BACK_OFF):
        return None
    wait = BACK_OFF[max(attempts, 1) - 1]
    wait += wait * (JITTER * int(key_of(channel, str(attempts))[:8], 16) / 0xFFFFFFFF)
    if retry_after is not None:
        asked = retry_after if isinstance(retry_after, timedelta) else timedelta(seconds=retry_after)
        wait = max(wait, min(asked, BACK_OFF[-1]))
    return now + wait
