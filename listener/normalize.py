"""What a spider saw → Post: authors under a keyed hash, @names masked, times in UTC, the raw record kept. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_args
from unicodedata import normalize

from spiders.items import Item, ItemMedia, Kind, hashed_id
from storage.records import Counts, Media, Post, PostKey

MAX_COUNT = 2**63 - 1  # what a database integer holds
FIRST_YEAR, LAST_YEAR = 1990, 2200  # a time outside is a missing one (epoch 0) or one in the wrong unit

_KINDS = frozenset(get_args(Kind))
_NO_PARENT = frozenset({"", "0"})  # how platforms write "none"
_ITEM_FIELDS = tuple(f.name for f in fields(Item) if f.name != "raw")

# Control characters (tab and newline stay), marks that turn the reading direction, invisible spaces. The zero-width
# joiner and the variation selectors stay: emoji are made with them. Half a surrogate pair is no character.
_DROPPED = dict.fromkeys((*range(32), *range(127, 160), 8203, 8206, 8207, 8288, 65279))
_DROPPED |= dict.fromkeys((*range(8234, 8239), *range(8294, 8298)))
_DROPPED.pop(9)
_DROPPED.pop(10)
_UNCLEAN = re.compile(f"[{''.join(re.escape(chr(i)) for i in _DROPPED)}\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_IN_ID = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_HOST = r"@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"  # also of Mastodon's @name@host
_MAILBOX = rf"[A-Za-z0-9._%+-]*[A-Za-z0-9_%+-](?:{_HOST}|@\[(?:IPv6:)?[0-9A-Fa-f]*[.:][0-9A-Fa-f:.]+\])"
_EMAIL = rf"(?<![A-Za-z0-9._%+-]){_MAILBOX}"
_NAME = r"[\w-]{1,30}(?:\.[A-Za-z0-9_-]+|[·・][\w-]{1,30})*"
# What people put around their names: emoji and signs like stars and hearts, keycaps, middle dots, brackets. Only what comes
# right after the @ tells that it is part of a name; the same signs behind the name are taken with it.
_SIGN = (
    r"(?:[\u00a9\u00ae\u00b7\u0f3a-\u0f3d\u200d\u2022\u20e3\u2100-\u214f\u2190-\u2bff\u3030\u303d\u30fb\u3297\u3299\ua9c1\ua9c2"
    r"\ue000-\uf8ff\ufe0e\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]|[0-9#*]\ufe0f?\u20e3)"
)
_OPEN, _CLOSE = r"[(\[{<（［｛＜【〖〔「『《〈“‘\"']", r"[)\]}>）］｝＞】〗〕」』》〉”’\"']"
_ADORNED = (
    rf"(?=[^\w\s]|[0-9]\ufe0f?\u20e3)(?P<signs>{_SIGN}{{1,16}})?(?P<open>{_OPEN}{{1,2}}{_SIGN}{{0,16}})?(?!{_MAILBOX})"
    rf"(?P<inner>{_NAME})(?(open)(?:{_SIGN}{{0,16}}{_CLOSE}{{1,2}})?)(?(signs)(?:(?P=signs))?)"
)
_AT = re.compile(rf"(?P<email>{_EMAIL})|[@＠](?:{_ADORNED}|(?P<name>{_NAME}(?:{_HOST})?))")


class NormalizeError(ValueError):
    """An item that can't become a post. ``field`` names which of its fields is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def normalize_item(item: Item, *, source: str, key: bytes) -> Post:
    """The post of an item seen in ``source``; ``key`` is the workspace's. Raises NormalizeError.

    >>> at = datetime.fromisoformat("2026-03-01T20:00:00+08:00")
    >>> post = normalize_item(Item("weibo", "1", "u1", at, "//@小红:好用"), source="星澜", key=b"secret")
    >>> post.text, post.posted_at.hour, post.parent_id
    ('//@~4c28fd4586:好用', 12, None)
    """
    if item.kind not in _KINDS:
        raise NormalizeError("kind", f"unknown kind {item.kind!r}; there are: {', '.join(sorted(_KINDS))}")
    platform = platform_of(item.platform)
    post_id = _id_of(item.post_id, "post_id")
    text = clean(item.text, "text")
    posted_at = _utc(item.posted_at, "posted_at")
    raw = _record_of(item)
    return Post(
        key=PostKey(platform, post_id),
        kind=item.kind,
        author_key=author_key_of(key, platform, _id_of(item.author_id, "author_id")),
        url=clean(item.url, "url"),
        posted_at=posted_at,
        seen_at=posted_at if item.seen_at is None else _utc(item.seen_at, "seen_at"),
        text=mask(text, key),
        text_hash=hashlib.sha256(text.encode()).hexdigest(),
        parent_id=_parent_of(item.parent_id, post_id, "parent_id"),
        root_id=_parent_of(item.root_id, post_id, "root_id"),
        counts=Counts(
            _count(item.likes, "likes"),
            _count(item.comments, "comments"),
            _count(item.reposts, "reposts"),
            _count(item.views, "views"),
        ),
        media=tuple(_media_of(m, key) for m in item.media) if item.media else (),
        source=source,
        raw=zlib.compress(raw, 1),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
    )


def author_keys_of(key: bytes, platform: str, account_id: str) -> tuple[str, str]:
    """The keys that posts of an account may be stored under: that of its own id, and that of the id as other tools hash it."""
    return author_key_of(key, platform, account_id), author_key_of(key, platform, hashed_id(account_id))


def author_key_of(key: bytes, platform: str, author_id: str) -> str:
    """The key an author is stored under: 64 hex digits, the same for an item's author and a roster's account.

    NUL separates: neither a platform nor an id may hold one, so no two pairs share a message.

    >>> author_key_of(b"secret", "weibo", "12") == author_key_of(b"secret", "weibo1", "2")
    False
    """
    return hmac.digest(key, f"author\0{platform}\0{author_id}".encode(), "sha256").hex()


def at_token(key: bytes, name: str) -> str:
    """What stands in a text for ``@name``; the case and width that the name was typed in do not matter.

    >>> at_token(b"secret", "小红"), at_token(b"secret", "Ａnn") == at_token(b"secret", "ann")
    ('@~4c28fd4586', True)
    """
    message = f"name\0{normalize('NFKC', name).casefold()}".encode()
    return "@~" + hmac.digest(key, message, "sha256")[:5].hex()


def mask(text: str, key: bytes) -> str:
    """The text with every @name as its token; e-mail addresses and the shape of ``//@name:`` chains stay.

    Emoji and brackets around a name go with it: whoever is ``@🌟小红🌟`` or ``@(小红)`` has the token of ``@小红``.

    >>> mask("回复@小红:写信到 a.b@example.com //@小红：好", b"secret")
    '回复@~4c28fd4586:写信到 a.b@example.com //@~4c28fd4586：好'
    >>> mask("@🌟小红🌟😂 @(小红)好", b"secret")
    '@~4c28fd4586😂 @~4c28fd4586好'
    """
    if "@" not in text and "＠" not in text:
        return text
    return _AT.sub(lambda m: m[0] if m["email"] else at_token(key, m["name"] or m["inner"]), text)


def clean(text: str, field: str = "text") -> str:
    """The text without control and invisible characters, with ``\\n`` line ends, stripped. Emoji stay whole.

    >>> clean(" 好\\u200b用\\r\\n👩\\u200d🔬\\x00 ")
    '好用\\n👩\\u200d🔬'
    """
    if not isinstance(text, str):
        raise NormalizeError(field, f"must be text, is {type(text).__name__}")
    if _UNCLEAN.search(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_DROPPED)
        text = _SURROGATE.sub("\ufffd", text)
    return text.strip()


def platform_of(name: str) -> str:
    """A platform's name as it is stored.

    >>> platform_of(" Weibo ")
    'weibo'
    """
    return _id_of(name, "platform").lower()


def _id_of(value: str, field: str) -> str:
    if not isinstance(value, str):
        raise NormalizeError(field, f"must be text, is {type(value).__name__}")
    value = value.strip()
    if not value:
        raise NormalizeError(field, "is empty")
    if _IN_ID.search(value):
        shown = "" if field == "author_id" else f": {value!r}"  # nobody's id stands in a message
        raise NormalizeError(field, f"holds a control character{shown}")
    return value


def _parent_of(value: str | None, post_id: str, field: str) -> str | None:
    """None also for a root that names itself as its own parent, as Weibo's comments do."""
    if value is None or value.strip() in _NO_PARENT:
        return None
    value = _id_of(value, field)
    return None if value == post_id else value


def _utc(at: datetime, field: str) -> datetime:
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise NormalizeError(field, f"must be a time with a zone, is {at!r}")
    if not FIRST_YEAR <= at.year < LAST_YEAR:
        raise NormalizeError(field, f"is not a plausible time: {at.isoformat()}")
    return at.astimezone(UTC)


def _count(value: int | None, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise NormalizeError(field, f"must be a whole number from 0, is {value!r}")
    return value


def _media_of(media: ItemMedia, key: bytes) -> Media:
    def words(text: str) -> str:
        return mask(clean(text, "media"), key)

    return Media(words(media.kind), clean(media.url, "media"), words(media.caption), words(media.text))


def _record_of(item: Item) -> bytes:
    """The record as seen, as canonical JSON (sorted keys, UTF-8): the same record always has the same bytes."""
    record: Mapping[str, Any] = item.raw if item.raw is not None else _own_record_of(item)
    try:
        try:
            return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain).encode()
        except UnicodeEncodeError:  # half a surrogate pair: written as an escape
            return json.dumps(record, sort_keys=True, separators=(",", ":"), default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise NormalizeError("raw", f"can't be written as JSON: {error}") from error


def _own_record_of(item: Item) -> dict[str, Any]:
    """The item in the program's own import format, without what is left out by default."""
    record = {name: value for name in _ITEM_FIELDS if (value := getattr(item, name)) not in (None, "", ())}
    if item.media:
        record["media"] = [{f: v for f in ("kind", "url", "caption", "text") if (v := getattr(m, f))} for m in item.media]
    return record


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} in a record")
