"""What passes between the steps: frozen, complete, free of SQL. Times are aware UTC, probabilities multiples of 1e-4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Mapping[str, Any]
PostKind = Literal["post", "comment", "repost"]
Via = Literal["named", "source", "parent"]
Level = Literal["amber", "red"]
Status = Literal["candidate", "advocate", "wavering", "critic", "recovered", "silent"]
Severity = Literal["info", "watch", "important", "urgent"]  # 提示 关注 重要 紧急


class StoreError(Exception):
    """The database refuses: it can't be reached, its schema is newer than this program, a row contradicts another."""


class SettingsChanged(StoreError):  # noqa: N818
    """Another process had the mentions made with other settings or another model than this one works with."""

    def __init__(self) -> None:
        super().__init__(
            "这个数据库的设置或模型已被另一个进程更改，请重新启动本进程 / "
            "the settings or the model of this database were changed by another process; restart this one"
        )


# ---------------------------------------------------------------------------------------------------------- brands


@dataclass(frozen=True, slots=True)
class Rival:
    name: str
    aliases: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brand:
    """What we listen for. ``accounts``: the brand's own accounts as (platform, account id): posts under theirs are about it.
    ``categories``: words of its product category. ``claims``: what it promises in public."""

    name: str
    aliases: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    nicknames: tuple[str, ...] = ()
    homophones: tuple[str, ...] = ()
    emoji: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()


# ----------------------------------------------------------------------------------------------------------- posts


@dataclass(frozen=True, slots=True, order=True)
class PostKey:
    platform: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Engagement as seen at one instant; None where the platform did not show it."""

    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    kind: str
    url: str = ""
    caption: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A normalized item. ``author_key``: HMAC-SHA256(platform, author id), 64 hex digits. ``text``: as shown, with all @names
    replaced by ``@~<10 hex>`` tokens (keyed, so that a brand's own @name is found again later). ``text_hash``: SHA-256 of the
    text before that, so that no secret decides which of two texts came first. ``source``: name of the source it was seen
    in. ``raw``: the record as seen, zlib-compressed JSON; ``raw_sha256``: of the uncompressed bytes."""

    key: PostKey
    kind: PostKind
    author_key: str
    url: str
    posted_at: datetime
    seen_at: datetime
    text: str
    text_hash: str
    parent_id: str | None
    root_id: str | None
    counts: Counts
    media: tuple[Media, ...]
    source: str
    raw: bytes
    raw_sha256: str


@dataclass(frozen=True, slots=True)
class StalePost:
    """A stored post whose mentions have to be made (again), with what that needs.

    row, version: handed back with the mentions, so that a post that changed meanwhile is made again. text: the first text
    seen (least (seen_at, hash)). sources: names of all sources it was seen in. parents: key, first text, author and
    sources of its stored parent and root, if any."""

    row: int
    version: int
    key: PostKey
    kind: PostKind
    author_key: str
    posted_at: datetime
    text: str
    media: tuple[Media, ...]
    sources: tuple[str, ...]
    parents: tuple[ParentPost, ...]


@dataclass(frozen=True, slots=True)
class ParentPost:
    """A stored parent or root of a post. brands: only where its text is purged, the brands that it was found to speak of."""

    key: PostKey
    text: str
    author_key: str
    sources: tuple[str, ...]
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """One text of a post that was edited: when it was first and last seen."""

    text: str
    first_seen_at: datetime
    last_seen_at: datetime


# -------------------------------------------------------------------------------------------------------- mentions


@dataclass(frozen=True, slots=True)
class CueHit:
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A post that speaks of a brand, scored toward it; complete when made. One row per (post, brand, target).

    brand: which of our brands the row belongs to; target: that brand's name, or a rival's (then ``is_rival``).
    via: how it was found: the text names it, the source is declared to be about it, or the parent post speaks of it.
    model: version of the scorer. causes: what its criticism is about, as codes."""

    key: PostKey
    brand: str
    target: str
    is_rival: bool
    via: Via
    neg: float
    neu: float
    pos: float
    favor: float
    against: float
    none: float
    cues: tuple[CueHit, ...]
    constructive: bool
    own_words: bool
    unscored: str | None
    fingerprint: int
    model: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KocMention:
    """A mention of one of our brands by one KOC, as the detector reads it; ``kind``, ``url`` and ``text`` for the evidence."""

    posted_at: datetime
    mention: Mention
    kind: PostKind
    url: str
    text: str
    account: tuple[str, str]


@dataclass(frozen=True, slots=True)
class MoodDay:
    """The whole brand on one day of the workspace's time zone, every author: how many scored mentions with own words, and
    their summed stance probabilities in units of 1e-4 (integers, so that no order of arrival can change a sum).
    is_shifted: the day lies in a brand-wide shift, or in the `QUIET_DAYS` after it (see `BrandShift`)."""

    day: date
    n: int
    against: int
    none: int
    favor: int
    is_shifted: bool = False


QUIET_DAYS = 3  # without a bad day end a brand-wide shift


@dataclass(frozen=True, slots=True)
class BrandShift:
    """Days on which the public, everybody off the roster, spoke worse of the brand than before: the first and the last on which
    the week before was significantly worse. before, worst: mean stance −1…1 of the long time before, and of the worst week;
    mentions, before_mentions: how many made them. ended: `QUIET_DAYS` without such a day have followed."""

    first: date
    last: date
    before: float
    worst: float
    mentions: int
    before_mentions: int
    ended: bool


ACCUSATION = "accusation"  # begins the codes of the cues that make what others say to a KOC an accusation


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody else said to a KOC: a comment under a post of the KOC's, a reply or a repost, and the post that it answers.
    ``said.account`` is (platform, author key)."""

    said: KocMention
    to: PostKey


@dataclass(frozen=True, slots=True)
class History:
    """One KOC's mentions of one brand, as target (no rivals), ordered by (posted_at, key). heard_to: the timelines of all the
    KOC's accounts were read to their ends, so that no mention up to then is missing; None: of some that is not known.
    rivals: the KOC's mentions of the brand's rivals. accusations: answers of others that accuse. Both in the same order."""

    koc_id: str
    brand: str
    mentions: tuple[KocMention, ...]
    heard_to: datetime | None = None
    rivals: tuple[KocMention, ...] = ()
    accusations: tuple[Answer, ...] = ()


# ---------------------------------------------------------------------------------------------------------- crowds


@dataclass(frozen=True, slots=True)
class Voice:
    """A post clearly against a brand, as the signals of crowds read it. author: author key. against: its probability."""

    at: datetime
    key: PostKey
    author: str
    fingerprint: int
    against: float


@dataclass(frozen=True, slots=True)
class Look:
    """Likes, comments and reposts of a post together, as somebody saw them at a time."""

    at: datetime
    total: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A post clearly against a brand, no comment, with the looks at it in order."""

    at: datetime
    key: PostKey
    author: str
    fingerprint: int
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Pickup:
    """A post against a brand (``of``, posted ``of_at``) that an account of its ``media`` answered or reposted: ``by``, at."""

    of: PostKey
    of_at: datetime
    by: PostKey
    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class Turned:
    """A KOC who has turned critic: a red drift, and the mention that tipped it."""

    koc_id: str
    turned_at: datetime
    fired_at: datetime
    key: PostKey


@dataclass(frozen=True, slots=True)
class Tie:
    """What led from one KOC to another for the first time: an answer or a repost by ``follower`` of what ``critic`` wrote, or
    both under one post, or in one group."""

    kind: Literal["answer", "repost", "tree", "group"]
    critic: str
    follower: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody else wrote of a brand under a KOC's post. stance: favor − against, −1…1."""

    at: datetime
    stance: float


@dataclass(frozen=True, slots=True)
class CrowdFind:
    """What a signal of crowds found in a place (as in `storage.crowds`), at a time: a cache of its last replay."""

    kind: str
    place: str
    at: datetime
    found: Json


# ---------------------------------------------------------------------------------------------------------- roster


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a KOC. ``account_id`` is the platform's native id, the same that items carry as ``author_id``.
    ``other_keys``: author keys of the id as other tools write it, where they hash it."""

    platform: str
    account_id: str
    author_key: str
    nickname: str = ""
    url: str = ""
    other_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Koc:
    """A person on the roster, with one or more accounts. ``owner`` 对接人, ``tier`` 等级, ``domain`` 公域 or 私域.
    ``standing``: alumni 荣誉 after an orderly exit, with the honorary ``title``; both are watched."""

    koc_id: str
    name: str
    accounts: tuple[Account, ...]
    owner: str = ""
    tier: str = ""
    domain: str = "public"
    note: str = ""
    standing: Literal["active", "alumni"] = "active"
    title: str = ""


# ----------------------------------------------------------------------------------------------------------- drift


@dataclass(frozen=True, slots=True)
class Calibration:
    """The detector's numbers for one brand ("" = every brand): versioned, judging every history as soon as posts are stored at
    ``effective_at`` or later."""

    version: str
    brand: str
    effective_at: datetime
    parameters: Json


RunOutcome = Literal["fitted", "unchanged", "kept", "too-little"]


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """A try to calibrate a brand: what it led to, the version that counts from then on, what it was made from and found."""

    brand: str
    made_at: datetime
    outcome: RunOutcome
    version: str
    facts: Json


MarkKind = Literal["turned", "false-alarm", "mild"]


@dataclass(frozen=True, slots=True)
class KocMark:
    """What the team knows of a KOC, written by hand: that the stance turned on that day, that an alert was false, that the
    critical posts of that time were mild.

    key: hash of the other fields, the taking back left out. at: the day's first instant, or when the alert fired.
    alert_key: "" where a day was named. taken_back_at: None while the mark stands."""

    key: str
    koc_id: str
    brand: str
    kind: MarkKind
    at: datetime
    alert_key: str
    who: str
    made_at: datetime
    note: str = ""
    taken_back_at: datetime | None = None
    taken_back_by: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One post's share of the evidence, in nats (positive speaks for a turn)."""

    key: PostKey
    nats: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a drift was raised. Means of stance are favor − against, −1…1; odds are natural logs.

    before_*: mentions up to the turn point, after_*: from it to the mention that tipped. after_against: of those, how many
    are mostly against. log_odds: evidence against still an advocate, never one, merely cooled. posterior: chance of a true
    turn at the expected yearly turn rate. closest: the innocent explanation that fits best. shares: the posts after the
    turn in order with their share. turn_low, turn_high: the central 80 % of the turn point's posterior."""

    before_n: int
    before_mean: float
    after_n: int
    after_mean: float
    after_against: int
    log_odds_advocate: float
    log_odds_never: float
    log_odds_cooled: float
    posterior: float
    closest: Literal["advocate", "never", "cooled"]
    turn_low: datetime
    turn_high: datetime
    shares: tuple[Share, ...]
    promise_per_1000_koc_years: float
    calibration: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A KOC's stance has changed for good. ``tipped_by``: the mention that tipped it, posted at ``fired_at``."""

    koc_id: str
    brand: str
    level: Level
    fired_at: datetime
    tipped_by: PostKey
    turned_at: datetime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A KOC's status changed (event time), with the reason's code. before: the status until then, None at the first mention;
    key: the mention at which it changed, None where none did it."""

    at: datetime
    status: Status
    reason: str
    before: Status | None = None
    key: PostKey | None = None


@dataclass(frozen=True, slots=True)
class DriftState:
    """Where a KOC stands with a brand after the last mention: a cache of the replay, shown on the board. silent_from: the
    instant from which coverage alone raises another signal: the time without a mention becomes too long, praise that went away
    did so over covered time; None: none does."""

    koc_id: str
    brand: str
    status: Status
    mentions: int
    baseline: float
    recent: float
    last_at: datetime | None
    posterior: float
    reason: str
    changes: tuple[StatusChange, ...]
    calibration: str
    silent_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """An early warning that is not drift. koc_id "": of the whole brand. at: when it fired, event time. tipped_by: the mention
    that tipped it; the last one before a silence; of a brand-wide shift the day, as ``PostKey("", "2026-06-03")``.
    evidence: what was seen, as JSON. posts: those to quote, in order. ended_at: when what it tells of was over."""

    kind: str
    koc_id: str
    brand: str
    at: datetime
    tipped_by: PostKey
    evidence: Json
    posts: tuple[PostKey, ...]
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What might have been raised at a mention and was not: its kind and level, and the code of the reason. released_at: when
    it was raised after all; None: not so far."""

    kind: str
    level: Level | None
    at: datetime
    key: PostKey
    reason: str
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one history: the state and all drifts in order; the other signals; what was held back, and why. Of a
    brand's own history ``shifts`` are its brand-wide shifts, ``finds`` what the signals of crowds found."""

    state: DriftState
    drifts: tuple[Drift, ...]
    signals: tuple[Signal, ...] = ()
    held: tuple[HeldBack, ...] = ()
    shifts: tuple[BrandShift, ...] = ()
    finds: tuple[CrowdFind, ...] = ()


# -------------------------------------------------------------------------------------------- alerts and deliveries

# Kinds that only the KOC's owner need know. Nobody need hear of them once they are over, as where a history comes in late.
QUIET_KINDS = frozenset({"first-negative", "silence", "praise-withdrawal"})

# Kinds that the clock makes, of what is due or has stopped working: no replay makes them, and none takes them away.
OPERATIONAL_KINDS = frozenset({"source-silent", "delivery-failing", "case-due", "promise-due"})


@dataclass(frozen=True, slots=True)
class Alert:
    """Something somebody must hear of. key = hash(kind, brand, koc, level, post key of the mention that tipped it).
    posts: keys of the posts that are the evidence, in order. evidence: see `Evidence`, as JSON; of other kinds than drift that
    of the `Signal`, and ``ended_at`` where it is over. koc_id "": the whole brand."""

    key: str
    kind: str
    level: Level | None
    severity: Severity
    koc_id: str
    brand: str
    fired_at: datetime
    turned_at: datetime | None
    evidence: Json
    posts: tuple[PostKey, ...]

    @property
    def ended_at(self) -> datetime | None:
        """When what a signal tells of was over; None: not yet, or the alert is of a drift, whose end is a change of status."""
        ended = self.evidence.get("ended_at")
        return datetime.fromisoformat(ended) if ended else None

    @property
    def is_over(self) -> bool:
        """Whether it is quiet and what it tells of is over."""
        return self.kind in QUIET_KINDS and "ended_at" in self.evidence


AlertState = Literal["current", "superseded"]
DeliveryKind = Literal["alert", "correction", "escalation"]
MessageKind = Literal["alert", "summary", "correction", "digest", "storm", "escalation"]
DeliveryState = Literal["pending", "sending", "sent", "summarized", "cancelled", "dead"]


@dataclass(frozen=True, slots=True)
class StoredAlert:
    alert: Alert
    state: AlertState
    recorded_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way through one channel. key = hash(alert key, channel, kind); it travels with the message.

    in_doubt: a process died while it sent this one, so nobody knows whether it arrived. held: why it is kept back until
    ``next_try_at``, a code; "" where it is not. told_in: the kind of message that carried it, "" until then.
    """

    key: str
    alert_key: str
    channel: str
    kind: DeliveryKind
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    next_try_at: datetime | None = None
    claimed_until: datetime | None = None
    sent_at: datetime | None = None
    error: str = ""
    in_doubt: bool = False
    held: str = ""
    told_in: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent together through one channel: deliveries that share one message (single, summary or correction)."""

    channel: str
    kind: MessageKind
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """What a channel owes since it last took a message: deliveries that wait after a failure, those that were given up, and
    when the oldest of them was made."""

    waiting: int
    dead: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel does. failures: in a row, 0 once it takes a message again; rests_until: nothing goes out before; failed_at,
    sent_at: the last time that it failed and that it took a message; error: why it failed last, "" since it works."""

    name: str
    failures: int = 0
    rests_until: datetime | None = None
    failed_at: datetime | None = None
    sent_at: datetime | None = None
    error: str = ""


CaseState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Case:
    """What we do about an alert, step by step. key = hash(brand, koc, key of the alert that opened it).
    next_step: code of the step that is due. recovered_at: when what its alerts tell of was over, by the posts; None: not
    yet. koc_id "": it is about the whole brand, or about ``post`` by somebody off the roster.

    reason: why somebody opened it by hand (opened_by: who), "" where an alert did. owner: who has taken it; members: who else
    may see all of it. urgent: it may be an accident of safety or quality, everything is due at once. verdict: code of what it
    was closed with, "" while it is open or where its steps were done. merged_into: the case that it was a duplicate of."""

    key: str
    brand: str
    koc_id: str
    variant: Literal["public", "private", "care"]
    state: CaseState
    opened_at: datetime
    opened_by: str
    next_step: str
    alerts: tuple[str, ...] = ()
    recovered_at: datetime | None = None
    owner: str = ""
    members: tuple[str, ...] = ()
    reason: str = ""
    post: PostKey | None = None
    urgent: bool = False
    verdict: str = ""
    merged_into: str = ""
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseStep:
    """An entry of a case's append-only log. step: a step that was done, or another event's code. link: where it can be seen.
    data: what belongs to it besides, as ``reply`` and ``ticked`` of an answer, ``due`` of a closing."""

    case_key: str
    at: datetime
    who: str
    step: str
    note: str = ""
    link: str = ""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseAct:
    """What somebody does with a case: as it is afterwards, the entries of its log, and as they saw it before (None: it is
    new)."""

    case: Case
    steps: tuple[CaseStep, ...]
    was: Case | None


@dataclass(frozen=True, slots=True)
class CaseAudit:
    """What the check of a case's log found. entries: how many there are; head: hash of the last. faults: what does not fit, as
    (number of the entry from 1, 0 for the log as a whole; what is wrong)."""

    case_key: str
    entries: int
    head: str
    faults: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a replay of one KOC and brand changes, written in the transaction that clears its dirty mark.

    alerts: the whole current set (new, unchanged, back again, or with other evidence). superseded: keys of alerts that
    are current in the store and not wanted any more. deliveries: new rows, or one that takes the place of a cancelled row
    of the same key (its alert is back and nobody had heard of it). cancelled: keys of unsent deliveries to cancel. cases:
    new or changed. steps: entries to append. shifts, finds: those of a brand, where the replay was of a brand."""

    state: DriftState
    drifts: tuple[Drift, ...]
    alerts: tuple[Alert, ...]
    superseded: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    cancelled: tuple[str, ...]
    cases: tuple[Case, ...]
    steps: tuple[CaseStep, ...]
    shifts: tuple[BrandShift, ...] = ()
    finds: tuple[CrowdFind, ...] = ()


@dataclass(frozen=True, slots=True)
class Reminders:
    """What the operational alerts that are due now change. alerts: those that are new, back, or say something else; superseded:
    keys of those that are due no more; deliveries: new ones, or such as take the place of a cancelled one; cancelled: keys of
    unsent ones. Nobody is sent a correction: what was due is done."""

    alerts: tuple[Alert, ...]
    superseded: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    cancelled: tuple[str, ...]


# --------------------------------------------------------------------------------------------------------- crawls


CrawlOutcome = Literal["running", "done", "blocked", "changed", "failed", "cut"]


@dataclass(frozen=True, slots=True)
class Crawl:
    """One run of a source. ``covered``: (platform, account id) of the KOC timelines it read to the end."""

    crawl_id: str
    source: str
    platform: str
    started_at: datetime
    ended_at: datetime | None
    outcome: CrawlOutcome
    items: int
    error: str
    covered: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A group's chat that somebody imported, and on what ground. sha256: of the file. basis: why the group's operator may hand
    its words on; purpose: what they are used for. who: the account of the machine that ran it."""

    at: datetime
    source: str
    file: str
    sha256: str
    posts: int
    basis: str
    purpose: str
    who: str


@dataclass(frozen=True, slots=True)
class Mark:
    """High-water mark of one subject (a query, a timeline, a feed address) of a source: the newest post that is surely
    stored with all that is older. ``state``: what the spider needs to go on."""

    source: str
    subject: str
    posted_at: datetime | None
    state: Json


@dataclass(frozen=True, slots=True)
class Watched:
    """A post whose engagement is followed. looked_at: when it was last seen, by whatever way. gone_at: when it was looked for
    and not there any more, None as far as anybody knows. is_negative: it speaks against a brand of ours. failures: looks that
    failed since it was last seen, the last one ``failed_at``."""

    platform: str
    post_id: str
    url: str
    posted_at: datetime
    looked_at: datetime
    gone_at: datetime | None
    is_negative: bool
    failures: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A host that is crawled. refusals: how often in a row it refused us (0: it answers), the last time ``refused_at``, to
    ``source``, for ``reason``. paused_until: nobody asks it before."""

    host: str
    refusals: int
    paused_until: datetime | None
    refused_at: datetime | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Heard:
    """When an account was last heard: a crawl that read it to its end (``covered_at``), or its last stored post."""

    platform: str
    subject: str
    last_heard_at: datetime | None
    last_post_at: datetime | None
    posts: int
    covered_at: datetime | None = None


# ------------------------------------------------------------------------------------------------------- coverage


Reach = Literal["covered", "partly", "imported", "not-covered"]  # 已覆盖 部分覆盖 仅导入 未覆盖


@dataclass(frozen=True, slots=True)
class Listening:
    """What one source of the configuration promises to hear on its platform.

    roster: it reads the timeline of every KOC account there. accounts: ids of the timelines it reads besides. searches,
    feeds: it hears posts that match a query, or stand at an address, whoever wrote them. every: how often it runs (its longest
    pause), None where only a person runs it; next_at: when it runs next. hosts: of its addresses, where
    author ids are local to a host (``host:name``); empty where ids belong to the whole platform."""

    source: str
    platform: str
    roster: bool = False
    accounts: tuple[str, ...] = ()
    searches: bool = False
    feeds: bool = False
    every: timedelta | None = None
    next_at: datetime | None = None
    enabled: bool = True
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountCoverage:
    """Whether an account of a KOC is heard. why: code of the reason. heard_to: what it posted up to then is surely stored
    (its timeline was read to the end); None: never. last_heard_at: when anything of it was last heard, by any road.
    next_at: when it is expected to be heard again. source: the source that answers for it, "" if none."""

    account: tuple[str, str]
    reach: Reach
    why: str
    heard_to: datetime | None
    last_heard_at: datetime | None
    last_post_at: datetime | None
    posts: int
    next_at: datetime | None
    source: str

    @property
    def quiet(self) -> timedelta | None:
        """How long somebody listened and heard no post; None: nobody listened since the last one, nothing can be said."""
        return _quiet(self.heard_to, self.last_post_at)


@dataclass(frozen=True, slots=True)
class KocCoverage:
    """Coverage of a person: covered where every account is, not covered where none is heard. why: of the weakest account."""

    koc_id: str
    reach: Reach
    why: str
    heard_to: datetime | None
    last_heard_at: datetime | None
    last_post_at: datetime | None
    next_at: datetime | None
    accounts: tuple[AccountCoverage, ...]

    @property
    def quiet(self) -> timedelta | None:
        """As of an account, up to the time to which all of them were heard."""
        return _quiet(self.heard_to, self.last_post_at)


def _quiet(heard_to: datetime | None, last_post_at: datetime | None) -> timedelta | None:
    if heard_to is None or last_post_at is None or heard_to < last_post_at:
        return None
    return heard_to - last_post_at


# ------------------------------------------------------------------------------------------- what the store answers


@dataclass(frozen=True, slots=True)
class Added:
    """What a batch brought: posts stored for the first time, items of posts already known, posts that got another text."""

    new: int
    again: int
    edited: int


@dataclass(frozen=True, slots=True)
class PostView:
    """All that is stored of a post, its raw record left out.

    text: the first text seen, what drift reads; current_text: the latest; revisions: every text of an edited post, oldest
    first. counts: the last known of each, seen at counts_at. text_purged: the texts are gone, their time was over."""

    key: PostKey
    kind: PostKind
    author_key: str
    url: str
    posted_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    stored_at: datetime
    text: str
    current_text: str
    revisions: tuple[Revision, ...]
    counts: Counts
    counts_at: datetime | None
    media: tuple[Media, ...]
    parent_id: str | None
    root_id: str | None
    sources: tuple[str, ...]
    raw_sha256: str
    text_purged: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may do what ``name`` stands for, and until when."""

    name: str
    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Purged:
    """What retention took away: raw records, posts whose texts went, and the log of old crawls."""

    raws: int
    texts: int
    crawls: int = 0
