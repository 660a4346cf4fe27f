"""How fast somebody must act: an alert's kind and level, the KOC's weight, spread → severity, who is told, at any hour?

The table is the policy: whoever wants another one changes a line here. How soon an alert must be taken on follows from its
severity, by the setting ``[alerts]``; what of it goes out when is decided in `listener.alerts.policy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from storage.records import Alert, Counts, Json, Severity

Recipient = Literal["owner", "team", "operator"]

URGENCY: Mapping[Severity, int] = {"urgent": 0, "important": 1, "watch": 2, "info": 3}
FIRST_TIERS = frozenset({"s", "a", "s级", "a级", "核心", "头部", "top", "core", "vip"})
DEVOTED_MENTIONS, DEVOTED_MEAN = 60, 0.6  # of the time before the turn: a KOC who has stood by the brand that long has weight


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of the table. plain: severity for a common KOC whose posts stay small; weight: of one of the first tier, or one
    long devoted; spread: where a post of the evidence goes far; both: where both hold. to: who is told where no route says
    otherwise. at_once: told to whoever is on call at any hour."""

    plain: Severity
    weight: Severity
    spread: Severity
    both: Severity
    to: tuple[Recipient, ...]
    at_once: bool = False


_OWNER: tuple[Recipient, ...] = ("owner",)
_TEAM: tuple[Recipient, ...] = ("owner", "team")
_OPERATOR: tuple[Recipient, ...] = ("operator",)

# A turn is never urgent by itself: that is for those whose word reaches farthest. A wavering KOC asks for a care visit, not for
# an answer in the night. The quiet kinds are for the owner, and nobody has to answer them in public. A brand has no weight.
#
#   kind, level                       plain        weight       spread       both         told to    at any hour
SEVERITIES: Mapping[tuple[str, str | None], Grade] = {
    ("drift", "amber"): Grade("watch", "important", "important", "important", _TEAM),
    ("drift", "red"): Grade("important", "urgent", "urgent", "urgent", _TEAM, at_once=True),
    ("first-negative", None): Grade("info", "info", "watch", "watch", _OWNER),
    ("silence", None): Grade("info", "watch", "info", "watch", _OWNER),
    ("praise-withdrawal", None): Grade("info", "watch", "info", "watch", _OWNER),
    ("grave-post", None): Grade("important", "urgent", "urgent", "urgent", _TEAM, at_once=True),
    ("defection", None): Grade("watch", "important", "important", "important", _TEAM),
    ("unresolved-feedback", None): Grade("watch", "important", "important", "important", _TEAM),
    ("accusation", None): Grade("watch", "watch", "important", "important", _TEAM),
    ("brand-shift", None): Grade("important", "important", "urgent", "urgent", _TEAM),
    ("opinion-storm", None): Grade("urgent", "urgent", "urgent", "urgent", _TEAM, at_once=True),
    ("spread", None): Grade("important", "urgent", "urgent", "urgent", _TEAM, at_once=True),
    ("contagion", None): Grade("important", "important", "urgent", "urgent", _TEAM),
    ("source-silent", None): Grade("watch", "watch", "watch", "watch", _OPERATOR),
    ("delivery-failing", None): Grade("important", "important", "important", "important", _OPERATOR),
    ("case-due", None): Grade("watch", "important", "watch", "important", _TEAM),
    ("case-due", "amber"): Grade("important", "important", "important", "important", _TEAM),  # past its time
    ("case-due", "red"): Grade("urgent", "urgent", "urgent", "urgent", _TEAM, at_once=True),  # an accident
    ("promise-due", None): Grade("watch", "important", "watch", "important", _OWNER),
}


def severity_of(
    kind: str, level: str | None = None, tier: str = "", *, devoted: bool = False, spread: bool = False
) -> Severity:
    """How fast somebody must act.

    >>> severity_of("drift", "red"), severity_of("drift", "red", "核心"), severity_of("drift", "amber", "B")
    ('important', 'urgent', 'watch')
    >>> severity_of("first-negative", tier="核心"), severity_of("silence", tier="核心")
    ('info', 'watch')
    >>> severity_of("first-negative", spread=True), severity_of("drift", "amber", devoted=True)
    ('watch', 'important')
    """
    grade = SEVERITIES[kind, level]
    is_weighty = devoted or tier.strip().casefold() in FIRST_TIERS
    if spread:
        return grade.both if is_weighty else grade.spread
    return grade.weight if is_weighty else grade.plain


def is_at_once(kind: str, level: str | None, severity: Severity) -> bool:
    """Whether somebody is told of it at any hour: grave kinds, and whatever is urgent."""
    return severity == "urgent" or SEVERITIES[kind, level].at_once


def is_devoted(evidence: Json) -> bool:
    """Whether a drift's evidence shows that the KOC stood by the brand for long before."""
    return bool(evidence.get("before_n", 0) >= DEVOTED_MENTIONS and evidence.get("before_mean", 0.0) >= DEVOTED_MEAN)


def is_spread(counts: Iterable[Counts], reach: int) -> bool:
    """Whether one of these posts has that many likes, comments and reposts together; 0 = never.

    >>> is_spread([Counts(likes=700, comments=200, reposts=150)], 1000), is_spread([Counts(likes=3)], 1000)
    (True, False)
    """
    return reach > 0 and any(sum(filter(None, (one.likes, one.comments, one.reposts))) >= reach for one in counts)


def severity_by_now(alert: Alert, tier: str, counts: Iterable[Counts], reach: int) -> Severity:
    """The severity that an alert has with the counts that its posts have by now: never a milder one than it was made with."""
    if not is_spread(counts, reach):
        return alert.severity
    spread = severity_of(alert.kind, alert.level, tier, devoted=is_devoted(alert.evidence), spread=True)
    return min(alert.severity, spread, key=lambda one: URGENCY[one])


def table() -> str:
    """The table as Markdown, as the README shows it."""
    heads = ("种类 kind", "一般 plain", "有分量 weight", "扩散 spread", "兼有 both", "告诉 told to", "随时 any hour")
    words = {"info": "提示", "watch": "关注", "important": "重要", "urgent": "紧急"}
    lines = [heads, ("---",) * len(heads)]
    for (kind, level), grade in SEVERITIES.items():
        ranks = (words[each] for each in (grade.plain, grade.weight, grade.spread, grade.both))
        lines.append((f"{kind} {level or ''}".strip(), *ranks, ", ".join(grade.to), "✓" if grade.at_once else ""))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
