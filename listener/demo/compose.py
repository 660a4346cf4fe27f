"""The season's script (season/*.toml) and its last day → who is on the roster, the truth of each, and every post."""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from spiders.items import Item, ItemMedia, Kind
from storage.records import Brand, Rival

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = 300
WEIBO, FORUM, GROUP = "weibo", "kitchenforum", "lichuangroup"
OFFICIAL = ("9900000001", "栗川官方")

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_HOURS = (7, 7, 8, 8, 9, 12, 12, 13, 15, 17, 18, 19, 20, 20, 21, 21, 22, 22, 23)
_HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a reader of all posts of a KOC would say. alert: whether a drift alert is right; None: either answer would do."""

    scenario: str
    turned_at: datetime | None
    healed_at: datetime | None
    alert: bool | None


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the season's roster; accounts as (platform, account id)."""

    koc_id: str
    name: str
    owner: str
    tier: str
    note: str
    accounts: tuple[tuple[str, str], ...]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Season:
    """All there is to hear between ``ends_on`` − 300 days and the evening before ``ends_on``, ordered by time."""

    brand: Brand
    people: tuple[Person, ...]
    items: tuple[Item, ...]
    ends_on: date


@dataclass(slots=True)
class _Line:
    """One post before it has an id."""

    at: datetime
    platform: str
    author_id: str
    author: str
    text: str
    kind: Kind = "post"
    parent: _Line | None = None
    media: tuple[ItemMedia, ...] = ()
    weight: int = 1


@dataclass(slots=True)
class _Words:
    """The shared sentences, each used as rarely as can be, never twice by one person before all were."""

    pools: Mapping[str, Mapping[str, Sequence[str]]]
    used: Counter[str] = field(default_factory=Counter)

    def pick(self, mood: str, topic: str, said: Counter[str], rng: random.Random) -> str:
        pool = self.pools[mood]
        lines = [*pool.get(topic, ()), *pool.get("any", ())] or [line for part in pool.values() for line in part]
        line = min(lines, key=lambda x: (said[x], self.used[x] > 0 and self.used[x], rng.random()))
        said[line] += 1
        self.used[line] += 1
        return line


def script() -> dict[str, Any]:
    """The season's data files, read."""
    folder = files("listener.demo") / "season"
    names = ("brand", "people", "pools", "crowd")
    return {name: tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")) for name in names}


def compose(ends_on: date, told: Mapping[str, Any] | None = None) -> Season:
    """The whole season, the same for the same day: only the days move with ``ends_on``, never the words."""
    told = told or script()
    words = _Words(told["pools"])
    lines = list(_official_lines(told, ends_on))
    strangers = list(_crowd_lines(told, words, ends_on))
    talked_of = [line for line in strangers if line.platform == WEIBO]
    official = list(lines)
    for koc in told["people"]["koc"]:
        lines += _koc_lines(koc, words, ends_on, official, talked_of)
    lines += strangers
    lines += _comment_lines(told, words, lines)
    return Season(
        brand=brand_of(told["brand"]),
        people=tuple(_person_of(koc, ends_on) for koc in told["people"]["koc"]),
        items=tuple(_items_of(lines)),
        ends_on=ends_on,
    )


def brand_of(told: Mapping[str, Any]) -> Brand:
    """The brand as `listener.toml` will hold it."""
    rivals = tuple(Rival(r["name"], tuple(r.get("aliases", ())), tuple(r.get("products", ()))) for r in told["rivals"])
    names = ("aliases", "products", "nicknames", "emoji", "categories", "claims")
    return Brand(told["name"], rivals=rivals, accounts=((WEIBO, OFFICIAL[0]),), **{n: tuple(told[n]) for n in names})


def spoken(line: str, rng: random.Random, calls: Mapping[str, str] | None = None) -> str:
    """One way to say a line: each ``[a|b]`` decided, ``{p}`` and ``{b}`` filled in.

    >>> spoken("{p}[真好|很好]用[微笑]", random.Random(1), {"p": "小灶锅"})
    '小灶锅真好用[微笑]'
    """
    text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), line)
    for slot, word in (calls or {}).items():
        text = text.replace("{" + slot + "}", word)
    return text


# --------------------------------------------------------------------------------------------------------- people


def _person_of(koc: Mapping[str, Any], ends_on: date) -> Person:
    at = {key: _moment(ends_on, koc[key] + 1, 0, 0) if key in koc else None for key in ("turned", "healed")}
    return Person(
        koc_id=koc["id"],
        name=koc["name"],
        owner=koc["owner"],
        tier=koc["tier"],
        note=koc.get("note", ""),
        accounts=tuple((platform, account) for platform, account in koc["accounts"]),
        truth=Truth(
            koc["scenario"], at["turned"], at["healed"], None if koc.get("alert") == "either" else bool(koc.get("alert"))
        ),
    )


def _koc_lines(
    koc: Mapping[str, Any], words: _Words, ends_on: date, official: Sequence[_Line], talked_of: Sequence[_Line]
) -> Iterator[_Line]:
    """All posts of one KOC, phase by phase; a phase's moods are mixed, a mood's own lines keep their order."""
    rng = _rng(koc["id"])
    own = {mood: list(lines) for mood, lines in koc.get("own", {}).items()}
    said: Counter[str] = Counter()
    for first, last, n, weights in koc["phases"]:
        moods = _mixed(weights, n, rng)
        for mood, at in zip(moods, _moments(first, last, n, ends_on, rng), strict=True):
            platform, account = rng.choice(koc["accounts"]) if platform_free(mood) else koc["accounts"][0]
            line = _Line(at, platform, account, koc["name"], "")
            if mood == "image":
                yield replace(line, text="分享图片", media=(ItemMedia("image", f"https://img.example/{koc['id']}/{n}.jpg"),))
                continue
            if mood == "comment_favor":
                parents = [post for post in official if post.at < at]
                if not parents:
                    mood = "favor"
                else:
                    line.kind, line.parent = "comment", parents[-1]
            if mood.startswith("repost"):
                line.kind, line.parent = "repost", _before(talked_of, at, rng)
            line.text = _says(koc, mood, own, words, said, rng)
            if mood == "long":
                line.weight = 400
            yield line


def platform_free(mood: str) -> bool:
    """Whether a mood can be posted on any of a person's platforms (a comment or a repost stays where it answers).

    >>> platform_free("favor"), platform_free("repost_bare")
    (True, False)
    """
    return not mood.startswith(("comment", "repost"))


def _says(
    koc: Mapping[str, Any],
    mood: str,
    own: dict[str, list[str]],
    words: _Words,
    said: Counter[str],
    rng: random.Random,
) -> str:
    """The words of one post: an own line if there is one left, else a shared one in this person's voice."""
    if mood == "repost_bare":
        return "转发微博"
    if mood == "burst":
        return str(own["burst"][0])
    if own.get(mood):
        return str(own[mood].pop(0))
    for _ in range(20):
        topic = rng.choice(koc["products"])
        calls = {"p": rng.choice(koc["calls"][topic]), "b": rng.choice(koc["calls"]["b"])}
        text = spoken(words.pick(mood.removeprefix("nameless_").removesuffix("_back"), topic, said, rng), rng, calls)
        if not said[text]:
            break
    said[text] += 1
    return text + _tail(koc, mood, rng)


def _tail(koc: Mapping[str, Any], mood: str, rng: random.Random) -> str:
    """What this person likes to end with: angry ones on angry posts, no words behind what is not about the brand."""
    angry = mood in ("against", "grumpy", "rival_bash")
    tails = koc.get("angry_tails", []) if angry else koc["tails"]
    if mood == "life":
        tails = [tail for tail in tails if not _HAN.search(tail) or tail.startswith("[")]
    return rng.choice(tails) if tails and rng.random() < 0.6 else ""


# ---------------------------------------------------------------------------------------------------------- crowd


def _official_lines(told: Mapping[str, Any], ends_on: date) -> Iterator[_Line]:
    rng = _rng("official")
    lines = told["pools"]["official"]["any"]
    for text, at in zip(lines, _moments(DAYS - 4, 5, len(lines), ends_on, rng), strict=True):
        yield _Line(at, WEIBO, *OFFICIAL, text, weight=40)


def _crowd_lines(told: Mapping[str, Any], words: _Words, ends_on: date) -> Iterator[_Line]:
    crowd, rng = told["crowd"], _rng("crowd")
    names = _names(crowd, rng)
    for source in crowd["sources"]:
        platform = source["platform"]
        moods = [mood for mood, n in source["moods"].items() for _ in range(n)]
        rng.shuffle(moods)
        pool = "group" if platform == GROUP else "stranger"
        said: Counter[str] = Counter()
        for mood, at in zip(moods, _moments(DAYS - 1, 1, len(moods), ends_on, rng), strict=True):
            author, name = next(names)
            line = words_line(told["pools"][pool][mood], said, rng)
            tail = rng.choice(crowd["tails"]) if mood != "spam" else ""
            yield _Line(at, platform, _author_id(platform, author), name, spoken(line, rng) + tail)


def words_line(lines: Sequence[str], said: Counter[str], rng: random.Random) -> str:
    """One of the least used lines."""
    line = min(lines, key=lambda x: (said[x], rng.random()))
    said[line] += 1
    return line


def _comment_lines(told: Mapping[str, Any], words: _Words, lines: Sequence[_Line]) -> Iterator[_Line]:
    """What strangers write under the brand's posts, and under the long complaint."""
    crowd, rng = told["crowd"], _rng("comments")
    names = _names(crowd, rng)
    official = [line for line in lines if line.author_id == OFFICIAL[0]]
    moods = [mood for mood, n in crowd["comments"]["moods"].items() for _ in range(n)]
    rng.shuffle(moods)
    said: Counter[str] = Counter()
    for mood in moods:
        parent = rng.choice(official)
        author, name = next(names)
        text = spoken(words_line(told["pools"][f"comment_{mood}"]["any"], said, rng), rng)
        at = parent.at + timedelta(minutes=rng.randint(2, 60 * 30))
        yield _Line(at, WEIBO, _author_id(WEIBO, author), name, text, "comment", parent)
    for parent in [line for line in lines if line.weight == 400]:
        for text in crowd["comments"]["under_long"]:
            author, name = next(names)
            at = parent.at + timedelta(minutes=rng.randint(5, 60 * 20))
            yield _Line(at, WEIBO, _author_id(WEIBO, author), name, text, "comment", parent)


def _names(crowd: Mapping[str, Any], rng: random.Random) -> Iterator[tuple[int, str]]:
    """Numbers and nicknames of strangers; one in three comes back later."""
    known: list[tuple[int, str]] = []
    while True:
        if known and rng.random() < 0.33:
            yield rng.choice(known)
            continue
        name = rng.choice(crowd["first"]) + rng.choice(crowd["second"]) + rng.choice(crowd["marks"])
        known.append((len(known) + rng.randrange(3) * 1000, name))
        yield known[-1]


def _author_id(platform: str, number: int) -> str:
    return f"98{number:08d}" if platform == WEIBO else f"u{number:05d}"


# ----------------------------------------------------------------------------------------------------------- time


def _rng(name: str) -> random.Random:
    """A stream of its own for each person, so that a new line of one moves nothing of another."""
    return random.Random(hashlib.sha256(name.encode()).digest())  # noqa: S311 (a story, not a secret)


def _moment(ends_on: date, days: int, hour: int, minute: int) -> datetime:
    return datetime(ends_on.year, ends_on.month, ends_on.day, hour, minute, tzinfo=ZONE) - timedelta(days=days)


def _moments(first: int, last: int, n: int, ends_on: date, rng: random.Random) -> list[datetime]:
    """``n`` times from ``first`` to ``last`` days before the end, evenly with some disorder, in order."""
    step = (first - last + 1) / n
    found = []
    for i in range(n):
        day = first - int((i + rng.random() * 0.9) * step)
        found.append(_moment(ends_on, max(day, last), rng.choice(_HOURS), rng.randrange(60)))
    return sorted(found)


def _mixed(weights: Mapping[str, int], n: int, rng: random.Random) -> list[str]:
    """``n`` moods in the proportion of their weights (largest remainders), each spread over the whole stretch.

    >>> sorted(_mixed({"favor": 3, "life": 1}, 4, random.Random(0)))
    ['favor', 'favor', 'favor', 'life']
    """
    total = sum(weights.values())
    shares = {mood: n * weight / total for mood, weight in weights.items()}
    counts = {mood: int(share) for mood, share in shares.items()}
    for mood in sorted(shares, key=lambda m: counts[m] - shares[m])[: n - sum(counts.values())]:
        counts[mood] += 1
    places = [((i + rng.random()) / count, mood) for mood, count in counts.items() for i in range(count)]
    return [mood for _, mood in sorted(places)]


def _before(lines: Sequence[_Line], at: datetime, rng: random.Random) -> _Line:
    earlier = [line for line in lines if line.at < at]
    return rng.choice(earlier[-12:])


# ---------------------------------------------------------------------------------------------------------- items


def _items_of(lines: Iterable[_Line]) -> Iterator[Item]:
    """The lines as items, ordered by time, ids in that order (so that an id says nothing of the calendar)."""
    ordered = sorted(lines, key=lambda line: (line.at, line.platform, line.author_id, line.text))
    ids = {id(line): str(5_100_000_000_000_000 + 7_919 * i) for i, line in enumerate(ordered)}
    answers = Counter(id(line.parent) for line in ordered if line.kind == "comment")
    rng = _rng("counts")
    for line in ordered:
        parent = ids[id(line.parent)] if line.parent is not None else None
        likes = int(min(rng.paretovariate(1.1), 60) * line.weight)
        yield Item(
            platform=line.platform,
            post_id=ids[id(line)],
            author_id=line.author_id,
            author_name=line.author,
            posted_at=line.at,
            text=line.text,
            url="",
            kind=line.kind,
            parent_id=parent,
            root_id=parent,
            likes=likes,
            comments=None if line.kind == "comment" else answers[id(line)],
            reposts=None if line.kind == "comment" else likes // 11,
            media=line.media,
        )
