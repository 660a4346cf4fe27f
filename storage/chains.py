"""Entries of an append-only log → hashes: each holds that of the one before, so that no entry can be changed or taken unseen.

A correction is a new entry. The chain of a case begins with "" and ends in the hash that its row keeps besides, so that the
last entries can't be cut off either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]
FIELDS = (
    "case_key",
    "at",
    "who",
    "step",
    "note",
    "link",
    "data",
)  # as they are stored: times in microseconds, data as JSON text


def data_text(data: Mapping[str, Any]) -> str:
    """What an entry holds besides words, as JSON that is the same for the same values.

    >>> data_text({"b": 1, "a": "谢"})
    '{"a":"谢","b":1}'
    """
    return json.dumps(dict(data), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_of(before: str, entry: Entry) -> str:
    """SHA-256 of an entry and the hash of the one before it, 64 hex digits.

    >>> entry = dict(case_key="c", at=1, who="阿宁", step="note", note="", link="", data="{}")
    >>> hash_of("", entry) == hash_of("", dict(entry)) != hash_of("", entry | {"who": "小王"})
    True
    """
    said = [before, *(entry[name] for name in FIELDS)]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()
