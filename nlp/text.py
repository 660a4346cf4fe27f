"""Raw texts → readings: own words, brands, tags, links and @names neutralized, so that a name moves no score.

A batch is cleaned as one string (posts parted by NUL), because a regular expression costs far more to start than to run.
No expression here can match across a NUL, so a post reads the same alone and in a batch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nlp.results import Target

TARGET = "\ue000"  # stands for the target's names in a cleaned text
RIVAL = "\ue001"  # stands for the names of the other brands
NAME = "\ue002"  # stands for a brand's name that is neither (the words given to the engine)
_TAGGED_TARGET, _TAGGED_RIVAL = "\ue003", "\ue004"
PLACEHOLDERS = TARGET + RIVAL + NAME

# Control characters, lone surrogates, private use, zero-width and direction marks: nothing a reader sees.
_UNSEEN = re.compile(
    "[\x01-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\ufff0-\uffff]"
)
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＃＠／]")
_NARROWER = 0xFEE0  # from a wide character to its narrow one
_LINK = re.compile(r"(?:https?:/{1,2}|www\.)[^\s\x00\u3000-\uffef]+|\{%[^%\x00]{0,40}%\}")
_CHAIN = re.compile(r"/{1,2}\s?@(?=\S)")
_REPLY_TO = re.compile(  # what stands before is asked behind the word, since a search for a word is fast
    r"(?:回[复覆](?<![^\s\x00:：\ue000-\ue004]..)|reply(?<![^\s\x00:：\ue000-\ue004].....))\s?@[^\s\x00:：]{1,32}\s?[:：]"
)
_TAG = re.compile(r"#([^#\x00\n]{1,48})#(?:\[超话\])?|#([^\s#\x00,，。!！?？:：;；]{1,24})(?:\[话题\]#|(?=[\s\x00]))")
_AT = re.compile(
    r"@(~[0-9a-f]{10}|["
    + PLACEHOLDERS
    + r"](?=[\s:：])|[\w\-·"
    + PLACEHOLDERS
    + r"]{1,32})(?:[:：]|(?<=["
    + PLACEHOLDERS
    + r"]) )?"
)
_SPACE = re.compile(r"[^\S\x00]+")
_EDGE = re.compile(
    r"\x00(?:[\s:：,，.。、]+(?:[" + PLACEHOLDERS + r"]+[\s:：,，.。]+)*|(?:[" + PLACEHOLDERS + r"]+[\s:：,，.。]+)+)"
    r"|\s[" + PLACEHOLDERS + r"\s]*(?=\x00)"  # as one set: nested repeats would take hours for a wall of names
)
_BARE_NAME = re.compile("[#@]([" + TARGET + RIVAL + r"])(?:\[超话\])?[#:：\s]*(?:\[(?:超话|话题)\]#?)?$")
_PLACEHOLDERS = re.compile("[\ue000-\ue004]")
_BARE = re.compile(r"^(?:转发微博|轉發微博|转发|快转微博|repost|转|分享|分享图片|分享视频|图片评论|\W)*$")
_BARE_BEGINS = tuple("转轉快r分图")
_ALIGNED = 300_000  # pairs of like characters, up to which names are looked for one by one: it takes a second
_BEGINS = 400  # characters of a text that tell its language
_HAN = re.compile("[\u3400-\u9fff]")
_KANA_HANGUL = re.compile("[\u3040-\u30fa\u3130-\u318f\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
_WORDS = re.compile("[\u3400-\u9fff]|\\[[a-z]{1,8}\\]|[\u2600-\u27bf\U0001f000-\U0001faff]")
_FACE = re.compile("\\[[\u3400-\u9fffa-z]{1,8}\\]|[\u2600-\u27bf\U0001f000-\U0001faff]")


_Names = tuple[re.Pattern[str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Readings:
    """A batch, cleaned.

    bodies: what is scored, lower case, names as placeholders. own_words: False for a bare repost (then the quoted words
    are the body). tagged_target, tagged_rival: named by a tag, an @name or at an edge of the text only, where the name
    says whom the text is about and nothing of how. unscored: why there is nothing to score, or None.
    """

    bodies: list[str]
    own_words: list[bool]
    tagged_target: list[bool]
    tagged_rival: list[bool]
    unscored: list[str | None]


def read(
    texts: Sequence[str], target: Target | None = None, others: Sequence[Target] = (), names: Sequence[str] = ()
) -> Readings:
    """Clean texts that share a target.

    >>> read(["#星澜# 比墨羽好用多了 http://t.cn/x"], Target("星澜", ("星澜",)), (Target("墨羽", ("墨羽",)),)).bodies
    ['比\\ue001好用多了']
    """
    pattern = _names_of(target, tuple(others), tuple(names))
    joined = _named(_tidy(texts), pattern)
    own_words = [True] * len(texts)
    if "@" in joined and _CHAIN.search(joined):
        joined = _own_words_of(joined, own_words)
    joined = _neutral(joined)
    tagged_target, tagged_rival = [False] * len(texts), [False] * len(texts)
    if _TAGGED_TARGET in joined or _TAGGED_RIVAL in joined:
        bodies = joined[1:-1].split("\0")
        tagged_target = [_TAGGED_TARGET in body for body in bodies]
        tagged_rival = [_TAGGED_RIVAL in body for body in bodies]
        joined = _SPACE.sub(" ", joined.replace(_TAGGED_TARGET, " ").replace(_TAGGED_RIVAL, " "))
        joined = _EDGE.sub(_edge, joined)
    bodies = joined[1:-1].split("\0")
    for index, text in enumerate(texts):
        if not bodies[index] and "#" in text:  # a post of tags alone: their words are its words
            bodies[index] = _PLACEHOLDERS.sub(" ", _neutral(_named(_tidy([text.replace("#", " ")]), pattern))[1:-1]).strip()
    return Readings(bodies, own_words, tagged_target, tagged_rival, _reasons(bodies, own_words))


def names_in(
    body: str, text: str, target: Target | None = None, others: Sequence[Target] = (), names: Sequence[str] = ()
) -> list[str]:
    """The name that each placeholder of a cleaned text stands for, in order, spelled as it was given; text: the raw one.

    >>> names_in("\ue001贵，\ue000好用", "墨羽贵，iPhone好用", Target("iPhone", ("iPhone",)), (Target("墨羽", ("墨羽",)),))
    ['墨羽', 'iPhone']
    """
    if (known := _names_of(target, tuple(others), tuple(names))) is None:
        return []
    groups = ((target,) if target else ()), others
    given = [word for group in groups for one in group for word in (one.name, *one.words)]
    spelled = {normal(word): word for word in reversed([*given, *names])}
    tidy = _tidy([text])[1:-1]
    found = [(known[1][name.group()], spelled[name.group()]) for name in known[0].finditer(tidy)]
    at_body = [at for at, sign in enumerate(body) if sign in PLACEHOLDERS]
    if all(len({name for sign, name in found if sign == body[at]}) == 1 for at in at_body):
        one = dict(found)
        return [one[body[at]] for at in at_body]
    return _aligned(body, at_body, _named(tidy, known), found)


def _aligned(body: str, at_body: list[int], named: str, found: list[tuple[str, str]]) -> list[str]:
    """Which of the names found stands where in a body, which lacks those at its edges and in tags."""
    first = dict(reversed(found))
    at_named = [at for at, sign in enumerate(named) if sign in PLACEHOLDERS]
    name_at = dict(zip(at_named, found, strict=True))
    place: dict[int, int] = {}
    there_are = Counter(named)
    if sum(count * there_are[sign] for sign, count in Counter(body).items()) < _ALIGNED:
        for there, here, size in SequenceMatcher(None, named, body, autojunk=False).get_matching_blocks():
            place |= {here + step: there + step for step in range(size)}
    return [name_at[place[at]][1] if at in place else first[body[at]] for at in at_body]


def normal(text: str) -> str:
    """One text as the matching of words sees it: simplified, half-width, lower case, single spaces.

    >>> normal("ＩＰＨＯＮＥ 真  難用")
    'iphone 真 难用'
    """
    return _SPACE.sub(" ", _tidy([text])[1:-1]).strip()


def _tidy(texts: Sequence[str]) -> str:
    joined = "\0".join(("", *texts, ""))
    if joined.count("\0") != len(texts) + 1:
        joined = "\0".join(("", *(text.replace("\0", "") for text in texts), ""))
    joined = _UNSEEN.sub("", joined)
    joined = _WIDE.sub(lambda wide: chr(ord(wide.group()) - _NARROWER), joined)
    if _traditional().search(joined):
        joined = "\0".join(simplified(text) for text in joined.split("\0"))
    return _LINK.sub(" ", joined.lower())


def simplified(text: str) -> str:
    """The text in simplified characters, converted only where a traditional one stands.

    >>> simplified("這個牌子"), simplified("这个牌子")
    ('这个牌子', '这个牌子')
    """
    return _converter()(text) if _traditional().search(text) else text


def _own_words_of(joined: str, own_words: list[bool]) -> str:
    """Keep what stands before the first `//@`; of a bare repost the words quoted."""
    bodies = joined[1:-1].split("\0")
    for index, body in enumerate(bodies):
        if "@" in body and (chain := _CHAIN.search(body)):
            own = body[: chain.start()].rstrip()
            plain = _PLACEHOLDERS.sub("", _AT.sub("", _TAG.sub("", own + " "))).strip()
            if not _WORDS.search(plain) or _BARE.match(plain):
                own_words[index] = False
                own = _CHAIN.sub(" @", body[len(own) :].lstrip())
            bodies[index] = own
    return "\0".join(("", *bodies, ""))


def _named(joined: str, names: _Names | None) -> str:
    """The names as placeholders."""
    if names is None:
        return joined
    pattern, placeholders = names
    return pattern.sub(lambda match: placeholders[match.group()], joined)


def _neutral(joined: str) -> str:
    if "@" in joined:
        joined = _AT.sub(_signpost, _REPLY_TO.sub(" ", joined))
    if "#" in joined:
        joined = _TAG.sub(_signpost, joined)
    joined = joined.replace(TARGET * 2, TARGET).replace(RIVAL * 2, RIVAL)
    return _EDGE.sub(_edge, _without_runs(_SPACE.sub(" ", joined)))


def _without_runs(joined: str) -> str:
    """No character more than three times in a row.

    >>> _without_runs("好好好好好用!!!!")
    '好好好用!!!'
    """
    codes = _codes_of(joined)
    same = codes[1:] == codes[:-1]
    fourth = same[2:] & same[1:-1] & same[:-2] & (codes[3:] != 0)
    if not fourth.any():
        return joined
    kept = np.concatenate([np.ones(3, bool), ~fourth])
    return bytes(codes[kept]).decode("utf-32-le", "surrogatepass")


def _codes_of(joined: str) -> NDArray[np.uint32]:
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)


def _signpost(match: re.Match[str]) -> str:
    """A tag or an @name leaves no words, only whom it names."""
    named = match.group()
    if bare := _BARE_NAME.match(named):
        return bare.group(1)  # where a tag is part of a sentence its name is a name like any other
    return f" {_TAGGED_TARGET} " if TARGET in named else f" {_TAGGED_RIVAL} " if RIVAL in named else " "


def _edge(match: re.Match[str]) -> str:
    """Names and punctuation at an edge of a text say whom it is about, like a tag."""
    edge = match.group()
    sign = _TAGGED_TARGET if TARGET in edge else _TAGGED_RIVAL if RIVAL in edge else ""
    return "\0" + sign if edge[0] == "\0" else sign


def _reasons(bodies: list[str], own_words: list[bool]) -> list[str | None]:
    reasons: list[str | None] = [None] * len(bodies)
    han, foreign = _letters_of(bodies)
    doubtful = (han < 4) | (foreign * 4 > han) | [body.startswith(_BARE_BEGINS) for body in bodies]
    for index in np.flatnonzero(doubtful).tolist():
        body = bodies[index]
        if han[index] < 4 or (own_words[index] and body[0] in _BARE_BEGINS):
            reasons[index] = _reason(body, int(han[index]))
            own_words[index] = own_words[index] and not (reasons[index] == "no-words" and bool(_HAN.search(body)))
        elif foreign[index] * 4 > han[index]:
            reasons[index] = "other-language"
    return reasons


def _letters_of(bodies: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many Chinese characters each text begins with, and how many of Japanese kana and of Korean."""
    codes = _codes_of("\0".join((*bodies, "")))
    ends = np.flatnonzero(codes == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    begins = np.arange(len(codes)) - np.repeat(starts, ends + 1 - starts) < _BEGINS
    han = (codes >= 0x3400) & (codes <= 0x9FFF) & begins
    foreign = (
        ((codes >= 0x3040) & (codes <= 0x30FA))
        | ((codes >= 0x3130) & (codes <= 0x318F))
        | ((codes >= 0xAC00) & (codes <= 0xD7AF))
    )
    return np.add.reduceat(han, starts, dtype=np.int64), np.add.reduceat(foreign & begins, starts, dtype=np.int64)


def _reason(body: str, han: int) -> str | None:
    if not _PLACEHOLDERS.sub("", body).strip():
        return "empty"
    if han:
        if len(_KANA_HANGUL.findall(body, 0, 400)) * 4 > han:
            return "other-language"
        return "no-words" if _BARE.match(body) else None
    if _FACE.search(body):
        return None
    return "other-language" if len(_LETTER.findall(body, 0, 400)) > 1 else "no-words"


@lru_cache(maxsize=4096)
def _names_of(target: Target | None, others: tuple[Target, ...], names: tuple[str, ...]) -> _Names | None:
    """One expression for all names, the longest first; a Latin name must stand alone: no `se` in `sense`."""
    kinds: dict[str, str] = {}
    for group, words in (
        ("t", () if target is None else (target.name, *target.words)),
        ("o", tuple(word for other in others for word in (other.name, *other.words))),
        ("n", names),
    ):
        for word in words:
            if key := normal(word):
                kinds.setdefault(key, group)
    if not kinds:
        return None
    ordered = sorted(kinds, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(_bounded, ordered))), {word: PLACEHOLDERS["ton".index(kinds[word])] for word in ordered}


def _bounded(word: str) -> str:
    escaped = re.escape(word)
    before = r"(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + escaped + after


@lru_cache(maxsize=1)
def _converter():  # type: ignore[no-untyped-def]
    from opencc import OpenCC  # here, since most texts never need it

    return OpenCC("t2s").convert


@lru_cache(maxsize=1)
def _traditional() -> re.Pattern[str]:
    """Every character that OpenCC would change, as one set."""
    han = [chr(code) for code in range(0x3400, 0xA000)]
    changed = [a for a, b in zip(han, _converter()("\n".join(han)).split("\n"), strict=True) if a != b]
    return re.compile(f"[{''.join(changed)}]")
