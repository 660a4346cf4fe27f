"""What no single value can tell: names that must be unique or must exist, keys that belong together."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from config.errors import meant

Tell = Callable[[tuple[str | int, ...], str], None]
Tables = Callable[[str], Iterator[tuple[int, dict[str, Any]]]]


def check(tables: Tables, tell: Tell, platforms: Collection[str] | None) -> None:
    """Tell every mistake between values. Works on the raw tables, so that it also finds those beside another mistake."""
    for listed in ("brands", "sources", "channels", "exports", "people"):
        _unique(listed, tables, tell)
    brands = {str(brand.get("name")) for _, brand in tables("brands")}
    for index, source in tables("sources"):
        _source(index, source, brands, platforms, tell)
    for index, channel in tables("channels"):
        if channel.get("type") == "email":
            _log_in(index, channel, tell)


def _unique(listed: str, tables: Tables, tell: Tell) -> None:
    seen: set[object] = set()
    for index, table in tables(listed):
        name = table.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            tell((listed, index, "name"), f"重名 / stands there twice: {name}")
        seen.add(name)


def _source(index: int, source: Mapping[str, Any], brands: set[str], platforms: Collection[str] | None, tell: Tell) -> None:
    key = ("sources", index)
    if ("every" in source) == ("cron" in source):
        tell((*key, "cron" if "cron" in source else "name"), "every 和 cron 要有且只有一个 / needs either every or cron")
    options = source.get("options")
    has_path = isinstance(options, Mapping) and bool(options.get("path"))
    if not has_path and not any(source.get(what) for what in ("queries", "accounts", "urls", "posts")):
        tell(key, "没有要抓的内容 / reads nothing: give queries, accounts, urls or posts")
    about = source.get("about")
    if isinstance(about, str) and about and about not in brands:
        tell((*key, "about"), f"没有这个品牌 / no such brand: {about}; {meant(about, brands)}")
    platform = source.get("platform")
    if platforms is not None and isinstance(platform, str) and platform not in platforms:
        tell((*key, "platform"), f"没有这个平台 / unknown platform {platform!r}; {meant(platform, platforms)}")


def _log_in(index: int, channel: Mapping[str, Any], tell: Tell) -> None:
    has_password = any(way in channel for way in ("password", "password_env", "password_file"))
    if bool(channel.get("user")) != has_password:
        tell(("channels", index), "user 和密码要一起给 / user and password belong together: password_env or password_file")
    if channel.get("security") == "none" and has_password:
        tell(("channels", index, "security"), "密码会明文发送，请用 / the password would travel in clear: use starttls or tls")


def database_of(address: str, folder: Path) -> str:
    """The address of the database, a SQLite file's path made absolute; ValueError for what can't be one.

    >>> database_of("sqlite:///listener.db", Path("/srv"))
    'sqlite:////srv/listener.db'
    """
    scheme, separator, rest = address.partition("://")
    if scheme in ("postgres", "postgresql") and separator:
        return f"postgresql://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest[1:]:
        return f"sqlite:///{folder / Path(rest[1:]).expanduser()}"
    raise ValueError("应为 / must be sqlite:///listener.db or postgresql://user@host/name")


def holds_password(address: str) -> bool:
    """
    >>> holds_password("postgresql://listener:s3cret@db/listener"), holds_password("postgresql://listener@db/listener")
    (True, False)
    """
    return bool(re.match(r"[^:/]+://[^/@]*:[^/@]+@", address) or re.search(r"[?&]password=", address))


def is_signing_secret(text: str) -> bool:
    """Whether it is what the Standard Webhooks scheme signs with: ``whsec_`` and base64 of 24 to 64 bytes."""
    try:
        return text.startswith("whsec_") and 24 <= len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) <= 64
    except ValueError:  # no base64, or not even ASCII
        return False
