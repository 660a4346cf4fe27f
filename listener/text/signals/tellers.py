"""What an alert that is of no drift says: its evidence → a headline, facts, titles, in zh-CN and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from listener.text.signals import of_brands, of_cases, of_kocs, of_operations, of_promises, of_rhythms
from listener.text.signals.wording import Teller, Told
from listener.text.views import AlertView


def told_of(view: AlertView) -> Told | None:
    """The words of a signal's alert; None for a drift, for a kind nobody has words for, and where its evidence is not there."""
    teller = _TELLERS.get(view.alert.kind)
    if teller is None:
        return None
    try:
        return teller(view, dict(view.alert.evidence), view.language == "zh-CN")
    except KeyError:
        return None


_TELLERS: Final[Mapping[str, Teller]] = {
    "first-negative": of_rhythms.first_negative,
    "silence": of_rhythms.silence,
    "praise-withdrawal": of_rhythms.praise_withdrawal,
    "grave-post": of_kocs.grave_post,
    "defection": of_kocs.defection,
    "unresolved-feedback": of_kocs.unresolved_feedback,
    "accusation": of_kocs.accusation,
    "brand-shift": of_brands.brand_shift,
    "opinion-storm": of_brands.opinion_storm,
    "spread": of_brands.spread,
    "contagion": of_brands.contagion,
    "case-due": of_cases.case_due,
    "promise-due": of_promises.promise_due,
    "source-silent": of_operations.source_silent,
    "delivery-failing": of_operations.delivery_failing,
}
