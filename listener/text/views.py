"""What every face is rendered from: an alert with its KOC, posts and case as one value, and the letter that carries alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from storage.records import (
    Alert,
    AlertState,
    Case,
    Delivery,
    Evidence,
    History,
    Json,
    Koc,
    KocMention,
    Mention,
    Message,
    MoodDay,
    PostKey,
    PostKind,
    Share,
    StoredAlert,
)

Language: TypeAlias = Literal["zh-CN", "en"]
StanceCode: TypeAlias = Literal["favor", "against", "none"]
LetterKind: TypeAlias = Literal["alert", "summary", "digest", "storm", "escalation", "correction", "test"]
BEFORE: Final = timedelta(days=90)  # of a brand's mood that is drawn
AFTER: Final = timedelta(days=30)
NOON: Final = time(12)
LEAST_OF_DAY: Final = 5  # mentions that make a day's mean


@dataclass(frozen=True, slots=True)
class Quote:
    """A post that an alert shows. text: the first text seen, people's names masked. nats: its share of the evidence, None
    where it has none. unread: why nothing was scored, None where it was. withheld: why its words are not shown, a code."""

    key: PostKey
    kind: PostKind
    url: str
    posted_at: datetime
    text: str
    favor: float
    against: float
    none: float
    nats: float | None = None
    unread: str | None = None
    withheld: str = ""

    @property
    def stance(self) -> StanceCode:
        """The stance that the post most probably takes."""
        return stance_of(self.favor, self.against, self.none)

    @property
    def probability(self) -> float:
        """How probable that stance is."""
        return max(self.favor, self.against, self.none)


@dataclass(frozen=True, slots=True)
class Dot:
    """One mention on the chart. stance: favor − against, −1…1. own_words: False for a bare repost."""

    posted_at: datetime
    stance: float
    own_words: bool = True


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with all it takes to be shown.

    quotes: the posts that are its evidence, in order. causes: what the criticism in them is about, as codes, with how many
    of them, the most frequent first. departments: who answers for a cause. before: a few supporting posts from before the
    turn. dots: every
    scored mention of the brand by this KOC, in order. case_url: address of the case's page, "" where there is none. withheld:
    why some of it is not shown, a code (see `listener.text.discretion`). beside: what the team owes the KOC and when it last
    spoke with them, as label and sentence (see `listener.text.relations`)."""

    alert: Alert
    koc: Koc | None
    quotes: tuple[Quote, ...]
    before: tuple[Quote, ...] = ()
    dots: tuple[Dot, ...] = ()
    case: Case | None = None
    state: AlertState = "current"
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    case_url: str = ""
    causes: tuple[tuple[str, int], ...] = ()
    departments: tuple[tuple[str, str], ...] = ()
    withheld: str = ""
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the KOC is called: the roster's name, or the id. Of an alert about the whole brand: that."""
        whole = "整个品牌" if self.language == "zh-CN" else "the whole brand"
        about = (
            self.alert.evidence.get({"source-silent": "source", "delivery-failing": "channel"}.get(self.alert.kind, "")) or ""
        )
        return (self.koc.name if self.koc else "") or self.alert.koc_id or about or whole


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with all it takes to be written: what is sent together through one channel.

    views: one for each alert, in order; none in a test message. deliveries: their rows, whose keys make the letter's own
    key. made_at: when the newest of the rows was made, so that a second try carries the same words. templates: folder of the
    team's own, "" none."""

    kind: LetterKind
    channel: str
    deliveries: tuple[Delivery, ...]
    views: tuple[AlertView, ...]
    made_at: datetime
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    templates: str = ""

    @property
    def key(self) -> str:
        """The letter's own key, the same at every try: its delivery's, or a hash of those of all its deliveries."""
        if len(self.deliveries) == 1:
            return self.deliveries[0].key
        parts = [each.key for each in self.deliveries] or [self.channel, self.made_at.isoformat()]
        return sha256("\n".join(parts).encode()).hexdigest()[:32]

    @property
    def alert_keys(self) -> tuple[str, ...]:
        """Keys of all alerts in the letter, each once, in order."""
        return tuple(dict.fromkeys([view.alert.key for view in self.views] + [each.alert_key for each in self.deliveries]))


def stance_of(favor: float, against: float, none: float) -> StanceCode:
    """The most probable stance; on a tie the less dramatic one.

    >>> stance_of(.1, .7, .2), stance_of(.4, .4, .2), stance_of(.4, .2, .4)
    ('against', 'favor', 'none')
    """
    if none >= favor and none >= against:
        return "none"
    return "favor" if favor >= against else "against"


def view_of(
    stored: StoredAlert,
    history: History,
    *,
    koc: Koc | None,
    case: Case | None = None,
    language: Language = "zh-CN",
    timezone: str = "Asia/Shanghai",
    case_url: str = "",
    moods: Sequence[MoodDay] = (),
    departments: Sequence[tuple[str, str]] = (),
    beside: Sequence[tuple[str, str]] = (),
) -> AlertView:
    """A stored alert and its KOC's history of the brand → what is shown of it. Posts no longer stored are left out.

    moods: for an alert about the whole brand, whose history holds the posts it quotes: the public's moods that are drawn.
    case_url: the ``case_url`` setting, in which ``{key}`` or ``{id}`` stands for the case's key."""
    alert = stored.alert
    evidence = evidence_of(alert.evidence)
    nats = {share.key: share.nats for share in evidence.shares} if evidence else {}
    answers = (one.said for one in history.accusations)
    by_key = {each.mention.key: each for each in (*answers, *history.rivals, *history.mentions)}
    quotes = tuple(_quote(by_key[key], nats.get(key)) for key in alert.posts if key in by_key)
    return AlertView(
        alert=alert,
        koc=koc,
        quotes=quotes,
        before=_answered(history, alert) or _before(history.mentions, alert),
        dots=_dots(history) if alert.koc_id else _mood_dots(moods, alert, timezone),
        case=case,
        state=stored.state,
        language=language,
        timezone=timezone,
        case_url=case_url.replace("{key}", case.key).replace("{id}", case.key) if case_url and case else "",
        causes=_causes([by_key[key].mention for key in alert.posts if key in by_key]),
        departments=tuple(departments),
        beside=tuple(beside),
    )


def _causes(evidence: Sequence[Mention]) -> tuple[tuple[str, int], ...]:
    counted = Counter(code for one in evidence if one.against > max(one.favor, one.none) for code in one.causes)
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _dots(history: History) -> tuple[Dot, ...]:
    scored = [each for each in history.mentions if each.mention.unscored is None]
    return tuple(Dot(each.posted_at, each.mention.favor - each.mention.against, each.mention.own_words) for each in scored)


def _mood_dots(moods: Sequence[MoodDay], alert: Alert, timezone: str) -> tuple[Dot, ...]:
    """The mean stance of each day from some months before a shift to some weeks after it, at noon."""
    last = alert.ended_at or alert.fired_at + AFTER
    zone, days = ZoneInfo(timezone), []
    for mood in moods:
        noon = datetime.combine(mood.day, NOON, zone)
        if alert.fired_at - BEFORE <= noon <= last + AFTER and mood.n >= LEAST_OF_DAY:
            days.append(Dot(noon, (mood.favor - mood.against) / mood.n / 10_000))
    return tuple(days)


def letter_of(message: Message, views: Sequence[AlertView], language: Language, templates: str = "") -> Letter:
    """A planned message and the view of each of its deliveries' alerts → the letter, in that language."""
    return Letter(
        kind=message.kind,
        channel=message.channel,
        deliveries=message.deliveries,
        views=tuple(replace(view, language=language) for view in views),
        made_at=max(each.created_at for each in message.deliveries),
        language=language,
        timezone=views[0].timezone,
        templates=templates,
    )


def trial_of(channel: str, *, at: datetime, language: Language = "zh-CN", timezone: str = "Asia/Shanghai") -> Letter:
    """The letter that ``listener channel test`` sends."""
    return Letter("test", channel, (), (), at, language, timezone)


def evidence_of(json: Json) -> Evidence | None:
    """An alert's evidence as a value; None for kinds of alert that carry another."""
    if "posterior" not in json or "shares" not in json:
        return None
    return Evidence(
        before_n=json["before_n"],
        before_mean=json["before_mean"],
        after_n=json["after_n"],
        after_mean=json["after_mean"],
        after_against=json["after_against"],
        log_odds_advocate=json["log_odds_advocate"],
        log_odds_never=json["log_odds_never"],
        log_odds_cooled=json["log_odds_cooled"],
        posterior=json["posterior"],
        closest=json["closest"],
        turn_low=_time(json["turn_low"]),
        turn_high=_time(json["turn_high"]),
        shares=tuple(_share(each) for each in json["shares"]),
        promise_per_1000_koc_years=json["promise_per_1000_koc_years"],
        calibration=json["calibration"],
    )


def _share(json: Json) -> Share:
    key = json.get("key", json)
    return Share(PostKey(key["platform"], key["post_id"]), json["nats"])


def _time(value: str | datetime) -> datetime:
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _quote(each: KocMention, nats: float | None = None) -> Quote:
    m = each.mention
    return Quote(m.key, each.kind, each.url, each.posted_at, each.text, m.favor, m.against, m.none, nats, m.unscored)


def _answered(history: History, alert: Alert, most: int = 2) -> tuple[Quote, ...]:
    """The KOC's own posts that were answered by what an alert quotes."""
    answered = {one.to for one in history.accusations if one.said.mention.key in alert.posts}
    return tuple(_quote(one) for one in history.mentions if one.mention.key in answered)[-most:]


def _before(mentions: Sequence[KocMention], alert: Alert, most: int = 2) -> tuple[Quote, ...]:
    """The last posts in own words before the turn that speak for the brand: what the turn is a turn from. Of a signal: before
    the first post that it quotes."""
    turned_at = alert.turned_at
    if alert.kind != "drift" and alert.koc_id:
        turned_at = min((each.posted_at for each in mentions if each.mention.key in alert.posts), default=None)
    if turned_at is None:
        return ()
    supporting = [
        _quote(each)
        for each in mentions
        if each.posted_at < turned_at and each.mention.own_words and each.mention.unscored is None and each.text.strip()
    ]
    return tuple([each for each in supporting if each.stance == "favor" and each.key not in alert.posts][-most:])
