"""Cases as people ask for them: by the first letters of a key, with all that is known of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from listener.app import App
from listener.cases.clocks import Clock, Due, clock_of, due_of
from listener.cases.quality import quality_of, reaction_of
from listener.cases.steps import CaseError, strength_of
from storage.records import Case, CaseStep, Koc, Mention, PostKey, PostView, StoredAlert
from storage.roster_records import Promise

LEAST_KEY = 4  # letters that name a case


@dataclass(frozen=True, slots=True)
class CasePost:
    """A post of a case. is_against: it speaks against the brand, None: nobody knows. gone_at: when it was found gone."""

    view: PostView
    is_against: bool | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with all that is known of it. alerts: those it holds, also withdrawn ones; posts: those that they quote, in order
    of time. causes: what the criticism is about, as codes, the most frequent first. promises: open ones that the team made to
    the KOC. quality: which of the four things a good answer holds its replies have; reaction: how the other side took it."""

    case: Case
    log: tuple[CaseStep, ...]
    koc: Koc | None
    alerts: tuple[StoredAlert, ...]
    posts: tuple[CasePost, ...]
    causes: tuple[str, ...]
    due: Due | None
    clock: Clock
    promises: tuple[Promise, ...]
    quality: tuple[str, ...]
    reaction: str

    @property
    def name(self) -> str:
        """Whom it is about: the KOC's name, else the id, else nobody's."""
        return (self.koc.name if self.koc else "") or self.case.koc_id


def case_named(app: App, key: str) -> Case:
    """The case whose key begins so; CaseError where there is none, or more than one."""
    cases = app.store.cases()
    found = [case for case in cases if case.key.startswith(key)] if len(key) >= LEAST_KEY else []
    if len(found) == 1:
        return found[0]
    if found:
        known = ", ".join(case.key[:12] for case in found)
        raise CaseError(f"{key!r} 不止一张：{known}；多写几位 / several cases begin so: write more letters")
    words = f"没有以 {key!r} 开头的处置单（至少 {LEAST_KEY} 位）：listener cases list --all"
    raise CaseError(f"{words} / no case begins with {key!r}; see: listener cases list --all")


def cases_of(
    app: App,
    *,
    state: str | None = None,
    brand: str | None = None,
    koc: str | None = None,
    owner: str | None = None,
    since: datetime | None = None,
) -> list[CaseFile]:
    """The cases that fit, the most urgent first: open ones by when their step is due, of those due at once what asks most; then
    closed ones, the newest first."""
    cases = [
        case
        for case in app.store.cases(state=state, brand=brand, koc=koc)
        if (owner is None or owner in (case.owner, *case.members)) and (since is None or case.opened_at >= since)
    ]
    files = files_of(app, cases)
    waiting = sorted((one for one in files if one.due), key=urgency_of)
    closed = sorted((one for one in files if not one.due), key=lambda one: one.case.opened_at, reverse=True)
    return [*waiting, *closed]


def urgency_of(one: CaseFile) -> tuple[bool, datetime, int, datetime, str]:
    """What an open case is sorted by: an accident, when its step is due, how much its alerts ask, when it was opened."""
    strength = max((strength_of(stored.alert) for stored in one.alerts), default=0)
    due_at = one.due.due_at if one.due else one.case.opened_at
    return not one.case.urgent, due_at, -strength, one.case.opened_at, one.case.key


def file_of(app: App, case: Case) -> CaseFile:
    """All that is known of one case."""
    return files_of(app, [case])[0]


def files_of(app: App, cases: Sequence[Case]) -> list[CaseFile]:
    """All that is known of these cases, in their order; in a number of queries that does not grow with them."""
    store, now, targets = app.store, app.now(), app.case_targets()
    kocs = {koc.koc_id: koc for koc in store.kocs()}
    logs = store.logs([case.key for case in cases])
    alerts = store.alerts_of({key for case in cases for key in case.alerts})
    keys = {key for case in cases for key in _posts_of(case, alerts)}
    views, gone = store.posts_of(keys), store.gone(keys)
    said = {brand: store.mentions_of(keys, brand) for brand in {case.brand for case in cases}}
    promises = [one for one in store.ledger.promises() if one.is_ours and one.state == "open"] if cases else []
    files = []
    for case in cases:
        log, koc = tuple(logs.get(case.key, ())), kocs.get(case.koc_id)
        tier = koc.tier if koc else ""
        posts = _case_posts(_posts_of(case, alerts), views, said[case.brand], gone)
        files.append(
            CaseFile(
                case=case,
                log=log,
                koc=koc,
                alerts=tuple(alerts[key] for key in case.alerts if key in alerts),
                posts=posts,
                causes=_causes([said[case.brand].get(one.view.key) for one in posts]),
                due=due_of(case, log, tier, targets),
                clock=clock_of(case, log, _first_at(case, posts, alerts), now, tier, targets),
                promises=tuple(one for one in promises if case.koc_id and one.koc_id == case.koc_id),
                quality=tuple(quality_of(log)),
                reaction=reaction_of(log),
            )
        )
    return files


def _posts_of(case: Case, alerts: Mapping[str, StoredAlert]) -> list[PostKey]:
    quoted = [key for alert in case.alerts if alert in alerts for key in alerts[alert].alert.posts]
    return list(dict.fromkeys([*quoted, *([case.post] if case.post else [])]))


def _case_posts(
    keys: Iterable[PostKey],
    views: Mapping[PostKey, PostView],
    said: Mapping[PostKey, Mention],
    gone: Mapping[PostKey, datetime],
) -> tuple[CasePost, ...]:
    found = [CasePost(views[key], _is_against(said.get(key)), gone.get(key)) for key in keys if key in views]
    return tuple(sorted(found, key=lambda one: (one.view.posted_at, one.view.key)))


def _is_against(mention: Mention | None) -> bool | None:
    if mention is None or mention.unscored is not None:
        return None
    return mention.against > max(mention.favor, mention.none)


def _first_at(case: Case, posts: Sequence[CasePost], alerts: Mapping[str, StoredAlert]) -> datetime | None:
    """When the first negative post of what the case is about was posted; a post that somebody opened it on counts as such."""
    negative = [one.view.posted_at for one in posts if one.is_against or one.view.key == case.post]
    return min(negative, default=None)


def _causes(mentions: Iterable[Mention | None]) -> tuple[str, ...]:
    counted = Counter(code for one in mentions if one and _is_against(one) for code in one.causes)
    return tuple(code for code, _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
