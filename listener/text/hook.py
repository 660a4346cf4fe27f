"""Letter → the JSON of a webhook, as ``webhook.schema.json`` beside this file describes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, TypeAlias

from listener.text.faces import letter_text, subject_of
from listener.text.quotes import line_of, link_of, quote_of
from listener.text.signals.tellers import told_of
from listener.text.story import story_of
from listener.text.views import AlertView, Letter, Quote, evidence_of

SCHEMA_VERSION: Final = 2  # of the schema beside this file; it grows when a receiver has to change
JsonObject: TypeAlias = dict[str, Any]
TYPES: Final = {
    "alert": "alert.fired",
    "summary": "alert.summarized",
    "digest": "alert.digested",
    "storm": "alert.stormed",
    "escalation": "alert.escalated",
    "correction": "alert.corrected",
    "test": "channel.tested",
}
# A receiver that is asked to show a text (a chat robot, a phone) takes `text`; the longest such takes some kilobytes.


def payload_of(letter: Letter) -> JsonObject:
    """What is posted. The same letter gives the same payload, at the first try and at the tenth."""
    return {
        "type": TYPES[letter.kind],
        "timestamp": _iso(letter.made_at),
        "data": {
            "schema_version": SCHEMA_VERSION,
            "channel": letter.channel,
            "language": letter.language,
            "subject": subject_of(letter),
            "text": letter_text(letter),
            "delivery_keys": [each.key for each in letter.deliveries],
            "alert_keys": list(letter.alert_keys),
            "alerts": [_alert(each) for each in letter.views],
        },
    }


def body_of(letter: Letter) -> bytes:
    """The payload as UTF-8 JSON."""
    return json.dumps(payload_of(letter), ensure_ascii=False, separators=(",", ":")).encode()


def schema() -> JsonObject:
    """The JSON Schema (2020-12) of the payload."""
    found: JsonObject = json.loads(files("listener.text").joinpath("webhook.schema.json").read_text(encoding="utf-8"))
    return found


def _alert(view: AlertView) -> JsonObject:
    alert, story, evidence = view.alert, story_of(view), evidence_of(view.alert.evidence)
    return {
        "key": alert.key,
        "kind": alert.kind,
        "level": alert.level,
        "severity": alert.severity,
        "state": view.state,
        "brand": alert.brand,
        "koc": {
            "id": alert.koc_id,
            "name": line_of(view.name),
            "owner": line_of(view.koc.owner) if view.koc else "",
            "tier": line_of(view.koc.tier) if view.koc else "",
        },
        "fired_at": _iso(alert.fired_at),
        "turned_at": _iso(alert.turned_at) if alert.turned_at else None,
        "evidence": dict(alert.evidence) if (evidence or told_of(view)) and not view.withheld else {},
        "withheld": view.withheld,
        "words": {
            "headline": story.headline,
            "chance": story.chance,
            "facts": [{"label": label, "text": text} for label, text in story.facts],
            "next_step": story.next_word,
            "hint": story.hint,
        },
        "posts": [_post(each, view) for each in view.quotes] if view.withheld != "abroad" else [],
        "post_count": len(view.quotes),
        "case": _case(view),
    }


def _post(quote: Quote, view: AlertView) -> JsonObject:
    return {
        "platform": quote.key.platform,
        "post_id": quote.key.post_id,
        "kind": quote.kind,
        "url": link_of(quote.url),
        "posted_at": _iso(quote.posted_at),
        "text": quote_of(quote.text, view.language),
        "withheld": quote.withheld,
        "stance": None if quote.unread else quote.stance,
        "probability": None if quote.unread else quote.probability,
        "unread": quote.unread,
    }


def _case(view: AlertView) -> JsonObject | None:
    case = view.case
    if case is None:
        return None
    return {
        "key": case.key,
        "variant": case.variant,
        "state": case.state,
        "next_step": case.next_step,
        "url": link_of(view.case_url),
        "command": f"listener cases show {case.key[:12]}",
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
