"""An alert's view → what of it may be shown in one place: abroad counts alone, private words to the case's people alone."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from listener.text.views import AlertView, Quote

PRIVATE_DOMAINS = frozenset({"private", "私域"})
PRIVATE_PLATFORMS = frozenset({"group"})  # chats that were imported


@dataclass(frozen=True, slots=True)
class Discretion:
    """Who reads along in a place. is_abroad: what is sent there leaves the country, so that it gets no words of posts and no
    names. is_group: more people read it than those who handle the case. people: whose own place it is; nobody named: that of
    whoever handles the case. key: of the workspace, what KOCs are called by abroad is made with it."""

    is_abroad: bool = False
    is_group: bool = False
    people: frozenset[str] = frozenset()
    key: bytes = field(default=b"", repr=False)

    def shows_private(self, members: Collection[str]) -> bool:
        """Whether words of the private domain may be shown there, of a case that these people handle."""
        return not self.is_group and self.people <= set(members)


def alias_of(key: bytes, koc_id: str) -> str:
    """What a KOC is called abroad: the workspace alone can tell who it is, as an id may be made from an account or a number.

    >>> alias_of(b"k", "K017"), alias_of(b"another workspace", "K017")
    ('KOC-b1b8c4713d', 'KOC-561a88aeb5')
    """
    return f"KOC-{hmac.digest(key, f'alias {koc_id}'.encode(), 'sha256').hex()[:10]}"


def shown(view: AlertView, discretion: Discretion) -> AlertView:
    """What of the alert may be shown."""
    if discretion.is_abroad:
        who = view.alert.koc_id
        return replace(
            view,
            alert=replace(view.alert, koc_id=alias_of(discretion.key, who)) if who else view.alert,
            koc=None,
            quotes=tuple(_withheld(each, "abroad") for each in view.quotes),
            before=(),
            dots=(),
            causes=(),
            departments=(),
            withheld="abroad",
        )
    members = _members(view)
    if discretion.shows_private(members) or not any(is_private(view, each) for each in (*view.quotes, *view.before)):
        return view
    return replace(view, quotes=_open(view, view.quotes), before=_open(view, view.before), withheld="private")


def _members(view: AlertView) -> set[str]:
    """Who handles it: the KOC's owner, who has taken the case, who else may see all of it."""
    handling = {view.koc.owner} if view.koc else set()
    return handling | ({view.case.owner, *view.case.members} if view.case else set())


def is_private(view: AlertView, quote: Quote) -> bool:
    """Whether a post was said where not everybody reads: in an imported chat, or by a KOC of the private domain."""
    domain = view.koc.domain.strip().casefold() if view.koc else ""
    return domain in PRIVATE_DOMAINS or quote.key.platform in PRIVATE_PLATFORMS


def _open(view: AlertView, quotes: tuple[Quote, ...]) -> tuple[Quote, ...]:
    return tuple(_withheld(each, "private") if is_private(view, each) else each for each in quotes)


def _withheld(quote: Quote, why: str) -> Quote:
    return replace(quote, text="", url="", withheld=why)
