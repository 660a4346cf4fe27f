"""What people do with alerts: take them on, mute, see what is held back; each a function of the workspace and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from listener.app import App
from storage.policy_records import Acknowledgement, Hold, Mute
from storage.records import Alert, Delivery, StoredAlert, StoreError

LEAST_KEY = 6  # letters of an alert's key that name it
LONGEST_MUTE_DAYS = 365


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """A delivery that is kept back: of what alert, since when, and everything that kept it back so far."""

    delivery: Delivery
    alert: Alert
    since: datetime
    holds: tuple[Hold, ...]


def take_on(app: App, keys: Sequence[str], who: str, note: str = "") -> list[Acknowledgement]:
    """Note who takes these alerts on (接手), named by their keys or how they begin; returns who has each of them now, in the
    order given. StoreError for a beginning that no alert has, or more than one."""
    found = [alert_named(app, key) for key in keys]
    whole = [one.alert.key for one in found]
    app.store.acknowledge(whole, who, app.now(), note)
    taken = app.store.acknowledgements(whole)
    return [taken[key] for key in dict.fromkeys(whole)]


def alert_named(app: App, key: str) -> StoredAlert:
    """The alert whose key begins so; StoreError where none does, or several do."""
    every = app.store.alerts(history=True)
    found = [one for one in every if len(key) >= LEAST_KEY and one.alert.key.startswith(key.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise StoreError(
            f"有 {len(found)} 条预警以 {key!r} 开头，请写长一些 / {len(found)} alerts begin with {key!r}: write more of it"
        )
    raise StoreError(
        f"没有以 {key!r} 开头的预警（至少 {LEAST_KEY} 位），见 listener alerts --format json"
        f" / no alert's key begins with {key!r} (at least {LEAST_KEY} letters); see: listener alerts --format json"
    )


def mute(app: App, *, koc_id: str = "", brand: str = "", kind: str = "", until: datetime, reason: str, who: str) -> Mute:
    """Keep alerts of a KOC, a brand or a kind back until then; StoreError where the end or the reason will not do."""
    now = app.now()
    if not (koc_id or brand or kind):
        raise StoreError("免打扰要指明 KOC、品牌或种类 / name the KOC, the brand or the kind that is to be muted")
    if not reason.strip():
        raise StoreError("免打扰要写明原因 / a mute needs a reason")
    if until <= now:
        raise StoreError("免打扰的结束时间已过 / the mute would end before it begins")
    if until - now > timedelta(days=LONGEST_MUTE_DAYS):
        raise StoreError(
            f"免打扰最长 {LONGEST_MUTE_DAYS} 天，到期再续 / a mute lasts {LONGEST_MUTE_DAYS} days at most; renew it"
        )
    return app.store.mute(Mute("", koc_id, brand, kind, now, until, reason.strip(), who))


def mutes(app: App, *, history: bool = False) -> list[Mute]:
    """The mutes that stand, in order of time; with ``history`` those that are over too."""
    now = app.now()
    return [one for one in app.store.mutes() if history or one.ends_at > now]


def held(app: App) -> list[HeldDelivery]:
    """What is kept back now, the next to be looked at first."""
    rows = [one for one in app.store.deliveries("pending") if one.held]
    every = {one.alert.key: one.alert for one in app.store.alerts(history=True)} if rows else {}
    holds: dict[str, list[Hold]] = {}
    for hold in app.store.holds(one.key for one in rows):
        holds.setdefault(hold.delivery_key, []).append(hold)
    found = [
        HeldDelivery(one, every[one.alert_key], min((h.at for h in mine), default=one.created_at), tuple(mine))
        for one in rows
        for mine in [holds.get(one.key, [])]
    ]
    return sorted(found, key=lambda one: (one.delivery.next_try_at or one.since, one.delivery.key))
