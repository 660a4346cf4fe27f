"""Settings of a channel → the channel, with what may be shown there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from config import channels as config
from listener.channels.door import Channel
from listener.channels.mail import EmailChannel
from listener.channels.robots import Limits, RobotChannel
from listener.channels.through_apprise import AppriseChannel, is_domestic
from listener.channels.webhook import WebhookChannel
from listener.text.discretion import Discretion
from listener.text.views import Language

TakeSlots = Callable[[str, Limits, int, datetime], timedelta]


def channel_of(
    one: config.Channel,
    *,
    language: Language,
    timezone: str,
    templates: str,
    people: Collection[str],
    take_slots: TakeSlots,
    key: bytes = b"",
) -> Channel:
    """The channel. people: whose own it is. take_slots: room for so many messages through a channel, among all processes.
    key: of the workspace, what KOCs are called abroad is made with it. Raises ConfigError for a secret that can't be read,
    ValueError for one that makes no channel."""
    discretion = discretion_of(one, people, key)
    if isinstance(one, config.Webhook):
        return WebhookChannel(
            name=one.name,
            url=one.url.reveal(),
            secret=one.secret.reveal(),
            discretion=discretion,
            language=language,
            timezone=timezone,
            templates=templates,
            timeout_seconds=one.timeout_seconds,
        )
    if isinstance(one, config.Robot):
        return RobotChannel(
            kind=one.type,
            name=one.name,
            url=one.url.reveal(),
            secret=one.secret.reveal(),
            keyword=one.keyword,
            mentions=one.mentions,
            discretion=discretion,
            language=language,
            timezone=timezone,
            templates=templates,
            timeout_seconds=one.timeout_seconds,
            turn=lambda limits, n, now: take_slots(one.name, limits, n, now),
        )
    if isinstance(one, config.Apprise):
        return AppriseChannel(
            name=one.name,
            url=one.url.reveal(),
            discretion=discretion,
            language=language,
            timezone=timezone,
            templates=templates,
            timeout_seconds=one.timeout_seconds,
        )
    return EmailChannel(
        name=one.name,
        host=one.host,
        port=one.port,
        security=one.security,
        sender=one.sender,
        to=one.to,
        user=one.user,
        password=one.password.reveal(),
        ca_file=one.ca_file,
        unsubscribe=one.unsubscribe,
        discretion=discretion,
        language=language,
        timezone=timezone,
        templates=templates,
        timeout_seconds=one.timeout_seconds,
    )


def discretion_of(one: config.Channel, people: Collection[str] = (), key: bytes = b"") -> Discretion:
    """Who reads along in a channel. key: of the workspace."""
    is_abroad = not (stays_inside(one) or one.quotes_abroad)
    return Discretion(is_abroad=is_abroad, is_group=one.is_group, people=frozenset(people), key=key)


def stays_inside(one: config.Channel) -> bool:
    """Whether what is sent there stays in the country: as the settings say, else by the address."""
    if one.domestic is not None:
        return one.domestic
    if isinstance(one, config.Robot):
        return bool(one.url.missing) or not (urlsplit(one.url.reveal()).hostname or "").endswith("larksuite.com")
    return not one.url.missing and is_domestic(one.url.reveal())
