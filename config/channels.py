"""``[[channels]]``: the ways out, one class a type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

from config.addresses import mail_of, page_of
from config.checks import is_signing_secret
from config.values import Ascii, Host, Mail, Name, Secret, Some, Whole, ascii_of, at_least

_VALUES = ConfigDict(arbitrary_types_allowed=True, extra="forbid")


def web_address(url: Secret) -> Secret:
    """A secret that is a web address, where it could be read."""
    if not url.missing and url.reveal():
        page_of(url.reveal())
    return url


def _log_in(password: Secret) -> Secret:
    if not password.missing:
        ascii_of(password.reveal())
    return password


def _signing_secret(secret: Secret) -> Secret:
    if not secret.missing and secret.reveal() and not is_signing_secret(secret.reveal()):
        words = "应为 whsec_ 加 24 到 64 字节的 base64 / must be whsec_ and base64 of 24 to 64 random bytes"
        raise ValueError(f"{words}：echo whsec_$(openssl rand -base64 32)")
    return secret


def _unsubscribe(address: str) -> str:
    if address.startswith("mailto:"):
        mail_of(address.removeprefix("mailto:"))
    elif address:
        if not address.startswith("https://"):
            raise ValueError(f"应为 mailto: 或 https:// / must begin with mailto: or https://; is {address!r}")
        page_of(address)
    return address


def _ids(ids: Mapping[str, str]) -> Mapping[str, str]:
    for person, one in ids.items():
        if not one.strip() or not one.isascii() or set(one) & set("<>\"'@ \t\r\n"):
            raise ValueError(f"{person} 的账号应为平台上的 ID 或手机号 / must be an id or a mobile number there; is {one!r}")
    return ids


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Email:
    """``[[channels]]`` of type "email". A server that wants no log-in has neither user nor password.

    unsubscribe: where one leaves the digests, ``mailto:`` or ``https://``, "" nowhere. domestic: what is sent stays in the
    country; quotes_abroad: words and names are shown even if it does not. group: more people read it than those who handle a
    case, None: where it has several addresses."""

    SECRETS: ClassVar[Mapping[str, bool]] = {"password": False}

    name: Name
    type: Literal["email"]
    enabled: bool = True
    host: Host
    port: Annotated[Whole, at_least(1, 65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Mail
    to: Annotated[tuple[Mail, ...], Some]
    user: Ascii = ""
    password: Annotated[Secret, AfterValidator(_log_in)] = Secret()
    ca_file: str = ""
    unsubscribe: Annotated[str, AfterValidator(_unsubscribe)] = ""
    timeout_seconds: Annotated[float, at_least(1, 600)] = 20.0
    domestic: bool = True
    group: bool | None = None
    quotes_abroad: bool = False

    @property
    def is_group(self) -> bool:
        """Whether several people read it."""
        return len(self.to) > 1 if self.group is None else self.group


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Webhook:
    """``[[channels]]`` of type "webhook". url: hidden too, since many hold a token. secret: ``whsec_`` and base64. group: by
    default, since nobody knows who reads behind it."""

    SECRETS: ClassVar[Mapping[str, bool]] = {"url": True, "secret": False}

    name: Name
    type: Literal["webhook"]
    enabled: bool = True
    url: Annotated[Secret, AfterValidator(web_address)]
    secret: Annotated[Secret, AfterValidator(_signing_secret)]
    timeout_seconds: Annotated[float, at_least(1, 600)] = 20.0
    domestic: bool = True
    group: bool = True
    quotes_abroad: bool = False

    @property
    def is_group(self) -> bool:
        """Whether several people read it."""
        return self.group


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Robot:
    """``[[channels]]`` of type "wecom", "dingtalk" or "feishu": a group robot. url: the address that the platform shows for it.
    secret: what it wants to be signed with, keyword: the word that it wants in each message, "" where it wants none. mentions:
    ids there by person, so that the KOC's owner is @-ed. domestic: None: by its address, Lark's is abroad."""

    SECRETS: ClassVar[Mapping[str, bool]] = {"url": False, "secret": False}

    name: Name
    type: Literal["wecom", "dingtalk", "feishu"]
    enabled: bool = True
    url: Annotated[Secret, AfterValidator(web_address)]
    secret: Secret = Secret()
    keyword: str = ""
    mentions: Annotated[Mapping[str, str], AfterValidator(_ids)] = field(default_factory=dict)
    timeout_seconds: Annotated[float, at_least(1, 600)] = 20.0
    domestic: bool | None = None
    group: bool = True
    quotes_abroad: bool = False

    @property
    def is_group(self) -> bool:
        """Whether several people read it."""
        return self.group


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Apprise:
    """``[[channels]]`` of type "apprise": Slack, ntfy and the others that Apprise knows, by an address of its own or the one
    that the service shows. domestic: None: by its address, abroad where that is not known to lie in the country."""

    SECRETS: ClassVar[Mapping[str, bool]] = {"url": False}

    name: Name
    type: Literal["apprise"]
    enabled: bool = True
    url: Secret
    timeout_seconds: Annotated[float, at_least(1, 600)] = 20.0
    domestic: bool | None = None
    group: bool = True
    quotes_abroad: bool = False

    @property
    def is_group(self) -> bool:
        """Whether several people read it."""
        return self.group


Channel = Email | Webhook | Robot | Apprise
TYPES = {
    "email": Email,
    "webhook": Webhook,
    "wecom": Robot,
    "dingtalk": Robot,
    "feishu": Robot,
    "apprise": Apprise,
}
