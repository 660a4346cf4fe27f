"""What decides, beside the alerts, what is sent and when: who took one on, what is muted, what was held back and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.records import Alert, DeliveryKind


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody took an alert on (接手). One an alert: the first counts."""

    alert_key: str
    at: datetime
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody wants to hear nothing of a KOC, a brand or a kind of alert until then; "" means any. key: hash of the other
    fields, the lifting left out. lifted_at: when it was ended early, None while nobody did."""

    key: str
    koc_id: str
    brand: str
    kind: str
    at: datetime
    until: datetime
    reason: str
    who: str
    lifted_at: datetime | None = None
    lifted_by: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it is over, or was ended."""
        return self.until if self.lifted_at is None else min(self.until, self.lifted_at)

    def covers(self, alert: Alert, at: datetime) -> bool:
        """Whether it keeps this alert back at that time."""
        own = (alert.koc_id, alert.brand, alert.kind)
        fits = all(wanted in ("", its) for wanted, its in zip((self.koc_id, self.brand, self.kind), own, strict=True))
        return fits and self.at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Hold:
    """A delivery that was due and kept back: when, the code of the reason, and until when at the latest."""

    delivery_key: str
    at: datetime
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery that somebody has received: of what alert, when, and in what kind of message (``told_in``)."""

    alert_key: str
    channel: str
    kind: DeliveryKind
    told_in: str
    sent_at: datetime
    koc_id: str
    brand: str
    alert_kind: str
    severity: str
