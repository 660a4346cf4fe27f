"""Between values and columns: times ↔ integer microseconds UTC, probabilities ↔ integers of 1e-4, lists ↔ JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from storage.records import CueHit, Media, PostKey, Share, Status, StatusChange
from storage.records import Evidence as EvidenceRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def us(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time.

    >>> us(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (at - EPOCH) // _MICROSECOND


def us_or_none(at: datetime | None) -> int | None:
    return None if at is None else us(at)


def when(value: int) -> datetime:
    """The aware UTC time of microseconds since 1970.

    >>> when(86400000000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return EPOCH + timedelta(microseconds=value)


def when_or_none(value: int | None) -> datetime | None:
    return None if value is None else when(value)


def units(probability: float) -> int:
    """A probability in units of 1e-4.

    >>> units(0.1234)
    1234
    """
    return round(probability * 10_000)


# Made once: json.dumps would make an encoder at each call.
dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def clean(text: str) -> str:
    """The text without what a database can't hold: NUL goes, a lone surrogate becomes U+FFFD.

    >>> clean("好\\x00的\\ud83d")
    '好的\ufffd'
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def media_text(media: Sequence[Media]) -> str:
    """
    >>> media_text([Media("image", "u")])
    '[["image","u","",""]]'
    """
    return clean(dumps([(m.kind, m.url, m.caption, m.text) for m in media])) if media else "[]"


def media_of(stored: str) -> tuple[Media, ...]:
    return () if stored == "[]" else tuple(Media(*fields) for fields in json.loads(stored))


def cues_text(cues: Sequence[CueHit]) -> str:
    return clean(dumps([(c.code, c.words) for c in cues])) if cues else "[]"


def cues_of(stored: str) -> tuple[CueHit, ...]:
    return () if stored == "[]" else tuple(CueHit(*fields) for fields in json.loads(stored))


@lru_cache(4096)  # sources: a few sets, at every post
def names_text(names: frozenset[str]) -> str:
    """A set of names as sorted JSON, so that equal sets are equal texts.

    >>> names_text(frozenset("ba"))
    '["a","b"]'
    """
    return dumps(sorted(names))


@lru_cache(4096)
def names_of(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


def pairs_text(pairs: Sequence[tuple[str, str]]) -> str:
    return dumps([list(pair) for pair in pairs])


def pairs_of(stored: str) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a, b in json.loads(stored))


def keys_text(keys: Sequence[PostKey]) -> str:
    return dumps([(k.platform, k.post_id) for k in keys])


def keys_of(stored: str) -> tuple[PostKey, ...]:
    return tuple(PostKey(*fields) for fields in json.loads(stored))


def changes_text(changes: Sequence[StatusChange]) -> str:
    keys = [(c.key.platform, c.key.post_id) if c.key else () for c in changes]
    return dumps([(us(c.at), c.status, c.reason, c.before, *key) for c, key in zip(changes, keys, strict=True)])


def changes_of(stored: str) -> tuple[StatusChange, ...]:
    """Rows of before it was known what a status followed on, and at which mention, have three fields."""
    return tuple(_change(*fields) for fields in json.loads(stored))


def _change(at: int, status: Status, reason: str, before: Status | None = None, *key: str) -> StatusChange:
    return StatusChange(when(at), status, reason, before, PostKey(*key) if key else None)


def evidence_text(evidence: EvidenceRecord) -> str:
    """A drift's evidence as JSON: one field each, times as microseconds, shares as [platform, post id, nats]."""
    fields: dict[str, Any] = {name: getattr(evidence, name) for name in EvidenceRecord.__dataclass_fields__}
    fields["turn_low"], fields["turn_high"] = us(evidence.turn_low), us(evidence.turn_high)
    fields["shares"] = [(s.key.platform, s.key.post_id, s.nats) for s in evidence.shares]
    return dumps(fields)


def evidence_of(stored: str) -> EvidenceRecord:
    fields: dict[str, Any] = json.loads(stored)
    fields["turn_low"], fields["turn_high"] = when(fields["turn_low"]), when(fields["turn_high"])
    fields["shares"] = tuple(Share(PostKey(platform, post_id), nats) for platform, post_id, nats in fields["shares"])
    return EvidenceRecord(**fields)


def json_text(value: Mapping[str, Any]) -> str:
    return clean(dumps(dict(value)))


def json_of(stored: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(stored)
    return value
