"""How fast somebody must act: kind, level and tier of an alert → its severity."""

from __future__ import annotations

from collections.abc import Mapping

from storage.records import Severity

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
    ("grave-post", None): ("important", "urgent"),
    ("defection", None): ("watch", "important"),
    ("unresolved-feedback", None): ("watch", "important"),
    ("accusation", None): ("watch", "watch"),
    ("opinion-storm", None): ("urgent", "urgent"),
    ("spread", None): ("important", "urgent"),
    ("contagion", None): ("important", "important"),
    ("source-silent", None): ("watch", "watch"),
    ("delivery-failing", None): ("important", "important"),
    ("case-due", None): ("watch", "important"),
    ("case-due", "amber"): ("important", "important"),
    ("case-due", "red"): ("urgent", "urgent"),
    ("promise-due", None): ("watch", "important"),
}
FIRST_TIERS = frozenset({"s", "a", "s级", "a级", "核心", "头部", "top", "core", "vip"})
URGENCY: Mapping[Severity, int] = {"urgent": 0, "important": 1, "watch": 2, "info": 3}


def severity_of(kind: str, level: str | None = None, tier: str = "") -> Severity:
    """How fast somebody must act.

    >>> severity_of("drift", "red"), severity_of("drift", "red", "核心"), severity_of("drift", "amber", "B")
    ('important', 'urgent', 'watch')
    >>> severity_of("first-negative", tier="核心"), severity_of("silence", tier="核心")
    ('info', 'watch')
    """
    common, first = SEVERITIES[kind, level]
    return first if tier.strip().casefold() in FIRST_TIERS else common
