"""A KOC's whole story with a brand as values: baseline, mentions, turns, alerts; or why there was none, what it would take."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from storage.policy_records import Hold
from storage.records import (
    AlertState,
    Case,
    Delivery,
    Drift,
    DriftState,
    Evidence,
    HeldBack,
    History,
    Koc,
    KocCoverage,
    KocMention,
    Level,
    Mention,
    PostKey,
    Signal,
    StatusChange,
    StoredAlert,
    Verdict,
)

Replay = Callable[[Sequence[History]], Sequence[Verdict]]
Stance = Literal["favor", "against", "none"]

MOST_AHEAD = 25  # posts that are tried when it is asked what an alert would take
AHEAD = ""  # platform of the posts that nobody wrote


class Held(StrEnum):
    """Why no alert was raised, or why a post weighed nothing. Codes; the words stand in listener/text, zh-CN and English."""

    NO_MENTIONS = "no-mentions"  # nothing of this KOC speaks of the brand
    NOT_COVERED = "not-covered"  # nobody listens to the KOC's accounts
    TOO_FEW = "too-few-mentions"  # too little to know where the KOC stands
    NOT_READ = "not-read"  # only an image or a video, no words, another language
    NO_OWN_WORDS = "no-own-words"  # a repost without a word of one's own
    COPY = "copy"  # the KOC's own words again
    NEVER_ADVOCATE = "never-advocate"  # who never was one can't turn
    STILL_ADVOCATE = "still-advocate"  # the posts fit an advocate, hard ones among them
    MILD = "mild-criticism"  # the critical posts are constructive
    COOLED = "only-cooled"  # less warm than it was, and no critic
    WAVERING = "wavering"  # amber was raised; red needs more evidence
    ALREADY = "already-raised"  # red was raised; one turn is one alert until the KOC has recovered
    RECOVERED = "recovered"  # the turn is over
    BRAND_SHIFT = "brand-shift"  # the whole brand's mood had fallen: amber waits until the evidence stands out against it


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with the numbers that its sentence needs."""

    code: Held
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A mention in the story. weighed: it counted for the verdict; if not, `why` says why. phase: before or after the turn
    that stands, or the very post that tipped it. nats: its share of that turn's evidence."""

    posted_at: datetime
    key: PostKey
    kind: str
    url: str
    text: str
    stance: Stance
    probability: float
    favor: float
    against: float
    none: float
    via: str
    cues: tuple[str, ...]
    constructive: bool
    weighed: bool
    why: Held | None
    phase: Literal["before", "after", "tipped"]
    nats: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told of an alert. told_in: the kind of message. held, until: why it waits now, a code, and until when;
    holds: everything that kept it back so far, oldest first."""

    channel: str
    kind: str
    state: str
    sent_at: datetime | None
    error: str
    told_in: str = ""
    held: str = ""
    until: datetime | None = None
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A drift with its evidence, and what was made of it. alert_key "": it is no alert in the store (the story is as of another
    time, or the KOC waits for its replay)."""

    level: Level
    fired_at: datetime
    turned_at: datetime
    tipped_by: PostKey
    evidence: Evidence
    alert_key: str
    state: AlertState | None
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """A signal beside the drift, and what was made of it; alert_key as in `Turn`. said: the posts that it quotes, as far as
    they are stored: the KOC's own, what it said of rivals, what others answered."""

    signal: Signal
    alert_key: str
    state: AlertState | None
    told: tuple[Told, ...]
    said: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole story. signals: the early warnings beside the turns. held_back: what a post might have raised and did not, with
    the code of the reason, and when it was raised after all. as_of: what was known then, None for now. held: why there is no
    alert, or no graver one, the main reason first. need: how many more clearly negative posts, at the KOC's own pace, would
    raise each level; None where even many would not, and no entry where it has been raised."""

    koc: Koc | None
    koc_id: str
    brand: str
    as_of: datetime | None
    state: DriftState
    changes: tuple[StatusChange, ...]
    mentions: tuple[Line, ...]
    turns: tuple[Turn, ...]
    withdrawn: tuple[StoredAlert, ...]
    held: tuple[Reason, ...]
    need: Mapping[str, int | None]
    coverage: KocCoverage | None
    cases: tuple[Case, ...]
    signals: tuple[Beside, ...] = ()
    held_back: tuple[HeldBack, ...] = ()


def explain(
    history: History,
    verdict: Verdict,
    *,
    counted: Collection[PostKey],
    koc: Koc | None = None,
    stored: Sequence[StoredAlert] = (),
    deliveries: Sequence[Delivery] = (),
    holds: Sequence[Hold] = (),
    cases: Sequence[Case] = (),
    coverage: KocCoverage | None = None,
    as_of: datetime | None = None,
    min_mentions: int = 3,
    replay: Replay | None = None,
) -> Explanation:
    """The story of one KOC and brand. history, verdict: as of the time asked for. counted: the posts that weighed, as the
    detector says (`listener.overview.Judge`). coverage: as it is now, left out of a story that is as of another
    time. replay: the detector with its numbers bound, to try what more posts would do; without it `need` stays empty."""
    why = _weights(history.mentions, set(counted))
    turns = tuple(_turn(drift, stored, deliveries, holds) for drift in verdict.drifts)
    standing = _standing(verdict)
    now_covered = coverage if as_of is None else None
    return Explanation(
        koc=koc,
        koc_id=history.koc_id,
        brand=history.brand,
        as_of=as_of,
        state=verdict.state,
        changes=verdict.state.changes,
        mentions=tuple(_line(one, why[one.mention.key], standing) for one in history.mentions),
        turns=turns,
        withdrawn=tuple(one for one in stored if one.state == "superseded"),
        held=_held(history, verdict, why, now_covered, min_mentions),
        need=needs_of([history], [verdict.state], replay)[0] if replay else {},
        coverage=now_covered,
        cases=tuple(cases),
        signals=tuple(_beside(signal, stored, deliveries, holds, _every(history)) for signal in verdict.signals),
        held_back=_held_back(verdict),
    )


def _held_back(verdict: Verdict) -> tuple[HeldBack, ...]:
    """What was held back; after a turn nobody asks why a further post was no first one."""
    turned_at = min((drift.fired_at for drift in verdict.drifts), default=None)
    return tuple(one for one in verdict.held if one.kind != "first-negative" or turned_at is None or one.at < turned_at)


def stance_of(mention: Mention) -> Stance:
    """The most probable stance; on a tie the less dramatic one."""
    if mention.none >= mention.favor and mention.none >= mention.against:
        return "none"
    return "favor" if mention.favor >= mention.against else "against"


# ------------------------------------------------------------------------------------------------------- the posts


def _weights(mentions: Sequence[KocMention], counted: Collection[PostKey]) -> dict[PostKey, Held | None]:
    """Why each post weighs nothing; None where the detector counted it."""
    return {one.mention.key: None if one.mention.key in counted else _why_not(one.mention) for one in mentions}


def _why_not(mention: Mention) -> Held:
    if mention.unscored is not None:
        return Held.NOT_READ
    return Held.COPY if mention.own_words else Held.NO_OWN_WORDS


def _standing(verdict: Verdict) -> Drift | None:
    """The turn that the story is told around: the last red one, else the last amber one."""
    reds = [one for one in verdict.drifts if one.level == "red"]
    found = reds or verdict.drifts
    return found[-1] if found else None


def _line(one: KocMention, why: Held | None, turn: Drift | None) -> Line:
    m = one.mention
    phase: Literal["before", "after", "tipped"] = "before"
    nats = None
    if turn:
        phase = "tipped" if m.key == turn.tipped_by else "after" if one.posted_at >= turn.turned_at else "before"
        nats = next((share.nats for share in turn.evidence.shares if share.key == m.key), None)
    return Line(
        posted_at=one.posted_at,
        key=m.key,
        kind=one.kind,
        url=one.url,
        text=one.text,
        stance=stance_of(m),
        probability=max(m.favor, m.against, m.none),
        favor=m.favor,
        against=m.against,
        none=m.none,
        via=m.via,
        cues=tuple(cue.code for cue in m.cues),
        constructive=m.constructive,
        weighed=why is None,
        why=why,
        phase=phase,
        nats=nats,
    )


def _turn(drift: Drift, stored: Sequence[StoredAlert], deliveries: Sequence[Delivery], holds: Sequence[Hold]) -> Turn:
    found = next((one for one in stored if _is_of(one, drift)), None)
    key = found.alert.key if found else ""
    return Turn(
        level=drift.level,
        fired_at=drift.fired_at,
        turned_at=drift.turned_at,
        tipped_by=drift.tipped_by,
        evidence=drift.evidence,
        alert_key=key,
        state=found.state if found else None,
        told=_told(key, deliveries, holds),
    )


def _told(key: str, deliveries: Sequence[Delivery], holds: Sequence[Hold]) -> tuple[Told, ...]:
    """What the channels were told of an alert, and what kept it back."""
    return tuple(
        Told(
            one.channel,
            one.kind,
            one.state,
            one.sent_at,
            one.error,
            one.told_in,
            one.held if one.state == "pending" else "",
            one.next_try_at if one.state == "pending" and one.held else None,
            tuple(hold for hold in holds if hold.delivery_key == one.key),
        )
        for one in sorted(deliveries, key=lambda d: (d.created_at, d.channel, d.key))
        if one.alert_key == key
    )


def _every(history: History) -> dict[PostKey, KocMention]:
    """What a signal may quote."""
    answers = (one.said for one in history.accusations)
    return {one.mention.key: one for one in (*answers, *history.rivals, *history.mentions)}


def _beside(
    signal: Signal,
    stored: Sequence[StoredAlert],
    deliveries: Sequence[Delivery],
    holds: Sequence[Hold],
    every: Mapping[PostKey, KocMention],
) -> Beside:
    same = (one for one in stored if (one.alert.kind, one.alert.fired_at) == (signal.kind, signal.at))
    found = next((one for one in same if one.alert.posts == signal.posts[-len(one.alert.posts) :]), None)
    key = found.alert.key if found else ""
    said = tuple(_line(every[post], None, None) for post in dict.fromkeys(signal.posts) if post in every)
    return Beside(signal, key, found.state if found else None, _told(key, deliveries, holds), said)


def _is_of(stored: StoredAlert, drift: Drift) -> bool:
    alert = stored.alert
    return (alert.kind, alert.level, alert.fired_at) == (
        "drift",
        drift.level,
        drift.fired_at,
    ) and drift.tipped_by in alert.posts


# ---------------------------------------------------------------------------------------------------- why no alert


def _held(
    history: History,
    verdict: Verdict,
    why: Mapping[PostKey, Held | None],
    coverage: KocCoverage | None,
    min_mentions: int,
) -> tuple[Reason, ...]:
    """Reasons in the order in which they matter: what was heard at all, where the KOC stands, what the hard posts are."""
    reasons = []
    if coverage and coverage.reach == "not-covered":
        reasons.append(Reason(Held.NOT_COVERED, {"accounts": len(coverage.accounts)}))
    weighed = [one for one in history.mentions if why[one.mention.key] is None]
    if not history.mentions:
        return (*reasons, Reason(Held.NO_MENTIONS, {}))
    if len(weighed) < min_mentions:
        reasons.append(Reason(Held.TOO_FEW, {"mentions": len(weighed), "needed": min_mentions}))
    else:
        if waiting := sum(one.kind == "drift" and one.released_at is None for one in verdict.held[-1:]):
            reasons.append(Reason(Held.BRAND_SHIFT, {"posts": waiting}))
        reasons += _standing_reasons(verdict.state, weighed)
    for code in (Held.NOT_READ, Held.NO_OWN_WORDS, Held.COPY):
        if count := sum(1 for one in why.values() if one is code):
            reasons.append(Reason(code, {"posts": count, "of": len(history.mentions)}))
    return tuple(reasons)


def _standing_reasons(state: DriftState, weighed: Sequence[KocMention]) -> list[Reason]:
    """Where the KOC stands, and of what kind the hard posts are."""
    values = {"posterior": state.posterior, "baseline": state.baseline, "recent": state.recent}
    if state.status in ("critic", "wavering", "recovered"):
        code = {"critic": Held.ALREADY, "wavering": Held.WAVERING, "recovered": Held.RECOVERED}[state.status]
        return [Reason(code, values)]
    against = [one for one in weighed if stance_of(one.mention) == "against"]
    mild = [one for one in against if one.mention.constructive]
    reasons = []
    if state.status == "candidate":
        reasons.append(Reason(Held.NEVER_ADVOCATE, values))
    elif state.baseline >= 0.25 > state.recent > -0.3 and state.baseline - state.recent >= 0.3:
        reasons.append(Reason(Held.COOLED, values))
    else:
        reasons.append(Reason(Held.STILL_ADVOCATE, values | {"against": len(against), "mentions": len(weighed)}))
    if mild and 2 * len(mild) >= len(against):
        reasons.insert(0, Reason(Held.MILD, {"constructive": len(mild), "against": len(against)}))
    return reasons


def needs_of(histories: Sequence[History], states: Sequence[DriftState], replay: Replay) -> list[dict[str, int | None]]:
    """Of each KOC, how many further, clearly negative posts at the KOC's own pace would raise each level not standing now.

    states: where each stands now. All posts are tried in one replay: a verdict never looks ahead, so that the drift which the
    n-th of many further posts tips is the one that n posts would raise. None: even `MOST_AHEAD` posts would not; no levels
    where nothing was said yet.
    """
    needs: list[dict[str, int | None]] = [{} for _ in histories]
    tried: list[tuple[int, History]] = []
    for i, (history, state) in enumerate(zip(histories, states, strict=True)):
        standing = {"critic": {"amber", "red"}, "wavering": {"amber"}}.get(state.status, set())
        needs[i] = {level: None for level in ("amber", "red") if level not in standing and history.mentions}
        if needs[i]:
            tried.append((i, replace(history, mentions=(*history.mentions, *_ahead(history, MOST_AHEAD)))))
    for (i, _), verdict in zip(tried, replay([one for _, one in tried]) if tried else (), strict=True):
        ahead = {one.level: int(one.tipped_by.post_id) for one in reversed(verdict.drifts) if one.tipped_by.platform == AHEAD}
        for level in needs[i]:
            reached = [n for raised, n in ahead.items() if raised in (level, "red")]  # red is more than amber
            needs[i][level] = min(reached, default=None)
    return needs


def _ahead(history: History, count: int) -> list[KocMention]:
    """Posts that nobody wrote: clearly against, in own words, each of other content, spaced as this KOC's are."""
    last = history.mentions[-1]
    days = (last.posted_at - history.mentions[0].posted_at) / max(1, len(history.mentions) - 1)
    pace = min(max(days, timedelta(days=1)), timedelta(days=90))
    made = []
    for n in range(1, count + 1):
        digest = hashlib.sha256(f"{n}".encode()).digest()[:8]
        mention = replace(
            last.mention,
            key=PostKey(AHEAD, f"{n:02d}"),
            neg=0.93,
            neu=0.05,
            pos=0.02,
            favor=0.02,
            against=0.93,
            none=0.05,
            cues=(),
            constructive=False,
            own_words=True,
            unscored=None,
            fingerprint=int.from_bytes(digest, "big", signed=True),
        )
        made.append(KocMention(last.posted_at + n * pace, mention, "post", "", "", last.account))
    return made


# ------------------------------------------------------------------------------------------------------------ JSON


def json_of(value: Any, zone: tzinfo = UTC) -> Any:
    """A value of this house as JSON: dataclasses as objects, times in ISO 8601 with the zone's offset, spans in seconds.

    >>> json_of(Reason(Held.TOO_FEW, {"mentions": 2, "needed": 3}))
    {'code': 'too-few-mentions', 'values': {'mentions': 2, 'needed': 3}}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_of(getattr(value, field.name), zone) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (date, Decimal)):  # money exactly, never as a float
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): json_of(one, zone) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_of(one, zone) for one in value]
    return value
