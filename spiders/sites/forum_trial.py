"""What the selectors of a forum's configuration catch on one page: for whoever writes them. No network here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from parsel import Selector as Node

from spiders.selectors import first, html_in, matches
from spiders.sites.forum_options import ForumOptions, TopicOptions
from spiders.sites.forum_pages import Reading, links_of, time_in, topic_id_of
from spiders.values import count_of, link_of, text_of


@dataclass(frozen=True, slots=True)
class Caught:
    """What one selector caught. name: ``topics.title``. count: in how many of ``of`` items (of the page for those of a whole
    page). example: the first thing caught, cut short. read: how a time, a number or an address in it was read."""

    name: str
    selector: str
    count: int
    of: int
    example: str
    read: str = ""


_OF_THE_PAGE = frozenset(("topics.next", "topics.empty", "floors.next", "floors.title"))
_NO_SELECTORS = frozenset(("topics.id", "floors.drop"))


def tried(page: Node, options: ForumOptions, kind: Literal["topics", "floors"], reading: Reading) -> list[Caught]:
    """What each selector of a kind of page catches on this one."""
    group = options.topics if kind == "topics" else options.floors
    if group is None:
        return []
    items = matches(page, group.item)
    found = []
    for name in type(group).model_fields:
        written = getattr(group, name)
        if not written or f"{kind}.{name}" in _NO_SELECTORS:
            continue
        is_wide = f"{kind}.{name}" in _OF_THE_PAGE
        nodes = items if name == "item" or not is_wide else [page]
        seen = [
            text
            for text in (_seen(node, (), "item") if name == "item" else _seen(node, written, name) for node in nodes)
            if text
        ]
        short = " ".join(seen[0].split()) if seen else ""
        read = _reader_of(name, reading, options.topics)(seen[0]) if seen else ""
        example = short[:60] + "…" * (len(short) > 60)
        found.append(Caught(f"{kind}.{name}", " , ".join(written), len(seen), len(nodes), example, read))
    return found


def _seen(node: Node, written: Sequence[str], name: str) -> str:
    if name == "item":
        return text_of(node.get() or "") or "–"
    if name in ("link", "next"):
        return next(iter(links_of(node, written)), "")
    return text_of(html_in(node, written)) if name in ("text", "pinned") else first(node, written)


def _reader_of(name: str, reading: Reading, topics: TopicOptions) -> Callable[[str], str]:
    """How the program reads what a selector of that name catches; "?" where it can't."""

    def at(shown: str) -> str:
        found = time_in(shown, reading)
        return found.astimezone(reading.zone).isoformat(sep=" ") if found else "?"

    def linked(shown: str) -> str:
        link = link_of(shown, reading.url)
        return f"{link} → {topic_id_of(link, topics, reading.host)}" if link else "?"

    def counted(shown: str) -> str:
        found = count_of(shown)
        return "?" if found is None else str(found)

    def going(shown: str) -> str:
        return link_of(shown, reading.url) or "?"

    readers = {"time": at, "active": at, "link": linked, "next": going, "answers": counted, "likes": counted}
    return readers.get(name, lambda _: "")
