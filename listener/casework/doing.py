"""What people do with cases, written: each function is one act on a workspace; see `listener.cases.acts`.

`CaseError` names the reason where a case does not allow an act; `StoreError` where somebody else has changed it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from listener.app import App
from listener.cases import acts
from listener.cases.acts import Said
from listener.cases.steps import PRIVATE_DOMAINS, CaseError, Variant
from listener.casework.finding import case_named
from listener.drift.marks import contradicted
from storage.records import Alert, Case, CaseAct, Koc, KocMark, MarkKind, PostKey

MARKS: dict[str, MarkKind] = {"turned": "turned", "false-alarm": "false-alarm", "mild": "mild"}


def open_case(
    app: App,
    said: Said,
    *,
    koc: Koc | None = None,
    brand: str | None = None,
    post: str = "",
    variant: Variant | None = None,
    urgent: bool = False,
) -> Case:
    """Open a case by hand: on a KOC, or on a stored post by its link (or ``platform:id``), whoever wrote it. Of somebody off
    the roster it is about the post alone, and nothing is kept of the person."""
    key = post_named(app, post) if post else None
    if key and koc is None:
        koc = _author_of(app, key)
    brand = brand or (_brand_of(app, key) if key else None) or next((one.name for one in app.brands), None)
    if brand is None:
        raise CaseError("还没有品牌：listener brand import brand.json / no brand yet")
    act = acts.open_case(
        said,
        brand=brand,
        koc_id=koc.koc_id if koc else "",
        variant=variant or _variant_of(koc, key),
        post=key,
        urgent=urgent,
        others=app.store.cases(brand=brand),
    )
    app.store.act([act])
    return act.case


def post_named(app: App, link: str) -> PostKey:
    """The stored post of that link, or of ``platform:id``; CaseError where it is not stored."""
    found = app.store.posts_at(link.strip())
    if len(found) == 1:
        return found[0]
    if found:
        raise CaseError(f"不止一条内容有这个链接，写 平台:编号 / several posts have this link: write platform:id: {link!r}")
    way = "先抓取或导入它" if urlsplit(link).scheme else "写它的链接，或 平台:编号"
    raise CaseError(f"没有收录这条内容，{way} / this post is not stored; crawl or import it first: {link!r}")


def _author_of(app: App, key: PostKey) -> Koc | None:
    author = app.store.posts_of([key])[key].author_key
    kocs = app.store.kocs()
    return next((koc for koc in kocs for one in koc.accounts if author in (one.author_key, *one.other_keys)), None)


def _brand_of(app: App, key: PostKey) -> str | None:
    return next((one.name for one in app.brands if key in app.store.mentions_of([key], one.name)), None)


def _variant_of(koc: Koc | None, post: PostKey | None) -> Variant:
    """What somebody said is answered where it was said; else it is a visit."""
    if post is None:
        return "care"
    return "private" if koc and koc.domain.strip().casefold() in PRIVATE_DOMAINS else "public"


def person_named(app: App, name: str) -> str:
    """The person of ``[[people]]`` that is called so, as the settings write the name. CaseError for a name that nobody there
    has: its owner would hear of nothing. Where the settings name no people, every name will do."""
    known = [one.name for one in app.settings.people]
    if not known:
        return name.strip()
    found = next((one for one in known if acts.is_same_name(one, name)), None)
    if found is None:
        there = "、".join(known)
        raise CaseError(
            f"[[people]] 里没有 {name.strip()!r}，有：{there}。写其中一位（--by、--to），新同事先加进 listener.toml [[people]]"
            f" / nobody of [[people]] is called {name.strip()!r}; there are: {', '.join(known)}. Name one of them, or add the"
            " person to [[people]] in listener.toml"
        )
    return found


def take(app: App, key: str, said: Said, owner: str = "") -> Case:
    """Take a case, or give it to somebody of ``[[people]]``; its alerts are acknowledged by it."""
    case = case_named(app, key)
    return _written(app, acts.take(case, said, person_named(app, owner or said.who)), taken_by=said.who.strip())


def do_step(app: App, key: str, step: str, said: Said) -> Case:
    """Do a step; "" is the one that is due. Who does the first step of a case that nobody has taken takes it."""
    case = case_named(app, key)
    if case.state == "open" and not case.owner:
        said = replace(said, who=person_named(app, said.who))
    log = app.store.steps(case.key)
    if not (step or case.next_step):
        raise CaseError(f"处置单 {case.key[:12]} 已结案 / the case is closed")
    return _written(app, acts.do_step(case, log, step or case.next_step, said), taken_by="" if case.owner else said.who.strip())


def share(app: App, key: str, said: Said, members: Sequence[str]) -> Case:
    return _written(app, acts.share(case_named(app, key), said, [person_named(app, one) for one in members if one.strip()]))


def note(app: App, key: str, said: Said, corrects: int = 0) -> Case:
    case = case_named(app, key)
    return _written(app, acts.note(case, app.store.steps(case.key), said, corrects))


def react(app: App, key: str, said: Said, reaction: str) -> Case:
    return _written(app, acts.react(case_named(app, key), said, reaction))


def set_urgent(app: App, key: str, said: Said, is_urgent: bool) -> Case:
    return _written(app, acts.set_urgent(case_named(app, key), said, is_urgent))


def give_verdict(app: App, key: str, verdict: str, said: Said, *, reason: str = "", of: str = "") -> tuple[Case, list[KocMark]]:
    """Say what a case turned out to be; what calibration and backtest learn from it is written in the same transaction. Returns
    the marks that stand: one for each turn that the case is about, none where it is about something else."""
    case = case_named(app, key)
    into = case_named(app, of) if of else None
    done = acts.give_verdict(case, app.store.steps(case.key), verdict, said, reason=reason, into=into)
    marks = app.store.act(done, _marks_of(app, case, verdict, said))
    return done[0].case, marks


def contradicting(app: App, marks: Sequence[KocMark]) -> list[KocMark]:
    """The marks made otherwise that say another thing of the same days than these."""
    zone = ZoneInfo(app.timezone)
    found: dict[str, KocMark] = {}
    for mark in marks:
        if other := contradicted(mark, app.store.koc_marks(koc=mark.koc_id, brand=mark.brand), zone):
            found[other.key] = other
    return list(found.values())


def _marks_of(app: App, case: Case, verdict: str, said: Said) -> list[KocMark]:
    """What a verdict says of the turns that a case is about: of the newest that it was true, of all that they were false, or
    mild."""
    kind = MARKS.get(verdict)
    if kind is None or not case.koc_id:
        return []
    alerts = [one.alert for one in app.store.alerts(history=True, koc=case.koc_id, brand=case.brand)]
    drifts = [one for one in alerts if one.key in case.alerts and one.kind == "drift"]
    if kind == "turned":
        drifts = sorted(drifts, key=lambda one: (one.fired_at, one.level == "red"))[-1:]
    note = said.note or f"处置单 {case.key[:12]}"
    marks = []
    for one in drifts:
        at, alert = (_day_of(app, one), "") if kind == "turned" else (one.fired_at, one.key)
        marks.append(KocMark("", case.koc_id, case.brand, kind, at, alert, said.who.strip(), said.at, note))
    return marks


def _day_of(app: App, alert: Alert) -> datetime:
    """The first instant of the local day on which the stance turned."""
    local = (alert.turned_at or alert.fired_at).astimezone(ZoneInfo(app.timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def approve(app: App, key: str, said: Said, *, refuse: bool = False) -> Case:
    """A second person, of ``[[people]]`` where there are any, agrees that a case goes to legal, or refuses it."""
    case, said = case_named(app, key), replace(said, who=person_named(app, said.who))
    return _written(app, acts.approve(case, app.store.steps(case.key), said, refuse=refuse))


def reopen(app: App, key: str, said: Said) -> Case:
    case = case_named(app, key)
    return _written(app, acts.reopen(case, app.store.steps(case.key), said, app.store.cases(brand=case.brand)))


def _written(app: App, act: CaseAct, taken_by: str = "") -> Case:
    """The case as it was written. taken_by: whoever takes a case has heard of its alerts."""
    app.store.act([act], taken_by=taken_by)
    return act.case
