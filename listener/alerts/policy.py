"""Deliveries that are due, and the hour → what is sent now, in what kind of message, and what is held back, why and until when.

Pure, and without a memory of its own: each decision follows from the rows (when a delivery was made, what was sent lately, what
is muted, who has taken it on) and from the clock, so that a process killed at any instant, or a second one, decides the same.
Nothing is ever dropped here: what is held comes back at a time that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from listener.alerts.planning import MOST_ROWS, Claimed, messages_of, plan
from listener.alerts.severities import URGENCY, is_at_once
from listener.working_days import Hours
from storage.policy_records import Acknowledgement, Mute, Sent
from storage.records import Delivery, Message, StoredAlert

GRAVE_COOL_DOWN = timedelta(hours=1)  # of what is told at any hour: a second blow on the same day is told the same day
URGENT_STORM = 4  # in a storm what is urgent waits for a fourth of the time that the rest waits
ALWAYS = Hours()
Pair = tuple[Delivery, StoredAlert]


class Kept(StrEnum):
    """Why a delivery that is due is not sent now."""

    QUIET_HOURS = "quiet-hours"
    REST_DAY = "rest-day"
    WEEKEND = "weekend"  # a free day of a year whose holidays nobody knows yet
    DIGEST = "digest"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    MUTED = "muted"
    COOLING_DOWN = "cooling-down"
    STORM = "storm"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the workspace wants; the defaults send everything at once, one message for each KOC.

    hours: when people may be disturbed; own_hours: of channels that are one person's, by channel. digest: at what local times
    the mild goes out, all in one; without any it goes out as the rest. cool_down: nothing as grave or milder of the same KOC
    and brand is sent again before that; zero = off. storm: more alerts than that on one channel within ``storm_window`` are one
    message; 0 = off. reach: see `listener.alerts.severities.is_spread`. on_call: channels of whoever is on call at a time;
    stand_in: of who is told instead where these are down."""

    deliver_within: timedelta = timedelta(days=14)
    hours: Hours = ALWAYS
    own_hours: Mapping[str, Hours] = field(default_factory=dict)
    digest: tuple[time, ...] = ()
    cool_down: timedelta = timedelta(0)
    storm: int = 0
    storm_window: timedelta = timedelta(hours=1)
    reach: int = 0
    on_call: Callable[[datetime], tuple[str, ...]] = lambda now: ()
    stand_in: Callable[[datetime, Collection[str]], tuple[str, ...]] = lambda now, down: ()

    def awake(self, now: datetime, down: Collection[str]) -> tuple[str, ...]:
        """Channels that what is grave goes to while everybody else may not be disturbed: of whoever is on call; where all of
        these are down, of the stand-in too. Empty: everybody's."""
        first = self.on_call(now)
        if not first or any(name not in down for name in first):
            return first
        others = self.stand_in(now, down)
        return (*first, *others) if others else ()

    @property
    def memory(self) -> timedelta:
        """How long back it has to know what was sent."""
        return max(self.cool_down, self.storm_window)

    def hours_of(self, channel: str) -> Hours:
        """When whoever reads a channel may be disturbed."""
        return self.own_hours.get(channel, self.hours)


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows say besides: every mute there ever was, who took alerts on, what was received lately; of what alerts the
    matter was answered since it was first raised. down: channels that take nothing; dead: (alert key, channel) of what was
    refused for good."""

    mutes: Sequence[Mute] = ()
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    sent: Sequence[Sent] = ()
    answered: Collection[str] = ()
    down: Collection[str] = ()
    dead: Collection[tuple[str, str]] = ()

    def down_for(self, alert_key: str) -> frozenset[str]:
        """Channels that this alert can't go out through."""
        return frozenset(self.down) | {channel for key, channel in self.dead if key == alert_key}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to send, in this order, and what goes back, held."""

    messages: tuple[Message, ...]
    held: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """What becomes of one delivery: sent by itself (neither is set), told in a digest, or kept."""

    is_bundled: bool = False
    kept: Kept | None = None
    until: datetime | None = None


_NOW, _BUNDLED = _Way(), _Way(is_bundled=True)


def decide(claimed: Claimed, *, now: datetime, policy: Policy, known: Known, most_rows: int = MOST_ROWS) -> Decision:
    """What to do with deliveries that were claimed, moot ones left out.

    What is sent of a KOC and brand takes along what of them is held on that channel, unless it is muted: an amber goes along
    with its red. Mild ones go out in the channel's digest, older ones than ``deliver_within`` in a summary, and more than
    ``storm`` of them in one message, as are more than that which are escalated. What was sent later than ``now`` was sent by a
    clock that was wrong: it counts for nothing, or it would hold back what comes until that day.
    """
    known = replace(known, sent=[one for one in known.sent if one.sent_at <= now])
    ways = {one.key: _way(one, about, now, policy, known) for one, about in claimed}
    for group in _groups(claimed):
        if any(ways[one.key] == _NOW and one.kind == "alert" for one, _ in group):
            ways |= {one.key: _NOW for one, _ in group if ways[one.key].kept is not Kept.MUTED}
    stormy = _storms(claimed, ways, now, policy, known)
    ways |= stormy.kept
    free = [(one if one.held == Kept.STORM else replace(one, held=""), about) for one, about in claimed]
    alone = [pair for pair in free if ways[pair[0].key] == _NOW and pair[0].key not in stormy.told]
    bundled = sorted((pair for pair in free if ways[pair[0].key] == _BUNDLED), key=_by_time)
    in_storm = sorted((pair for pair in free if pair[0].key in stormy.told), key=_by_urgency)
    since = now - policy.deliver_within
    messages: list[Message] = []
    for channel in sorted({one.channel for one, _ in claimed}):
        here = [pair for pair in in_storm if pair[0].channel == channel]
        messages += messages_of(channel, here, "storm", max(len(here), 1))
        singles = [pair for pair in alone if pair[0].channel == channel]
        many = _many_escalated(singles, policy)
        messages += messages_of(channel, sorted(many, key=_by_urgency), "alert", most_rows)
        rest = [pair for pair in singles if pair not in many]
        messages += plan(rest, now=now, deliver_within=policy.deliver_within)
        mild = [pair for pair in bundled if pair[0].channel == channel]
        messages += messages_of(channel, [pair for pair in mild if pair[1].alert.fired_at >= since], "digest", most_rows)
        messages += messages_of(channel, [pair for pair in mild if pair[1].alert.fired_at < since], "summary", most_rows)
    return Decision(tuple(messages), tuple(_held(one, ways[one.key]) for one, _ in claimed if ways[one.key].kept))


def _way(one: Delivery, about: StoredAlert, now: datetime, policy: Policy, known: Known) -> _Way:
    """What becomes of one delivery, looked at by itself."""
    alert, hours = about.alert, policy.hours_of(one.channel)
    if until := _muted_until(about, now, known.mutes):
        return _Way(kept=Kept.MUTED, until=until)
    at_once = is_at_once(alert.kind, alert.level, alert.severity) and alert.fired_at >= now - policy.deliver_within
    is_taken = alert.key in known.acknowledged and one.kind == "alert"
    is_settled = is_taken or (alert.key in known.answered and one.kind == "alert")
    if one.kind != "alert":
        is_open = hours.is_open(now) or (at_once and one.kind == "escalation")
        return _NOW if is_open else _closed(hours, now)
    if at_once and not is_settled:
        on_call = () if hours.is_open(now) else policy.awake(now, known.down_for(alert.key))
        if on_call and one.channel not in on_call:
            return _closed(hours, now)
        return _cooling(one, about, now, min(policy.cool_down, GRAVE_COOL_DOWN), known.sent) or _NOW
    muted_to = _was_muted_to(one, about, now, known.mutes)
    if is_settled or muted_to or alert.severity == "info":
        due = hours.next_of(policy.digest, muted_to or one.created_at)
        if due and now < due:
            why = Kept.ACKNOWLEDGED if is_taken else Kept.ANSWERED if is_settled else Kept.DIGEST
            return _Way(kept=why, until=due)
        if due and (hours.is_open(now) or not hours.is_open(due)):  # else it comes late, as after an outage: by day
            return _BUNDLED
    if not hours.is_open(now):
        return _closed(hours, now)
    if is_settled or muted_to or (alert.severity == "watch" and not hours.is_open(one.created_at)):
        return _BUNDLED
    is_old = alert.fired_at < now - policy.deliver_within
    return _NOW if is_old else _cooling(one, about, now, policy.cool_down, known.sent) or _NOW


def _was_muted_to(one: Delivery, about: StoredAlert, now: datetime, mutes: Sequence[Mute]) -> datetime | None:
    """When the last mute that kept a delivery back was over; None where none did."""
    fits = [mute for mute in mutes if mute.covers(about.alert, mute.at)]  # one that was ended as it began covers nothing
    return max((mute.ends_at for mute in fits if one.created_at < mute.ends_at <= now), default=None)


def _muted_until(about: StoredAlert, now: datetime, mutes: Sequence[Mute]) -> datetime | None:
    return max((mute.ends_at for mute in mutes if mute.covers(about.alert, now)), default=None)


def _closed(hours: Hours, now: datetime) -> _Way:
    day = hours.day_of(now)
    if day.is_worked:
        return _Way(kept=Kept.QUIET_HOURS, until=hours.opens_at(now))
    return _Way(kept=Kept.REST_DAY if day.is_known else Kept.WEEKEND, until=hours.opens_at(now))


def _cooling(one: Delivery, about: StoredAlert, now: datetime, cool_down: timedelta, sent: Sequence[Sent]) -> _Way | None:
    """Kept where the channel heard lately of the same KOC and brand something as grave, or graver."""
    alert = about.alert
    last = max(
        (
            each.sent_at
            for each in sent
            if each.channel == one.channel
            and each.kind == "alert"
            and each.told_in == "alert"
            and each.alert_key != alert.key
            and _who(each.koc_id, each.brand, each.alert_kind) == _who(alert.koc_id, alert.brand, alert.kind)
            and _rank(each.severity) <= URGENCY[alert.severity]
        ),
        default=None,
    )
    if last is None or now >= last + cool_down:
        return None
    return _Way(kept=Kept.COOLING_DOWN, until=last + cool_down)


@dataclass(frozen=True, slots=True)
class _Storms:
    """Deliveries that a storm message tells now, and those that wait for the next one."""

    told: frozenset[str]
    kept: Mapping[str, _Way]


def _storms(claimed: Claimed, ways: Mapping[str, _Way], now: datetime, policy: Policy, known: Known) -> _Storms:
    """Where there are too many alerts on a channel within the window: one message tells them all, the next ones wait."""
    told: set[str] = set()
    kept: dict[str, _Way] = {}
    for channel in sorted({one.channel for one, _ in claimed}) if policy.storm else ():
        here = [pair for pair in claimed if pair[0].channel == channel and _is_single(pair, ways, now, policy)]
        lately = [one for one in known.sent if one.channel == channel and one.sent_at > now - policy.storm_window]
        heard = len({one.alert_key for one in lately if one.told_in in ("alert", "storm")})
        if not here or (len({a.alert.key for _, a in here}) + heard <= policy.storm and not _is_waiting(here)):
            continue
        last = max((one.sent_at for one in lately if one.told_in == "storm"), default=None)
        is_next = last is None or now >= last + policy.storm_window
        has_urgent = any(about.alert.severity == "urgent" for _, about in here)
        if is_next or (has_urgent and last is not None and now >= last + policy.storm_window / URGENT_STORM):
            told.update(one.key for one, _ in here)
            continue
        assert last is not None
        for one, about in here:
            wait = policy.storm_window / (URGENT_STORM if about.alert.severity == "urgent" else 1)
            kept[one.key] = _Way(kept=Kept.STORM, until=last + wait)
    return _Storms(frozenset(told), kept)


def _is_single(pair: Pair, ways: Mapping[str, _Way], now: datetime, policy: Policy) -> bool:
    """Whether it would be told in a message of its own: news, and not so old that it is summarized."""
    one, about = pair
    return ways[one.key] == _NOW and one.kind == "alert" and about.alert.fired_at >= now - policy.deliver_within


def _many_escalated(pairs: Sequence[Pair], policy: Policy) -> Sequence[Pair]:
    """What is escalated, where that is as many alerts as make a storm: they share a message. Else nothing."""
    found = [pair for pair in pairs if pair[0].kind == "escalation"]
    return found if policy.storm and len({about.alert.key for _, about in found}) > policy.storm else ()


def _is_waiting(pairs: Sequence[Pair]) -> bool:
    return any(one.held == Kept.STORM for one, _ in pairs)


def _held(one: Delivery, way: _Way) -> Delivery:
    """The delivery given back untried, with the reason and until when; it goes on to name the claim that it gives back."""
    assert way.kept is not None
    return replace(one, state="pending", attempts=max(one.attempts - 1, 0), next_try_at=way.until, held=way.kept.value)


def _groups(claimed: Claimed) -> list[list[Pair]]:
    found: dict[tuple[str, str, str], list[Pair]] = {}
    for one, about in claimed:
        found.setdefault((one.channel, about.alert.koc_id, about.alert.brand), []).append((one, about))
    return list(found.values())


def _who(koc_id: str, brand: str, kind: str) -> tuple[str, str]:
    """Whom an alert is of, for the cool-down; where it is of nobody, its kind stands in."""
    return (koc_id or kind, brand)


def _rank(severity: str) -> int:
    return next((rank for name, rank in URGENCY.items() if name == severity), len(URGENCY))


def _by_time(pair: Pair) -> tuple[datetime, str, str]:
    one, about = pair
    return about.alert.fired_at, about.alert.key, one.key


def _by_urgency(pair: Pair) -> tuple[int, datetime, str, str]:
    return URGENCY[pair[1].alert.severity], *_by_time(pair)
