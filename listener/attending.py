"""What people do with alerts: take them on, mute, see what is held back; each a function of the workspace and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener import pipeline
from listener.alerts.planning import moot
from listener.alerts.policy import decide
from listener.app import App
from storage.policy_records import Acknowledgement, Hold, Mute
from storage.records import Alert, ChannelState, Delivery, StoredAlert, StoreError

LEAST_KEY = 6  # letters of an alert's key that name it
LONGEST_MUTE_DAYS = 365
DUE, RETRYING, RESTING = "due", "retrying", "resting"  # why a delivery waits that the policy does not hold back


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """A delivery that has not gone out: of what alert (with the severity that it has by now), since when, and everything that
    kept it back so far. Its ``held`` says why and its ``next_try_at`` until when: a code of `listener.alerts.policy.Kept`, or
    DUE (the next ``deliver`` sends it), RETRYING (its channel did not take it), RESTING (its channel rests after failures)."""

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
    """What has not gone out, as the policy would decide now: the next to be looked at first. It holds of what nobody has ever
    tried to deliver, too; nothing is written."""
    with app.desk() as desk:
        pairs = _waiting(desk)
        if not pairs:
            return []
        keys = [about.alert.key for _, about in pairs]
        acknowledged = desk.store.acknowledgements(keys)
        answered = pipeline.answered_among([about.alert for _, about in pairs], desk)
        gone = {one.key for one in moot(pairs, {*acknowledged, *answered})}
        pairs = pipeline.graded([pair for pair in pairs if pair[0].key not in gone], desk)
        states, now = desk.store.channel_states(), desk.now()
        stuck = {one.key: stuck for one, _ in pairs if (stuck := _stuck(one, states, now))}
        known = pipeline.known_now(acknowledged, answered, desk)
        free = [pair for pair in pairs if pair[0].key not in stuck]
        kept = {one.key: one for one in decide(free, now=now, policy=desk.policy, known=known).held}
    holds: dict[str, list[Hold]] = {}
    for hold in app.store.holds(one.key for one, _ in pairs):
        holds.setdefault(hold.delivery_key, []).append(hold)
    found = []
    for one, about in pairs:
        shown = stuck.get(one.key) or kept.get(one.key) or replace(one, held=DUE, next_try_at=None)
        mine = tuple(holds.get(one.key, ()))
        found.append(HeldDelivery(shown, about.alert, min((each.at for each in mine), default=one.created_at), mine))
    return sorted(found, key=lambda one: (one.delivery.next_try_at or one.since, one.delivery.key))


def _waiting(desk: pipeline.Desk) -> list[tuple[Delivery, StoredAlert]]:
    rows = desk.store.deliveries("pending")
    every = {one.alert.key: one for one in desk.store.alerts(history=True)} if rows else {}
    return [(one, every[one.alert_key]) for one in rows]


def _stuck(one: Delivery, states: Mapping[str, ChannelState], now: datetime) -> Delivery | None:
    """The delivery with the reason why its channel keeps it waiting; None where that is not so."""
    state = states.get(one.channel)
    if state is not None and state.rests_until is not None and state.rests_until > now:
        return replace(one, held=RESTING, next_try_at=state.rests_until)
    if not one.held and one.error and one.next_try_at is not None and one.next_try_at > now:
        return replace(one, held=RETRYING)
    return None
