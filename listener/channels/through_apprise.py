"""Messages → any of the services that Apprise reaches (Slack, ntfy, Telegram, Discord, Teams …).

Apprise says True or False; why it failed stands in its log alone, which is read here and nowhere else: at its debug level it
writes whole addresses with their tokens, so nothing of it may reach a log file. A send that hangs is left behind in its thread
when the time is up; what it still sends then is a duplicate with the same keys, as after any broken connection.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from listener.channels.door import ChannelError, cleaned, secrets_of
from listener.text.chat import chat_of, parts_of, plain_of
from listener.text.discretion import Discretion, shown
from listener.text.views import AlertView, Language, Letter, letter_of, trial_of
from storage.records import Message

if TYPE_CHECKING:
    from apprise import NotifyBase

for _chatty in ("urllib3", "requests", "oauthlib", "requests_oauthlib"):  # their lines hold paths with tokens
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)

OWN_TYPES: Final = {"wecombot": "wecom", "dingtalk": "dingtalk", "feishu": "feishu", "lark": "feishu"}
DOMESTIC: Final = frozenset({"pushplus", "schan", "serverchan", "wxpusher", "pushdeer", "pushdeers", "qq", "bark", "barks"})
MOST_PARTS: Final = 4
ABROAD: Final = Discretion(is_abroad=True, is_group=True)
ASIDE: Final = 200  # bytes of a service's limit that are left to its own marks


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """A service by its Apprise address (``slack://…``, ``ntfys://…``, or the web address that the service shows).

    url: a secret. timeout_seconds: for one part of a message. discretion: what may be shown there. ValueError for an address
    that Apprise does not know."""

    name: str
    url: str = field(repr=False)
    discretion: Discretion = ABROAD
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    templates: str = ""
    timeout_seconds: float = 20.0

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        allowed = [shown(view, self.discretion) for view in views]
        self._send(letter_of(message, allowed, self.language, self.templates))

    def test(self, now: datetime) -> None:
        self._send(trial_of(self.name, at=now, language=self.language, timezone=self.timezone))

    def _send(self, letter: Letter) -> None:
        service = service_of(self.name, self.url, self.timeout_seconds)
        most = max(200, int(service.body_maxlen) - ASIDE)
        for part in parts_of(chat_of(letter), most, MOST_PARTS, letter.language):
            self._notify(service, part.title, plain_of(part.text))

    def _notify(self, service: NotifyBase, title: str, text: str) -> None:
        said: list[str] = []
        done: list[bool] = []
        broken: list[BaseException] = []

        def work() -> None:
            try:
                done.append(bool(service.notify(body=text, title=title, body_format="text")))
            except (OSError, ValueError, TypeError, KeyError) as error:  # of an answer that the plugin did not expect
                broken.append(error)

        thread = threading.Thread(target=work, name=f"apprise-{self.name}", daemon=True)
        with _Listening(said, thread):
            thread.start()
            thread.join(self.timeout_seconds)
        place = f"{service.service_name}"
        secrets = secrets_of(self.url)
        if thread.is_alive():
            raise ChannelError(f"{place}: no answer within {self.timeout_seconds:g} s")
        if not done or not done[0]:
            told = "; ".join(said) or (f"{type(broken[0]).__name__}" if broken else "refused, no reason given")
            raise ChannelError(f"{place}: {cleaned(told, *secrets)}")


class _Listening(logging.Handler):
    """What Apprise's log says in one thread, while the block lasts."""

    def __init__(self, said: list[str], thread: threading.Thread) -> None:
        super().__init__(logging.WARNING)
        self._said, self._thread = said, thread
        self._log = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread.ident:
            self._said.append(record.getMessage())

    def __enter__(self) -> _Listening:
        self._log.propagate = False
        self._log.setLevel(logging.WARNING)  # below that it writes addresses with their tokens
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)


def service_of(name: str, url: str, seconds: float = 20.0) -> NotifyBase:
    """Apprise's plugin for an address; ValueError where it knows none, without the address."""
    scheme = url.partition("://")[0].lower()
    host = (urlsplit(url).hostname or "") if scheme in ("http", "https") else ""
    own = OWN_TYPES.get(scheme) or next((kind for part, kind in _OWN_HOSTS if host.endswith(part)), None)
    if own:
        words = f'请用 type = "{own}"：经 Apprise 发送失败时也会算成功 / use it: through Apprise a failure counts as success'
        raise ValueError(f"渠道 / channel {name}: {words}")
    from apprise import Apprise, AppriseAsset

    logging.getLogger("apprise").propagate = False
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it can't read it repeats, with the tokens
    asset = AppriseAsset(app_id="koc-listener", app_desc="koc-listener", app_url="", storage_mode="memory")
    try:
        with warnings.catch_warnings():  # all plugins are loaded at once, with what they import
            warnings.simplefilter("ignore")
            found = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except (TypeError, ValueError, OSError):
        found = None
    if found is None:
        raise ValueError(f"渠道 / channel {name}: Apprise 不认识这个地址 / Apprise knows no service by this address")
    found.socket_connect_timeout = found.socket_read_timeout = min(seconds, 10.0)
    found.request_rate_per_sec = 0.0  # it would sleep; what a service asks for is the outbox's to keep
    return found


_OWN_HOSTS: Final = (
    ("qyapi.weixin.qq.com", "wecom"),
    ("oapi.dingtalk.com", "dingtalk"),
    ("open.feishu.cn", "feishu"),
    ("open.larksuite.com", "feishu"),
)


def is_domestic(url: str) -> bool:
    """Whether the service is in mainland China for sure, by its address."""
    return url.partition("://")[0].lower() in DOMESTIC
