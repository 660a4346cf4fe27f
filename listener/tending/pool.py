"""The pool of candidates: scored from public posts, named by a person with a reason, admitted as a KOC by a person."""

from __future__ import annotations

from datetime import datetime

from listener.app import App
from listener.normalize import author_keys_of
from listener.relations.candidates import Candidate, candidates_of
from listener.relations.copies import LEAST, letters_of, near_copies
from listener.relations.errors import RelationError
from listener.relations.replacements import fading, likeness_of, replacements_for
from listener.roster import derived_id
from storage.records import Account, Brand, Koc
from storage.roster_records import Author, By, Nomination

POOL = 400  # authors that are read post by post
LEAST_MENTIONS = 3
MOST = 20


def brand_named(app: App, name: str | None) -> Brand:
    """The brand of that name, or the first."""
    found = next((one for one in app.brands if name in (None, one.name)), None)
    if found is None:
        known = "、".join(one.name for one in app.brands) or "–"
        raise RelationError(f"没有品牌 {name!r}；现有：{known} / unknown brand; there are: {known}")
    return found


def candidates(
    app: App,
    brand: Brand,
    *,
    platform: str | None = None,
    since: datetime | None = None,
    least: int = LEAST_MENTIONS,
) -> tuple[list[Candidate], list[Author]]:
    """The candidates of a brand, the best first, and the authors that they were read from."""
    strangers = app.store.strangers
    keys = strangers.favorable(brand.name, least=least, most=POOL, platform=platform, since=since)
    authors = strangers.authors(brand.name, keys)
    own = {
        one.author_key: [
            (said.row, said.fingerprint) for said in one.posts if said.is_mention and len(letters_of(said.text, ())) >= LEAST
        ]
        for one in authors
    }
    copied = near_copies(own, *strangers.fingerprints(brand.name)) if own else {}
    return candidates_of(authors, brand, copied, _nominated(app)), authors


def _nominated(app: App) -> frozenset[str]:
    last = {one.author_key: one.act for one in app.store.ledger.nominations()}
    return frozenset(key for key, act in last.items() if act == "nominated")


def replacements(app: App, koc: Koc, brand: Brand, most: int = 3) -> list[Candidate]:
    """Who could take a KOC's place, the best first."""
    found, authors = candidates(app, brand)
    keys = [key for account in koc.accounts for key in (account.author_key, *account.other_keys)]
    posts = [said for one in app.store.strangers.authors(brand.name, keys) for said in one.posts]
    like = likeness_of(posts, frozenset(account.platform for account in koc.accounts), brand)
    return replacements_for(like, found, authors, brand, most)


def fading_of(app: App, koc: Koc) -> tuple[str, Brand] | None:
    """Why a KOC's place may have to be filled, and for which brand; None where not."""
    states = {state.brand: state for state in app.store.states() if state.koc_id == koc.koc_id}
    for brand in app.brands:
        if why := fading(koc, states.get(brand.name)):
            return why, brand
    return None


def nominate(app: App, link: str, *, who: str, reason: str, brand: Brand) -> Nomination:
    """Make a stranger a candidate, by the address of a public post that is still kept.

    RelationError without a name or a reason, for an address nobody wrote at, and for who is on the roster or kept out."""
    if not who.strip() or not reason.strip():
        raise RelationError(
            "写明是谁、为什么（--by、--reason）：陌生人只能由人提名 / say who and why: a person names a stranger"
        )
    found = app.store.strangers.author_at(link.strip())
    if found is None:
        raise RelationError(
            f"没有存着这个网址的公开内容（或已过保留期）：{link} / no public post at this address is kept (any more)"
        )
    author_key, post = found
    if app.store.strangers.keeps_out(author_key):
        raise RelationError("这位作者要求过不被收录 / this author asked to be kept out")
    if holder := _holder(app, author_key):
        raise RelationError(f"已在名单上：{holder.koc_id} {holder.name} / is on the roster already")
    new = Nomination(author_key, post, brand.name, app.now(), "nominated", who.strip(), reason.strip())
    app.store.ledger.nominate(new)
    return new


def _holder(app: App, author_key: str) -> Koc | None:
    return next((koc for koc in app.store.kocs() for a in koc.accounts if author_key in (a.author_key, *a.other_keys)), None)


def nominations(app: App) -> list[Nomination]:
    """Who is named and neither admitted nor dropped yet: the last act on each, oldest first."""
    last = {one.author_key: one for one in app.store.ledger.nominations()}
    return [one for one in last.values() if one.act == "nominated"]


def _named(app: App, key: str) -> Nomination:
    found = [one for one in nominations(app) if len(key) >= 6 and one.author_key.startswith(key)]
    if len(found) != 1:
        known = "、".join(one.author_key[:12] for one in nominations(app)) or "–"
        raise RelationError(f"没有以 {key!r} 开头的提名，或不止一个；有：{known} / no nomination, or several, begin so")
    return found[0]


def drop(app: App, which: str, *, who: str, reason: str) -> Nomination:
    """Leave a nominated stranger, or whoever wrote at a public address, out of the pool, with a reason."""
    if not who.strip() or not reason.strip():
        raise RelationError("写明是谁、为什么 / say who and why")
    found = app.store.strangers.author_at(which.strip()) if "://" in which else None
    author_key, post = found or ((named := _named(app, which)).author_key, named.post)
    last = [one for one in app.store.ledger.nominations() if one.author_key == author_key]
    new = Nomination(author_key, post, last[-1].brand if last else "", app.now(), "dropped", who.strip(), reason.strip())
    app.store.ledger.nominate(new)
    return new


def admit(
    app: App,
    key: str,
    account_id: str,
    *,
    name: str,
    who: str,
    koc_id: str = "",
    tier: str = "",
    owner: str = "",
    reason: str = "",
) -> Koc:
    """Make a nominated stranger a KOC. account_id: the platform's own id, looked up by a person; it must be the author's."""
    named = _named(app, key)
    if not name.strip() or not who.strip():
        raise RelationError("写明名字与经手人 / give the name, and who does it")
    platform = named.post.platform
    own, *others = author_keys_of(app.key, platform, account_id.strip())
    if named.author_key not in (own, *others):
        raise RelationError(
            f"{platform} 的 {account_id} 不是这条内容的作者；请核对账号ID / is not who wrote the nominated post: check the id"
        )
    account = Account(platform, account_id.strip(), own, other_keys=tuple(others))
    made = Koc(koc_id.strip() or derived_id((platform, account_id.strip())), name.strip(), (account,), owner, tier)
    if any(koc.koc_id == made.koc_id for koc in app.store.kocs()):
        raise RelationError(f"编号 {made.koc_id} 已有人用；换一个 --id / this id is taken, give another")
    now = app.now()
    done = Nomination(named.author_key, named.post, named.brand, now, "admitted", who.strip(), reason, made.koc_id)
    app.store.save_kocs([made], by=By(who, now, "admit", reason or named.reason), nomination=done)
    return made
