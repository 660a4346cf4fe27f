"""Public posts of strangers → who speaks for the brand in an own voice, scored by parts that add up and can be read. Pure.

No model decides: each part is one thing that a person can check in the posts. What looks like a script, a copy or an ad takes
points away; criticism that helps gives some. It is a list to read, nobody becomes a KOC by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TypeAlias

from listener.relations.copies import LEAST, Script, letters_of, novelties, scripts_of
from storage.records import Brand, PostKey
from storage.roster_records import Author, Said

# What each part can give, or take, in points. Positive ones sum up to 100.
STANCE, VOICE, NOVELTY, STEADY, ENGAGEMENT, FIT, CONSTRUCTIVE = 25.0, 20.0, 15.0, 15.0, 10.0, 10.0, 5.0
COPIED, SCRIPTED, PHRASES, PAID, BURST = -40.0, -40.0, -40.0, -50.0, -15.0

FULL_STANCE = 0.6  # mean stance that earns all points
LONG = 40  # letters of a text that says something
MANY, LASTING = 12, 180  # mentions and days that earn all points of steadiness
USUAL_PHRASES = 0.25  # of the posts: phrases that many use are not a script's yet
PACKED = 7  # days: who wrote all in so few came for a campaign
MOST_LINKS = 5
# Words of who was asked to write, or wants others to buy at once, beside the cue `incentivized`.
_AD = re.compile(
    r"#?(?:广告|推广|合作款|商务合作)#?|品牌方?.{0,4}(?:寄|送|邀请|合作|提供)|(?:感谢|谢谢).{0,12}(?:寄|赠|送|邀请|提供)|试用装|体验官|测评官|种草官|免费领"
    r"|优惠码|折扣码|口令|暗号|到手价|领(?:大?额)?券|券后|戳(?:我|链接|下方)|点(?:击)?(?:下方|左下角|主页|链接)|左下角|橱窗|购物车|直播间|小黄车"
    r"|评论区.{0,6}(?:链接|有|自取|见)|私信(?:我|发|领)|同款链接|闭眼(?:入|冲|买)|赶紧(?:冲|入|下单)|速(?:冲|入)|冲(?:鸭|呀|就对了)|手慢无|囤起来|限时|姐妹们?(?:冲|快)"
)

Code: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score. code: of `PARTS`; points: what it gives or takes; value: what was measured, for the words."""

    code: Code
    points: float
    value: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stranger who speaks for the brand. score: the sum of the parts' points. mentions: that were read; links: of posts to
    look at, the most telling first. is_nominated: a person has named this one, with a reason."""

    author_key: str
    platform: str
    brand: str
    score: float
    parts: tuple[Part, ...]
    mentions: int
    first_at: datetime
    last_at: datetime
    links: tuple[tuple[PostKey, str], ...]
    is_nominated: bool = False

    @property
    def key(self) -> str:
        """What the candidate is called: the first letters of the author's key."""
        return self.author_key[:12]


def candidates_of(
    authors: Sequence[Author], brand: Brand, copied: Mapping[str, set[int]], nominated: frozenset[str] = frozenset()
) -> list[Candidate]:
    """The candidates among these authors, the best first; who is not for the brand, in the mean, is none.

    copied: author → rows of posts that somebody else wrote nearly word by word (see `listener.relations.copies.near_copies`).
    """
    names = sorted({brand.name, *brand.aliases, *brand.products, *brand.nicknames}, key=len, reverse=True)
    letters = {said.row: letters_of(said.text, names) for one in authors for said in one.posts if said.is_mention}
    scripts = scripts_of({one.author_key: [letters[s.row] for s in one.posts if s.is_mention] for one in authors})
    news, usual = novelties(authors, letters), _usual_by_platform(authors)
    found = []
    for one in authors:
        spoken = [said for said in one.posts if said.is_mention]
        if not spoken or sum(said.favor - said.against for said in spoken) <= 0:
            continue
        parts = [
            _stance(spoken),
            _voice(spoken, letters),
            Part("novelty", NOVELTY * min(1.0, news.get(one.author_key, 0.0)), news.get(one.author_key, 0.0)),
            _steady(spoken),
            _engagement(one, spoken, usual.get(one.platform)),
            _fit(spoken, brand),
            _constructive(spoken),
            *_doubts(one, spoken, letters, copied.get(one.author_key, set()), scripts[one.author_key]),
        ]
        rounded = tuple(Part(part.code, round(part.points, 1), round(part.value, 3)) for part in parts if part.code)
        found.append(
            Candidate(
                one.author_key,
                one.platform,
                brand.name,
                round(math.fsum(part.points for part in rounded), 1),
                rounded,
                len(spoken),
                min(said.posted_at for said in spoken),
                max(said.posted_at for said in spoken),
                _links(spoken, letters),
                one.author_key in nominated,
            )
        )
    return sorted(found, key=lambda one: (-one.score, one.author_key))


def _stance(spoken: Sequence[Said]) -> Part:
    """The mean stance, shrunk by four posts of none: few posts say little."""
    mean = sum(said.favor - said.against for said in spoken) / (len(spoken) + 4)
    return Part("stance", STANCE * min(1.0, max(0.0, mean / FULL_STANCE)), mean)


def _voice(spoken: Sequence[Said], letters: Mapping[int, str]) -> Part:
    """How much is said in a text: the middle length of the texts, in letters."""
    length = median(len(letters[said.row]) for said in spoken)
    return Part("voice", VOICE * min(1.0, length / LONG), length)


def _steady(spoken: Sequence[Said]) -> Part:
    """How many mentions over how long."""
    days = (max(said.posted_at for said in spoken) - min(said.posted_at for said in spoken)).total_seconds() / 86400
    share = math.sqrt(min(1.0, len(spoken) / MANY) * min(1.0, days / LASTING))
    return Part("steady", STEADY * share, days)


def _usual_by_platform(authors: Iterable[Author]) -> dict[str, float]:
    """The middle engagement of a post on each platform, as a logarithm; platforms that show none are left out."""
    shown: dict[str, list[float]] = {}
    for one in authors:
        shown.setdefault(one.platform, []).extend(math.log1p(s.engagement) for s in one.posts if s.engagement is not None)
    return {platform: median(every) for platform, every in shown.items() if every}


def _engagement(one: Author, spoken: Sequence[Said], usual: float | None) -> Part:
    """How many times the usual engagement the mentions get: of the author's other posts where there are five, else of the
    platform. The usual earns half of the points, eight times as much all."""
    shown = [math.log1p(said.engagement) for said in spoken if said.engagement is not None]
    others = [math.log1p(said.engagement) for said in one.posts if not said.is_mention and said.engagement is not None]
    base = median(others) if len(others) >= 5 else usual
    if not shown or base is None:
        return Part("engagement", ENGAGEMENT / 2, 1.0)
    times = math.exp(median(shown) - base)
    return Part("engagement", ENGAGEMENT * min(1.0, max(0.0, 0.5 + math.log(times) / math.log(64))), times)


def _fit(spoken: Sequence[Said], brand: Brand) -> Part:
    """How many of the mentions name the category, a product or what the brand promises; half the points where none is set."""
    words = [word.lower() for word in (*brand.categories, *brand.claims, *brand.products) if word]
    if not words:
        return Part("fit", FIT / 2, 0.0)
    share = sum(any(word in said.text.lower() for word in words) for said in spoken) / len(spoken)
    return Part("fit", FIT * share, share)


def _constructive(spoken: Sequence[Said]) -> Part:
    """Criticism that helps: two such posts, or a fifth of them, earn all points."""
    count = sum(said.constructive for said in spoken)
    return Part("constructive", CONSTRUCTIVE * min(1.0, count / max(1.0, min(2.0, len(spoken) / 5))), count)


def _doubts(one: Author, spoken: Sequence[Said], letters: Mapping[int, str], copied: set[int], script: Script) -> list[Part]:
    """What speaks against an own voice; parts that take nothing are left out."""
    telling = [said for said in spoken if len(letters[said.row]) >= LEAST]
    copies = sum(said.row in copied for said in telling) / len(spoken)
    paid = sum("incentivized" in said.cues or _AD.search(said.text) is not None for said in spoken) / len(spoken)
    days = (max(said.posted_at for said in spoken) - min(said.posted_at for said in spoken)).total_seconds() / 86400
    doubts = [
        Part("copied", COPIED * copies, copies),
        Part("scripted", SCRIPTED * min(1.0, script.letters * 1.5), script.letters),
        Part("phrases", PHRASES * max(0.0, script.posts - USUAL_PHRASES) / (1 - USUAL_PHRASES), script.posts),
        Part("paid", PAID * min(1.0, paid * 1.5), paid),
        Part("burst", BURST * max(0.0, 1 - days / PACKED), days),
    ]
    return [part for part in doubts if part.points]


def _links(spoken: Sequence[Said], letters: Mapping[int, str]) -> tuple[tuple[PostKey, str], ...]:
    """The posts to look at: the longest that are for the brand, and one that is criticism, if there is one."""
    told = sorted(spoken, key=lambda said: (-len(letters[said.row]), said.key))
    favorable = [said for said in told if said.favor >= said.against]
    against = [said for said in told if said.against > said.favor][:1]
    chosen = [*favorable[: MOST_LINKS - len(against)], *against]
    return tuple((said.key, said.url) for said in chosen)
