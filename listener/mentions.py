"""Post → Mention: which brands it speaks of, how that is known, what to ask the scorer. Pure.

A post speaks of a brand when its words (or the words in its pictures) name it; where they name no brand at all, when it
stands in a source declared to be about the brand, or answers a post that speaks of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias
from unicodedata import is_normalized, normalize

import opencc

from nlp.results import Request, Score, Target
from storage.records import Brand, CueHit, Mention, ParentPost, Rival, StalePost, Via

RULES = 1  # raise it when the rules below change: every post's mentions are then made again

MEDIA_ONLY = "media-only"
OWN_ACCOUNT = "own-account"
SOMEBODY = "@~0000000000"  # what the scorer sees for the @name of a person: the same in every workspace

_TOKEN = re.compile(r"@~[0-9a-f]{10}")
_CHAIN = re.compile(r"//\s*@")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+|[a-z0-9._%+-]+@[a-z0-9.-]+", re.IGNORECASE)  # of the web, or e-mail
# What platforms write by themselves when somebody posts a picture, a video or an article without a word.
_PLACEHOLDER = re.compile(
    r"(?:我?(?:分享|发布|发表|上传)了?(?:图片|照片|视频|头条文章|文章|笔记|动态)|\S{0,20}的(?:微博|秒拍|快手|抖音|哔哩哔哩)视频"
    r"|[\[【](?:图片|照片|视频)[\]】]|查看图片|网页链接|[\s。.…,，!！~～])*"
)
_BARE = re.compile(r"(?:转发微博|轉發微博|转发|快转微博|repost|转|\W)*", re.IGNORECASE)
_AT_SUFFIXES = ("", "官方", "官方微博", "官方账号", "官方旗舰店", "旗舰店", "客服", "官方客服", "中国")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One mention to make: what to ask the scorer and what is known already. unscored: why its score may not count."""

    request: Request
    brand: str
    target: str
    is_rival: bool
    via: Via
    unscored: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a name stands for: one of our brands, or ``rival``, a rival of it."""

    brand: str
    rival: str | None = None


class Finder:
    """The names of all brands, compiled once; made by `finder_of`.

    about: source name → brand it is declared to be about. unmask: token of an @name (`normalize.at_token`) → the name,
    for the brands' own names (`at_names_of`). own_accounts: author key → brand whose own account it is: what is posted
    under it is about the brand; what it posts itself is kept and counts as nobody's opinion.
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        about: Mapping[str, str],
        unmask: Mapping[str, str],
        own_accounts: Mapping[str, str],
    ) -> None:
        ours = {brand.name for brand in brands}
        self._about = {source: brand for source, brand in about.items() if brand in ours}
        self._own_accounts = {author: brand for author, brand in own_accounts.items() if brand in ours}
        self._unmask = dict(unmask)
        owners: dict[str, set[Owner]] = {}
        for owner, words in _words_by_owner(brands):
            for word in words:
                owners.setdefault(_squeeze(fold(word)), set()).add(owner)
        owners.pop("", None)
        self._owners = {name: frozenset(who) for name, who in owners.items()}
        self._pattern = _pattern_of(fold(word) for _, words in _words_by_owner(brands) for word in words)
        self._targets = {owner: (target, others) for owner, target, others in _targets_of(brands)}
        self._rank = {owner: rank for rank, owner in enumerate(self._targets)}
        self._spoken_of = lru_cache(maxsize=8192)(self._parent_speaks_of)

    def requests_of(self, post: StalePost) -> list[Wanted]:
        """One for each of our brands the post speaks of, then one for each of its rivals that the post names."""
        text, media_text, unscored = _readable(post)
        if post.author_key in self._own_accounts:
            unscored = OWN_ACCOUNT
        own, chain = _split(text)
        said = self.named_in(own)
        shown = said | self.named_in(media_text) if media_text else said
        if shown:
            found: Mapping[Owner, Via] = dict.fromkeys(shown, "named")
        else:
            found = self._inherited(post, chain)
        if not found:
            return []
        read = self.named_in(chain) if chain and _BARE.fullmatch(own) else said  # the scorer reads what a bare repost quotes
        text = _TOKEN.sub(lambda m: "@" + self._unmask[m[0]] if m[0] in self._unmask else SOMEBODY, text)
        return [
            Wanted(
                Request(text, *self._targets[owner], inherited=owner not in read),
                owner.brand,
                owner.rival or owner.brand,
                owner.rival is not None,
                found[owner],
                unscored,
            )
            for owner in sorted(found, key=self._rank.__getitem__)
        ]

    def named_in(self, text: str) -> frozenset[Owner]:
        """Everyone a text names; the longest name wins where several begin at the same place."""
        if self._pattern is None or not text:
            return frozenset()
        if "@~" in text:
            text = _TOKEN.sub(lambda m: f"@{self._unmask.get(m[0], '')} ", text)
        if "://" in text or "www." in text or "@" in text:
            text = _ADDRESS.sub(" ", text)
        text = fold(text)
        found: set[Owner] = set()
        at = 0
        while match := self._pattern.search(text, at):
            if _is_inside_word(text, match.start()):
                at = match.start() + 1
                continue
            found |= self._owners[_squeeze(match[0])]
            at = match.end()
        return frozenset(found)

    def _inherited(self, post: StalePost, chain: str) -> dict[Owner, Via]:
        """Our brands that a post which names none speaks of: by its sources, else by what it answers, nearest first."""
        about = {self._about[s] for s in post.sources if s in self._about}
        if about:
            return {Owner(brand): "source" for brand in about}
        quoted = self.named_in(chain)
        if quoted:
            return {owner: "parent" for owner in quoted if owner.rival is None}
        for parent in post.parents:
            spoken_of = self._spoken_of(parent)
            if spoken_of is not None:
                return dict.fromkeys(spoken_of, "parent")
        return {}

    def _parent_speaks_of(self, parent: ParentPost) -> frozenset[Owner] | None:
        """Which of our brands a parent speaks of directly; None when it speaks of no brand, so that the root may."""
        own = self._own_accounts.get(parent.author_key)
        if own is not None:
            return frozenset({Owner(own)})
        named = self.named_in(_split(parent.text)[0])
        if named:
            return frozenset(owner for owner in named if owner.rival is None)
        told = [*parent.brands, *(self._about[s] for s in parent.sources if s in self._about)]
        return frozenset(owner for owner in map(Owner, told) if owner in self._targets) or None


_Pairs: TypeAlias = frozenset[tuple[str, str]]


@lru_cache(maxsize=8)
def _finder_of(brands: tuple[Brand, ...], about: _Pairs, unmask: _Pairs, own_accounts: _Pairs) -> Finder:
    return Finder(brands, dict(about), dict(unmask), dict(own_accounts))


def finder_of(
    brands: Sequence[Brand],
    about: Mapping[str, str],
    unmask: Mapping[str, str],
    own_accounts: Mapping[str, str] | None = None,
) -> Finder:
    """The finder of a set of brands, made once for the same set.

    >>> finder = finder_of([Brand("星澜", rivals=(Rival("墨羽"),))], {}, {})
    >>> sorted(owner.rival or owner.brand for owner in finder.named_in("從星瀾換到墨羽"))
    ['墨羽', '星澜']
    """
    return _finder_of(
        tuple(brands), frozenset(about.items()), frozenset(unmask.items()), frozenset((own_accounts or {}).items())
    )


def requests_of(
    post: StalePost,
    brands: Sequence[Brand],
    about: Mapping[str, str],
    unmask: Mapping[str, str],
    own_accounts: Mapping[str, str] | None = None,
) -> list[Wanted]:
    """What to ask the scorer about a post; for many posts, keep the `finder_of` the brands and ask it."""
    return finder_of(brands, about, unmask, own_accounts).requests_of(post)


def mention_of(post: StalePost, wanted: Wanted, score: Score) -> Mention:
    """The mention, complete, from what was wanted and the scorer's answer to it."""
    if score.stance is None:
        raise ValueError(f"a score without a stance for {post.key}: the request had a target")
    return Mention(
        key=post.key,
        brand=wanted.brand,
        target=wanted.target,
        is_rival=wanted.is_rival,
        via=wanted.via,
        neg=score.neg,
        neu=score.neu,
        pos=score.pos,
        favor=score.stance.favor,
        against=score.stance.against,
        none=score.stance.none,
        cues=tuple(CueHit(cue.code, cue.words) for cue in score.cues),
        constructive=score.constructive,
        own_words=score.own_words,
        unscored=wanted.unscored or score.unscored,
        fingerprint=score.fingerprint,
        model=score.model,
        causes=score.causes,
    )


def brands_fingerprint(brands: Sequence[Brand], about: Mapping[str, str]) -> str:
    """Changes when mentions would: with a name, a rival, a source's brand, or these rules. The order does not matter.

    >>> brands_fingerprint([Brand("星澜")], {}) == brands_fingerprint([Brand("星澜", claims=("无硅油",))], {})
    True
    """
    names = [
        [b.name, sorted(words_of(b)), sorted([r.name, *sorted(words_of(r))] for r in b.rivals), sorted(b.accounts)]
        for b in brands
    ]
    told = json.dumps([RULES, sorted(names), sorted(about.items())], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def words_of(brand: Brand | Rival) -> tuple[str, ...]:
    """Every word that stands for a brand, its name first.

    >>> words_of(Brand("星澜", products=("星澜精油",), nicknames=("澜澜",)))
    ('星澜', '星澜精油', '澜澜')
    """
    words = (brand.name, *brand.aliases, *brand.products)
    if isinstance(brand, Brand):
        words = (*words, *brand.nicknames, *brand.homophones, *brand.emoji)
    return tuple(dict.fromkeys(w for w in map(str.strip, words) if w))


def at_names_of(brand: Brand | Rival) -> tuple[str, ...]:
    """The @names a brand is spoken to by: its names, and those with what official accounts put behind them.

    >>> at_names_of(Brand("星澜"))[:3]
    ('星澜', '星澜官方', '星澜官方微博')
    """
    names = (brand.name, *brand.aliases)
    return tuple(dict.fromkeys(name + suffix for name in names for suffix in _AT_SUFFIXES))


def fold(text: str) -> str:
    """The text as names are compared: width, case, traditional characters and invisible marks do not matter.

    >>> fold("ＬＡ\\u200b-星瀾")
    'la-星澜'
    """
    if not is_normalized("NFC", text):
        text = normalize("NFC", text)
    return text.translate(_folds())


# Letters, signs and kana, Latin extensions, compatibility and full-width forms, letters of mathematics, enclosed letters.
_FOLDED = ((0x41, 0x33FF), (0xA000, 0xABFF), (0xF900, 0xFFFF), (0x10400, 0x104FF), (0x1D400, 0x1D7FF), (0x1F100, 0x1F2FF))


@lru_cache(maxsize=1)
def _folds() -> dict[int, str]:
    """Code point → what it is folded to, character by character, so that a name folds the same in every context."""
    to_simplified = opencc.OpenCC("t2s")
    han = [chr(i) for first, last in ((0x3400, 0x9FFF), (0x20000, 0x2A6DF)) for i in range(first, last + 1)]
    simplified = to_simplified.convert("\n".join(han)).split("\n")
    folds = {ord(a): b for a, b in zip(han, simplified, strict=True) if a != b}
    for first, last in _FOLDED:
        for i in range(first, last + 1):
            folded = normalize("NFKC", normalize("NFKC", chr(i)).casefold())
            if folded != chr(i):
                folds[i] = "".join(folds.get(ord(c), c) for c in folded)
    return folds | dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFE0E, 0xFE0F, 0xFEFF), "")


# --------------------------------------------------------------------------------------------------- what is read


def _readable(post: StalePost) -> tuple[str, str, str | None]:
    """(text to score, other text of its media that may name a brand, why it can't be scored)."""
    if not post.media:
        return post.text, "", None
    media_text = "\n".join(t for m in post.media for t in (m.caption, m.text) if t)
    if not _PLACEHOLDER.fullmatch(_ADDRESS.sub("", post.text)):
        return post.text, media_text, None
    if media_text:
        return media_text, "", None
    return "", "", MEDIA_ONLY


def _split(text: str) -> tuple[str, str]:
    """(own words, the chain of what is reposted: ``//@name:…``).

    >>> _split("再也不买 //@~0123456789:星澜好用")
    ('再也不买 ', '//@~0123456789:星澜好用')
    """
    if "//" not in text or (match := _CHAIN.search(text)) is None:
        return text, ""
    return text[: match.start()], text[match.start() :]


# --------------------------------------------------------------------------------------------- names as a pattern

_JOINT = r"[\s_\-.·・'’]*"  # "Coca-Cola", "coca cola" and "cocacola" are one name
_JOINTS = re.compile(r"[\s_\-.·・'’]+")
_LETTER = r"[^\W\d_\u0e00-\U0010ffff]"  # of an alphabet (Latin, Greek, Cyrillic …), where words have borders
_Trie: TypeAlias = dict[str, "_Trie"]


def _squeeze(name: str) -> str:
    return _JOINTS.sub("", name)


def _is_inside_word(text: str, at: int) -> bool:
    """Whether a name found at ``at`` is the tail of a longer word ("phone" in "iPhone"); Chinese has no such borders."""
    before, first = text[at - 1 : at], text[at]
    return first < "\u0e00" and first.isalnum() and before < "\u0e00" and before.isalnum()


def _pattern_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all names, as a trie: the longest comes first, and a thousand names cost no more than ten."""
    trie: _Trie = {}
    for name in names:
        node = trie
        parts = [p for p in _JOINTS.split(name) if p]
        for i, part in enumerate(parts):
            for char in part:
                node = node.setdefault(re.escape(char), {})
            if i + 1 < len(parts):
                node = node.setdefault(_JOINT, {})
        if parts:
            node[_end_of(parts[-1][-1])] = {}
    return re.compile(_written(trie)) if trie else None


def _end_of(last: str) -> str:
    """What may not follow a name: a letter after a letter, a digit after a digit ("iPhone15" names the iPhone)."""
    if last >= "\u0e00" or not last.isalnum():
        return ""
    return "(?![0-9])" if last.isdigit() else f"(?!{_LETTER})"


def _written(trie: _Trie) -> str:
    """The trie as a pattern: further letters before a joint, both before the name's end, so that the longest name wins."""
    keys = sorted(trie, key=lambda key: (key == "" or key.startswith("(?!"), key == _JOINT, key))
    ways = [key + _written(trie[key]) for key in keys]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})" if ways else ""


def _words_by_owner(brands: Sequence[Brand]) -> Iterator[tuple[Owner, tuple[str, ...]]]:
    for brand in brands:
        yield Owner(brand.name), words_of(brand)
        for rival in brand.rivals:
            yield Owner(brand.name, rival.name), words_of(rival)


def _targets_of(brands: Sequence[Brand]) -> Iterator[tuple[Owner, Target, tuple[Target, ...]]]:
    """For each whom a mention may be about: the scorer's target, and the other brands that a text may speak of."""
    ours = {brand.name: Target(brand.name, words_of(brand)) for brand in brands}
    for brand in brands:
        rivals = {rival.name: Target(rival.name, words_of(rival)) for rival in brand.rivals}
        every = {**rivals, **ours}
        for owner in (Owner(brand.name), *(Owner(brand.name, name) for name in rivals)):
            name = owner.rival or owner.brand
            target = rivals[name] if owner.rival else ours[name]
            yield owner, target, tuple(other for key, other in every.items() if key != name)
