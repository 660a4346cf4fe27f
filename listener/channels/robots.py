"""Messages → the group robots of WeCom (企业微信), DingTalk (钉钉) and Feishu (飞书), each by one POST of its own protocol.

Not through Apprise, though it knows all three: as of 2.2 it takes any HTTP 200 for a success, and these robots answer 200 with
an error code inside; it signs nothing for Feishu and escapes DingTalk's signature twice; it mentions nobody in WeCom.

Protocols and limits: developer.work.weixin.qq.com/document/path/91770 (20 messages a minute, markdown 4096 bytes);
open.dingtalk.com/document/orgapp/custom-robot-access (20 a minute, else ten minutes of silence; 20 000 bytes);
open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (100 a minute, 5 a second; 20 KB).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx

from listener.channels.door import ChannelError, cleaned, secrets_of, words_of
from listener.channels.exchange import exchange, is_web, retry_after_of
from listener.text.chat import Chat, chat_of, parts_of, plain_lines
from listener.text.discretion import Discretion, shown
from listener.text.views import AlertView, Language, Letter, letter_of, trial_of
from storage.records import Message

Kind: TypeAlias = Literal["wecom", "dingtalk", "feishu"]
Limits: TypeAlias = tuple[tuple[int, timedelta], ...]
Turn: TypeAlias = Callable[[Limits, int, datetime], timedelta]  # how long to wait for room for so many messages
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Platform:
    """What a platform's robots are like. most_bytes: of one message's text, a little below what is allowed, for what stands
    around it. limits: messages in a span, a little below as well, since others may use the same robot. code: where the answer
    holds its error code. pauses: codes that ask to wait. final: codes that blame the message itself."""

    most_bytes: int
    limits: Limits
    codes: tuple[str, ...]
    pauses: Mapping[int, timedelta]
    final: frozenset[int]


MINUTE: Final = timedelta(minutes=1)
PLATFORMS: Final[Mapping[Kind, Platform]] = {
    "wecom": Platform(
        3900,
        ((18, MINUTE),),
        ("errcode",),
        {45009: MINUTE, 45033: MINUTE},
        frozenset({40008, 40058, 44004}),
    ),
    "dingtalk": Platform(
        16_000,
        ((18, MINUTE),),
        ("errcode",),
        {130101: timedelta(minutes=10)},
        frozenset({400105, 400106, 400107, 430101, 430102, 430103, 430104}),
    ),
    "feishu": Platform(
        12_000,
        ((4, timedelta(seconds=1)), (90, MINUTE)),
        ("code", "StatusCode"),
        {11232: MINUTE},
        frozenset({9499, 19002}),
    ),
}
MOST_PARTS: Final = 4
IN_A_GROUP: Final = Discretion(is_group=True)
SHORT_WAIT: Final = 2.0  # seconds that are waited here for room; a longer wait is the outbox's


def no_wait(limits: Limits, n: int, now: datetime) -> timedelta:
    """Room at once, as where nobody counts."""
    return timedelta(0)


@dataclass(frozen=True, slots=True)
class RobotChannel:
    """A group robot.

    url: the address that the platform shows for the robot; a secret, since whoever has it can write to the group. secret: what
    DingTalk and Feishu sign with (加签, 签名校验), "" where the robot wants no signature. keyword: a word that the robot wants
    in each message (自定义关键词). mentions: ids on the platform by person, so that the KOC's owner is @-ed: a user id for
    WeCom, a mobile number for DingTalk, an open_id or user_id for Feishu. discretion: what may be shown there. turn: asked for
    room before anything is sent. ValueError for what can't be an address."""

    kind: Kind
    name: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    keyword: str = ""
    mentions: Mapping[str, str] = field(default_factory=dict)
    discretion: Discretion = IN_A_GROUP
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    templates: str = ""
    timeout_seconds: float = 20.0
    turn: Turn = no_wait

    def __post_init__(self) -> None:
        if not is_web(self.url):
            raise ValueError(f"渠道 {self.name} 的 url 不是网址 / channel {self.name!r}: its url is no http or https address")
        if self.kind == "wecom" and (self.secret or self.keyword):
            words = "企业微信机器人没有加签和关键词 / a WeCom robot knows neither secret nor keyword"
            raise ValueError(f"渠道 {self.name}：{words}")

    @property
    def place(self) -> str:
        """Where it goes, without what is secret in the address."""
        return f"{self.kind} {urlsplit(self.url).hostname}"

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        allowed = [shown(view, self.discretion) for view in views]
        letter = letter_of(message, allowed, self.language, self.templates)
        owners = dict.fromkeys(view.koc.owner for view in allowed if view.koc and view.koc.owner in self.mentions)
        self._send(letter, [self.mentions[owner] for owner in owners] if message.kind == "alert" else [], now)

    def test(self, now: datetime) -> None:
        self._send(trial_of(self.name, at=now, language=self.language, timezone=self.timezone), [], now)

    def _send(self, letter: Letter, mentions: Sequence[str], now: datetime) -> None:
        platform = PLATFORMS[self.kind]
        parts = parts_of(chat_of(letter, self.keyword), platform.most_bytes, MOST_PARTS, letter.language)
        asyncio.run(self._room(platform, len(parts), now))
        for at, part in enumerate(parts):
            self._post(_BODIES[self.kind](part, mentions if at == 0 else []), now)

    async def _room(self, platform: Platform, n: int, now: datetime) -> None:
        wait = self.turn(platform.limits, n, now)
        while timedelta(0) < wait <= timedelta(seconds=SHORT_WAIT):
            await asyncio.sleep(wait.total_seconds())
            now += wait
            wait = self.turn(platform.limits, n, now)
        if wait:
            told = f"{self.place}：每分钟条数已满 / it may send no more for {wait.total_seconds():.0f} s"
            raise ChannelError(told, retry_after=wait, is_untried=True)

    def _post(self, body: Json, now: datetime) -> None:
        url, signed = signed_by(self.kind, self.url, self.secret, now)
        content = json.dumps({**signed, **body}, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": "koc-listener"}
        secrets = (*secrets_of(url), *secrets_of(self.url), self.secret)
        try:
            status, answered, answer = asyncio.run(exchange(url, content, headers, self.timeout_seconds, read_all=True))
        except TimeoutError:
            raise ChannelError(f"{self.place}: no answer within {self.timeout_seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise ChannelError(f"{self.place}: {cleaned(str(error) or type(error).__name__, *secrets)}") from None
        if not 200 <= status < 300:
            told = cleaned(words_of(answer), *secrets)
            raise ChannelError(
                f"{self.place}: {status} {told}".rstrip(), retry_after=retry_after_of(answered.get("retry-after", ""), now)
            )
        _judge(self, answer, secrets)


def _judge(channel: RobotChannel, answer: bytes, secrets: Sequence[str]) -> None:
    """Raise what the answer inside of HTTP 200 says. Wrong keys, signatures, keywords and addresses are temporary: the message
    goes out once somebody has put them right."""
    platform = PLATFORMS[channel.kind]
    try:
        said = json.loads(answer)
        code = next(int(said[name]) for name in platform.codes if name in said)
    except (ValueError, TypeError, StopIteration):
        told = cleaned(words_of(answer), *secrets)
        raise ChannelError(
            f"{channel.place}: 没有答复码，地址对吗？ / no code in its answer, is it the address?: {told}"
        ) from None
    if code == 0:
        return
    words = cleaned(words_of(str(said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or "")), *secrets)
    pause = platform.pauses.get(code)
    if pause is None and re.search(r"too (many|fast)|frequency|频率|过于频繁", words, re.IGNORECASE):
        pause = MINUTE
    hint = _HINTS.get((channel.kind, code), "")
    raise ChannelError(
        f"{channel.place}: {code} {words}{hint}", permanent=code in platform.final and pause is None, retry_after=pause
    )


_HINTS: Final[Mapping[tuple[Kind, int], str]] = {
    ("wecom", 93000): "；机器人地址失效 / the robot's address is not valid any more",
    ("dingtalk", 310000): "；检查加签 secret、关键词 keyword 与 IP 段 / look at its secret, keyword and addresses",
    ("dingtalk", 300001): "；机器人地址失效 / the robot's address is not valid any more",
    ("feishu", 19001): "；机器人地址失效 / the robot's address is not valid any more",
    ("feishu", 19021): "；检查签名校验 secret 与本机时钟 / look at its secret and at this machine's clock",
    ("feishu", 19022): "；本机 IP 不在白名单 / this machine's address is not on its list",
    ("feishu", 19024): "；检查关键词 keyword / look at its keyword",
}


def signed_by(kind: Kind, url: str, secret: str, now: datetime) -> tuple[str, Json]:
    """The address to post to, and what the body must hold, for a robot that wants a signature.

    DingTalk: HMAC-SHA256 by the secret of "milliseconds, line feed, secret", in the address. Feishu: HMAC-SHA256 of nothing by
    "seconds, line feed, secret", in the body. Both take a clock that is wrong by up to an hour.

    >>> at = datetime.fromisoformat("2026-07-08T01:00:00+00:00")
    >>> signed_by("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=t", "SEC1", at)[0].split("&")[1]
    'timestamp=1783472400000'
    >>> signed_by("feishu", "https://open.feishu.cn/hook/t", "s", at)[1]["timestamp"]
    '1783472400'
    """
    if not secret:
        return url, {}
    if kind == "feishu":
        seconds = str(int(now.timestamp()))
        digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
        return url, {"timestamp": seconds, "sign": base64.b64encode(digest).decode()}
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    parts = urlsplit(url)
    more = urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()}, quote_via=quote, safe="")
    return urlunsplit(parts._replace(query=f"{parts.query}&{more}" if parts.query else more)), {}


def _wecom(chat: Chat, mentions: Sequence[str]) -> Json:
    called = "".join(f"<@{one}>" for one in mentions)
    content = f"**{chat.title}**\n{called}{chr(10) if called else ''}{chat.text}"
    return {"msgtype": "markdown", "markdown": {"content": content}}


def _dingtalk(chat: Chat, mentions: Sequence[str]) -> Json:
    called = " ".join(f"@{one}" for one in mentions)
    lines = [f"**{chat.title}**", *([called] if called else []), *chat.text.split("\n")]
    text = "  \n".join(lines)  # two blanks: a line break in its markdown
    at = {"atMobiles": list(mentions), "isAtAll": False}
    return {"msgtype": "markdown", "markdown": {"title": chat.title, "text": text}, "at": at}


def _feishu(chat: Chat, mentions: Sequence[str]) -> Json:
    """Rich text (post): words and links as values, so that nothing in a text is taken for markup."""
    called = [[{"tag": "at", "user_id": one} for one in mentions]] if mentions else []
    lines = [
        [{"tag": "a", "text": text, "href": href} if href else {"tag": "text", "text": text} for text, href in line]
        for line in plain_lines(chat.text)
    ]
    return {"msg_type": "post", "content": {"post": {"zh_cn": {"title": chat.title, "content": called + lines}}}}


_BODIES: Final[Mapping[Kind, Callable[[Chat, Sequence[str]], Json]]] = {
    "wecom": _wecom,
    "dingtalk": _dingtalk,
    "feishu": _feishu,
}
