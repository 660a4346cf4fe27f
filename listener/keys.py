"""Keys of alerts and deliveries: values → a key that is the same on every machine."""

from __future__ import annotations

import hashlib
import json

from storage.records import DeliveryKind


def key_of(*parts: str) -> str:
    """A key made of values alone: the same on every machine, at any time, in every workspace (32 hex digits of SHA-256).

    >>> key_of("drift", "星澜", "K1") == key_of("drift", "星澜", "K1") != key_of("drift", "星澜K", "1")
    True
    """
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:32]


def delivery_key(alert_key: str, channel: str, kind: DeliveryKind, turn: int = 0) -> str:
    """Key of a delivery. turn: how often the alert was told, corrected and told again on this channel before."""
    return key_of(alert_key, channel, kind, *([str(turn)] if turn else []))
