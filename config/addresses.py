"""What can be the address of a mailbox, of a page or of a server. What is refused here would fail only when it is used."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

_MAILBOX = re.compile(r"\s*(?:\"?[^<>\"\r\n]*?\"?\s*<([^<>\s]+)>|([^<>\s]+))\s*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_LOCAL, _LONGEST_HOST, _LONGEST_URL = 64, 253, 2000


def mail_of(text: str) -> str:
    """A mailbox, ``name <a@b.c>`` or bare, as it is; ValueError for what no mail server would be given.

    >>> mail_of("听音 <koc@example.com>")
    '听音 <koc@example.com>'
    """
    found = _MAILBOX.fullmatch(text)
    local, _, domain = (found[1] or found[2] if found else "").rpartition("@")
    is_literal = domain.startswith("[") and domain.endswith("]") and _is_ip(domain[1:-1])
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL or not (is_literal or _is_name(domain)):
        way = "; 用 / write: " + _in_ascii(domain) if _LOCAL.fullmatch(local) and _in_ascii(domain) else ""
        raise ValueError(f"不是邮箱地址 / is not a mail address: {text!r}{way}")
    return text


def page_of(text: str) -> str:
    """A web address, or nothing, as it is. ValueError, which does not repeat it (it may hold a token), for any other."""
    if not text:
        return text
    if not re.match(r"https?://[^\s/]", text, re.IGNORECASE):
        raise ValueError("应以 http:// 或 https:// 开头 / must begin with http:// or https://")
    if len(text) > _LONGEST_URL or re.search(r"[\s\x00-\x20\x7f-\x9f\\\ud800-\udfff]", text):
        raise ValueError("网址太长，或含空格、控制字符 / is too long, or holds spaces or control characters")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:  # brackets that hold no address, a port that is none
        raise ValueError("主机名或端口不对 / has no valid host or port") from error
    if port == 0:
        raise ValueError("端口应为 1 到 65535 / its port must be within 1 … 65535")
    if parts.netloc.rpartition("@")[2].startswith("["):
        is_host = _is_v6(host)
    else:
        is_host = _is_name(host)
    if not is_host or not parts.netloc.isascii():
        way = _in_ascii(host)
        raise ValueError("主机名不对 / has no valid host" + (f"; 用 / write: {way}" if way else ""))
    return text


def host_of(text: str) -> str:
    """The name or the number of a server as it is; ValueError for what can't be one.

    >>> host_of("smtp.example.com"), host_of("::1")
    ('smtp.example.com', '::1')
    """
    if not _is_name(text) and not _is_v6(text):
        way = _in_ascii(text)
        raise ValueError(f"不是主机名 / is no host name: {text!r}" + (f"; 用 / write: {way}" if way else ""))
    return text


def _is_name(host: str) -> bool:
    """Whether it is a name that can be looked up, or an IPv4 number; what is all figures must be a number."""
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not labels[-1].isdecimal() or _is_ip(host)


def _is_ip(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return _is_v6(text.removeprefix("IPv6:"))
    return True


def _is_v6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except ValueError:
        return False


def _in_ascii(host: str) -> str:
    """How a name beyond ASCII is written for the net; "" where there is no such way.

    >>> _in_ascii("例子.cn"), _in_ascii("a.cn")
    ('xn--fsqu00a.cn', '')
    """
    try:
        written = host.encode("idna").decode()
    except UnicodeError:
        return ""
    return written if written.lower() != host.lower() and _is_name(written) else ""
