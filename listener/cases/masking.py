"""A raw record of a KOC's post → the same without the names of other people in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

MASKED: Final = "（已遮去）"
_NAMING: Final = re.compile(
    r"(?:^|_)(?:nick|screen|user|author|real|display|full|login)_?name$|^(?:author|nickname|uname|username|name|login|handle|mail|email|phone"
    r"|mobile|avatar\w*|\w*avatar|profile\w*|head_?url|face|cover_image_phone|uid|user_?id|author_?id|mid_user|domain|weihao|ip_?location|region_name)$",
    re.IGNORECASE,
)
_AT: Final = re.compile(r"@[\w\-\u4e00-\u9fff·]{1,30}")


def masked(record: Any, own: Collection[str]) -> tuple[Any, bool]:
    """The record with whatever names somebody else taken out, and whether there was any. own: the KOC's names and ids.

    >>> masked({"text": "谢谢@小李 帮忙", "user": {"id": 7, "screen_name": "阿楠"}}, {"7", "阿楠"})
    ({'text': '谢谢@用户 帮忙', 'user': {'id': 7, 'screen_name': '阿楠'}}, True)
    >>> masked({"quoted": {"user": {"id": 9, "screen_name": "路人"}, "text": "好"}}, {"7"})
    ({'quoted': {'user': '（已遮去）', 'text': '好'}}, True)
    """
    found = _masked(record, frozenset(map(str, own)))
    return found, found != record


def _masked(value: Any, own: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _field(str(key), each, own) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, own) for each in value]
    if isinstance(value, str):
        return _AT.sub(lambda at: at[0] if at[0][1:] in own else "@用户", value)
    return value


def _field(key: str, value: Any, own: Collection[str]) -> Any:
    if key.casefold() in ("user", "author", "account", "owner", "member", "sender") and isinstance(value, Mapping):
        is_own = any(str(each) in own for name, each in value.items() if name in ("id", "idstr", "mid", "uid", "user_id"))
        names = {str(each) for name, each in value.items() if _NAMING.search(str(name))}
        return dict(value) if is_own or names & set(own) else MASKED
    if (
        isinstance(value, (str, int))
        and not isinstance(value, bool)
        and _NAMING.search(key)
        and value
        and str(value) not in own
    ):
        return MASKED
    return _masked(value, own)
