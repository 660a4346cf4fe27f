"""What is written down of the team and its KOCs: changes, agreements, promises, contacts, nominations. Frozen, free of SQL.

Money is `Decimal` in CNY with two places, days are dates of the workspace's zone, times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from storage.records import PostKey, PostKind

Via = Literal["command", "import", "exit", "admit", "upkeep"]


@dataclass(frozen=True, slots=True)
class By:
    """Who changes the roster, when, and by what way. note: why."""

    who: str
    at: datetime
    via: Via = "command"
    note: str = ""


@dataclass(frozen=True, slots=True)
class KocChange:
    """One field of a KOC that changed. field: "new", "removed", a name of `Koc`, or "account"; before, after: as text, an
    account as ``platform:account_id``, "" where there was none."""

    koc_id: str
    at: datetime
    who: str
    via: Via
    field: str
    before: str
    after: str
    note: str = ""


# ------------------------------------------------------------------------------------------------- promise ledger

PromiseAct = Literal["kept", "broken", "moved", "waived", "reopened"]
PromiseState = Literal["open", "kept", "broken", "waived"]
About: TypeAlias = Literal["payment", "delivery", "other"]


@dataclass(frozen=True, slots=True)
class PromiseEvent:
    """An entry of a promise's append-only log. due: the new date of one that was moved, else None."""

    at: datetime
    who: str
    act: PromiseAct
    reason: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, to whom and by whom. key: hash of the other fields, the events left out.

    is_ours: the team promised it to the KOC; else the KOC to the team. first_due: the day by whose end it was to be kept.
    source: "hand", ``agreement:KEY`` or ``case:KEY/step``. events: in order."""

    key: str
    koc_id: str
    brand: str
    what: str
    by_whom: str
    to_whom: str
    is_ours: bool
    first_due: date
    source: str
    about: About
    made_at: datetime
    who: str
    note: str = ""
    events: tuple[PromiseEvent, ...] = ()

    @property
    def state(self) -> PromiseState:
        """Where it stands: by the last entry that says so."""
        for event in reversed(self.events):
            if event.act in ("kept", "broken", "waived"):
                return event.act
            return "open"
        return "open"

    @property
    def due(self) -> date:
        """The day by whose end it is to be kept now."""
        return next((event.due for event in reversed(self.events) if event.due), self.first_due)

    def is_unmet(self, today: date) -> bool:
        """Whether it was broken, or its day has passed and it is still open."""
        return self.state == "broken" or (self.state == "open" and self.due < today)

    def having(self, event: PromiseEvent) -> Promise:
        """The promise with one entry more."""
        return replace(self, events=(*self.events, event))


# ----------------------------------------------------------------------------------------------------- agreements

AgreementAct = Literal["delivered", "paid", "ended", "waived", "reopened"]
AgreementState = Literal["active", "done", "ended"]


@dataclass(frozen=True, slots=True)
class AgreementEvent:
    """An entry of an agreement's append-only log. amount: CNY of a payment, else 0."""

    at: datetime
    who: str
    act: AgreementAct
    amount: Decimal = Decimal(0)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a KOC and the brand agreed on. deliverables: what the KOC does. amount: CNY that the brand pays, 0 for none."""

    key: str
    koc_id: str
    brand: str
    deliverables: str
    starts: date | None
    ends: date | None
    amount: Decimal
    made_at: datetime
    who: str
    note: str = ""
    events: tuple[AgreementEvent, ...] = ()

    @property
    def paid(self) -> Decimal:
        """CNY paid so far."""
        return sum((event.amount for event in self.events if event.act == "paid"), Decimal(0))

    @property
    def owed(self) -> Decimal:
        """CNY still to be paid; 0 once the agreement was ended or the rest waived."""
        return Decimal(0) if self._ended_by() else max(self.amount - self.paid, Decimal(0))

    @property
    def is_delivered(self) -> bool:
        """What the KOC was to do is done."""
        acts = [event.act for event in self.events if event.act in ("delivered", "reopened")]
        return acts[-1:] == ["delivered"]

    @property
    def state(self) -> AgreementState:
        """done: delivered and paid in full. ended: before that, by agreement or waived."""
        if self._ended_by():
            return "ended"
        return "done" if self.is_delivered and not self.owed else "active"

    def _ended_by(self) -> bool:
        acts = [event.act for event in self.events if event.act in ("ended", "waived", "reopened")]
        return acts[-1:] in (["ended"], ["waived"])

    def having(self, event: AgreementEvent) -> Agreement:
        """The agreement with one entry more."""
        return replace(self, events=(*self.events, event))


# ------------------------------------------------------------------------------------------- contacts, recognition

Recognition = Literal["honor", "thanks", "event", "adopted", "contribution"]  # 荣誉 感谢 活动 内容被采用 贡献
Contact = Literal["contact", "inquiry"]  # we got in touch; the KOC got in touch with us
ExitAct = Literal["exit-asked", "exit-refused", "exit-thanks", "exit-waived", "exit-title", "exit-done", "exit-stopped"]
LogKind: TypeAlias = Recognition | Contact | ExitAct


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What happened with a KOC, written by hand; rows are only added. at: when it happened; made_at: when it was written.
    about: key of the promise, agreement or case it speaks of, or who asked for an exit; "" for none."""

    koc_id: str
    at: datetime
    kind: LogKind
    who: str
    made_at: datetime
    note: str = ""
    link: str = ""
    about: str = ""
    brand: str = ""


# ----------------------------------------------------------------------------------------------------- candidates

NominationAct = Literal["nominated", "admitted", "dropped"]


@dataclass(frozen=True, slots=True)
class Nomination:
    """A person's act on a stranger, found through a public post; rows are only added. post: the post that the link led to.
    koc_id: who the stranger is now, of an admission."""

    author_key: str
    post: PostKey
    brand: str
    at: datetime
    act: NominationAct
    who: str
    reason: str
    koc_id: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One public post of an author, as candidates are judged by. is_mention: it speaks of the brand in words of its own; then
    favor and against are its stance, 0…1, cues and constructive what was found in it. row: the post's, for comparisons within
    one reading. engagement: likes, comments and reposts last seen, None where the platform showed none."""

    row: int
    key: PostKey
    url: str
    kind: PostKind
    posted_at: datetime
    text: str
    engagement: int | None
    is_mention: bool
    favor: float = 0.0
    against: float = 0.0
    constructive: bool = False
    cues: tuple[str, ...] = ()
    fingerprint: int = 0


@dataclass(frozen=True, slots=True)
class Author:
    """An author on one platform by the key alone, with the newest public posts that are still kept, oldest first."""

    author_key: str
    platform: str
    posts: tuple[Said, ...]


# -------------------------------------------------------------------------------------------------------- privacy

Wish = Literal["objected", "erased"]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An author who is kept out: nothing of them is stored or taken on the roster again."""

    author_key: str
    platform: str
    at: datetime
    why: Wish
    who: str


@dataclass(frozen=True, slots=True)
class PrivacyEntry:
    """An entry of the privacy log. act: exported, erased, objected, allowed. subject: first letters of author keys. counts:
    rows by table."""

    at: datetime
    who: str
    act: str
    subject: str
    reason: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took away, by table."""

    rows: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.rows)
