"""The ways out as an operator sees them: how each channel does, what it owes, what was given up; and a test of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from config.settings import ConfigError, Problem, Settings
from listener.app import App
from listener.channels.door import ChannelError
from listener.channels.through_apprise import AppriseChannel, service_of
from listener.text.samples import template_faults
from listener.wiring import channel_of, discretion_of
from storage.records import ChannelState, Delivery, StoredAlert, StoreError

Doing: TypeAlias = Literal["off", "lacking", "unused", "fine", "failing", "resting"]


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel of the settings. doing: how it does; shows: what is shown there, "all", "no-private" or "counts"; lacking: why
    it can't send at all; waiting, dead: deliveries that are to go out, and that were given up."""

    name: str
    type: str
    doing: Doing
    shows: str
    state: ChannelState
    waiting: int
    dead: int
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Dead:
    """A delivery that was given up, with its alert."""

    delivery: Delivery
    about: StoredAlert | None


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test message. error: "" where it was taken."""

    name: str
    error: str = ""


def outlets(app: App, now: datetime) -> list[Outlet]:
    """Every channel of the settings, in their order, then those that deliveries still wait for though they are gone."""
    states, rows = app.store.channel_states(), app.store.deliveries()
    found = []
    for one in app.settings.channels:
        state = states.get(one.name, ChannelState(one.name))
        lacking = _lacking(app, one.name)
        doing = "off" if not one.enabled else "lacking" if lacking else doing_of(state, now)
        discretion = discretion_of(one)
        shows = "counts" if discretion.is_abroad else "no-private" if discretion.is_group else "all"
        found.append(Outlet(one.name, one.type, doing, shows, state, *_owed(rows, one.name), lacking))
    known = {one.name for one in app.settings.channels}
    gone = sorted({row.channel for row in rows if row.state in ("pending", "sending", "dead")} - known)
    none = "listener.toml 里没有了 / is not in listener.toml any more"
    found += [Outlet(name, "", "lacking", "", ChannelState(name), *_owed(rows, name), none) for name in gone]
    return found


def doing_of(state: ChannelState, now: datetime) -> Doing:
    """How a channel does.

    >>> doing_of(ChannelState("mail"), datetime.now())
    'unused'
    """
    if state.rests_until is not None and state.rests_until > now and (state.failed_at is None or state.failed_at <= now):
        return "resting"
    if state.failures:
        return "failing"
    return "fine" if state.sent_at else "unused"


def resting(app: App, now: datetime) -> list[str]:
    """Channels of the settings that rest now, by name."""
    known = {one.name for one in app.settings.channels if one.enabled}
    return [name for name, state in app.store.channel_states().items() if name in known and doing_of(state, now) == "resting"]


def unable(app: App) -> list[tuple[str, str]]:
    """Channels of the settings that are on and can't send as they are set, by name, each with the reason."""
    known = {one.name: _lacking(app, one.name) for one in app.settings.channels if one.enabled}
    return [(name, why) for name, why in known.items() if why]


def dead_letters(app: App) -> list[Dead]:
    """What was given up, oldest first."""
    rows = app.store.deliveries(state="dead")
    about = {one.alert.key: one for one in app.store.alerts(history=True)} if rows else {}
    return [Dead(row, about.get(row.alert_key)) for row in rows]


def bring_back(app: App, keys: Sequence[str] = ()) -> int:
    """Queue again what was given up; keys: of deliveries, or their beginnings (8 digits or more); none: all. Returns how many.
    StoreError for a key that is of none, or of several."""
    if not keys:
        return app.store.retry_dead()
    dead = [row.key for row in app.store.deliveries(state="dead")]
    return app.store.retry_dead([_the_one(key, dead) for key in dict.fromkeys(keys)])


def _the_one(key: str, dead: Iterable[str]) -> str:
    found = [each for each in dead if each.startswith(key.lower())] if len(key) >= 8 else []
    if len(found) != 1:
        words = "没有这一条，或不止一条；见 listener deliver --dead / there is none, or more than one: see it"
        raise StoreError(f"{key}: {words}")
    return found[0]


def test_message(app: App, names: Sequence[str]) -> list[Tested]:
    """Send a test message through each of these channels, switched on or not; a failure of one stops no other. ConfigError for
    a name that is none."""
    known = {one.name for one in app.settings.channels}
    for name in names:
        if name not in known:
            app.known_channel(name)  # says so, and which there are
    return [_tested(app, name) for name in names]


def _tested(app: App, name: str) -> Tested:
    try:
        app.known_channel(name).test(app.now())
    except (ConfigError, ValueError) as error:
        return Tested(name, _last_line(error))
    except ChannelError as error:
        return Tested(name, str(error))
    return Tested(name)


def faults_of(settings: Settings) -> list[Problem]:
    """What is wrong with channels and message templates that only trying them shows."""
    found = []
    for index, one in enumerate(settings.channels):
        if one.enabled and not any(getattr(one, secret).missing for secret in one.SECRETS):
            try:
                channel = channel_of(
                    one, language="zh-CN", timezone="UTC", templates="", people=(), take_slots=lambda *asked: timedelta(0)
                )
                if isinstance(channel, AppriseChannel):
                    service_of(one.name, channel.url)
            except ValueError as error:
                found.append(Problem(None, f"channels[{index}]", str(error)))
    if settings.listener.templates:
        for fault in template_faults(settings.listener.templates):
            where = f"{fault.file}:{fault.line}" if fault.line else fault.file
            found.append(Problem(None, "listener.templates", f"{where}: {fault.message}"))
    return found


def _lacking(app: App, name: str) -> str:
    """Why a channel can't send, as far as its settings tell."""
    try:
        app.known_channel(name)
    except (ConfigError, ValueError) as error:
        return _last_line(error)
    return ""


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()


def _owed(rows: Iterable[Delivery], name: str) -> tuple[int, int]:
    states = [row.state for row in rows if row.channel == name]
    return sum(state in ("pending", "sending") for state in states), states.count("dead")
