"""What the configuration of a forum says: the selectors of its pages, and where its lists are."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from spiders.selectors import Selectors


def _zone(name: str) -> str:
    try:
        ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"没有这个时区 / no such time zone: {name!r}") from error
    return name


def _pattern(written: str) -> str:
    try:
        re.compile(written)
    except re.error as error:
        raise ValueError(f"不是正则表达式 / no regular expression: {written!r} ({error})") from error
    return written


class TopicOptions(BaseModel):
    """Selectors for a list of topics; all but ``item``, ``next`` and ``empty`` are looked for inside an item.

    link, next: elements whose ``href`` counts, unless another attribute is named. id: regular expression over a topic's address
    whose first group is its id; without it the address itself is. time: when the topic was begun. active: when it was last
    answered, where the list is sorted by that. answers: how many answers it has: topics whose number is unchanged are not
    opened again. text: where the list shows whole posts and there are no pages of floors. empty: what stands on a list that
    has nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Selectors = Field(min_length=1)
    link: Selectors = ("a",)
    id: Annotated[str, AfterValidator(_pattern)] = ""
    title: Selectors = ()
    author: Selectors = ()
    author_id: Selectors = ()
    time: Selectors = ()
    active: Selectors = ()
    answers: Selectors = ()
    likes: Selectors = ()
    pinned: Selectors = ()
    text: Selectors = ()
    next: Selectors = ()
    empty: Selectors = ()


class FloorOptions(BaseModel):
    """Selectors for the floors of a topic; all but ``item``, ``title`` and ``next`` are looked for inside an item.

    id: without one a floor is known by its author, time and words. parent: id of the floor that this one answers. drop: what
    is no word of the author's own, quotations above all. title: the topic's, for topics that are read by their address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Selectors = Field(min_length=1)
    text: Selectors = Field(min_length=1)
    time: Selectors = Field(min_length=1)
    id: Selectors = ()
    author: Selectors = ()
    author_id: Selectors = ()
    parent: Selectors = ()
    likes: Selectors = ()
    drop: Selectors = ("blockquote",)
    title: Selectors = ()
    next: Selectors = ()


class ForumOptions(BaseModel):
    """``[sources.options]`` of a forum. search, timeline: addresses of the lists that a query and an account stand for, with
    ``{}`` for them. encoding, timezone: where the pages' own are wrong or not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: TopicOptions
    floors: FloorOptions | None = None
    search: str = ""
    timeline: str = ""
    encoding: str = ""
    timezone: Annotated[str, AfterValidator(_zone)] = ""
