"""A batch of cleaned texts → the few figures that the heads read: sums of gram weights over the text and its regions.

Weights are whole numbers (fixed point), so a sum is exact and the same whatever the batch or the machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp import grams, wordgrams
from nlp.bayes import Voice
from nlp.relief import LACK, MASK, masked
from nlp.stance import Regions, at_edge, overlaps, regions_of
from nlp.text import RIVAL, TARGET, Readings, normal
from nlp.wordgrams import Words

BITS = 21  # of a gram's bucket in the tone tables
GATE_BITS = 18  # in the table that tells kinds of text apart, of one and two characters
STANCE_BITS = 22  # in the stance tables
UNIT = 1024.0  # fixed point: a weight of 1.0 in the stance tables
FIELDS = 5  # tables of tone in one: general, of posts, of reviews; neutral in general, of posts
FIELD_BITS, STEPS = 12, 32  # of a field, and steps of one in a weight of 1.0: the six grams at a character fill no field
LARGEST = 300  # steps in a weight
SHARES = 256  # parts that the kinds of a text share
TONE_UNIT = float(STEPS * SHARES)  # fixed point: a weight of 1.0 at a character, the kinds weighed
NEAR = np.uint64(0x9D39247E33776D41)  # salt of a gram that stands near a mention of the target
CLAIMED = np.uint64(0x5851F42D4C957F2D)  # salt of a gram of a text whose target is a claim
BEFORE, AFTER = np.uint64(0xE7037ED1A0B428DB), np.uint64(0x8EBC6AF09C88C6E3)  # salts of grams that touch a mention
CLOSE, TOUCH = 1.8, 1.0  # how much more than all others grams near a mention, and those that touch it, count
REACH = 12  # characters from a mention that are near
OWN_LONGEST = 3  # characters in a gram of a single target
OF_WORDS = np.uint64(0x2545F4914F6CDD1D)  # salt of a gram of words where grams of characters lie in the same table
SHORT = 90  # grams, some 25 characters
PHRASE = 6  # characters from which a target's words say what it is
CLAIM = 10  # characters from which a target is a claim, not a name

_LISTS = np.zeros(0x110000, bool)  # what parts the names of a list
_LISTS[[ord(mark) for mark in "、/,，和与及跟|"]] = True

_SEEKS = re.compile(  # begins with characters alone, no class of them: such an expression searches four times as fast
    "求问|请问|想问|问问|问一?下|求(?:推荐|解答?|助|科普|告知|教|个?建议)|蹲一?[个下]|有没有(?:人|姐妹|朋友|大神|宝)|有(?:人|姐妹|谁)(?:知道|用过|买过|试过|懂)|谁(?:知道|用过|买过|懂)"
    "|萌新|怎么选|选哪|哪[款个家](?:好|更)|值得(?:入|买|冲)吗|好用吗|怎么样[?？]|多少钱[?？]|要多久|有懂的|给点?建议|先谢"
    "|不站队|不评价|没立场|不知道真假|没(?:用|试|买|喝|吃|坐|穿|开)过(?![这那比么])|未(?:用|试|买|喝|吃|坐|穿|开)过(?![这那比么])|跟我没关系|无所谓|用啥都行|先观望|还没定|不着急|没[啥什]么?感觉|没(?:什么|啥)区别|吃瓜"
)
_NEWS = re.compile(
    "公布|宣布|起售价|同比|环比|收报|股价|盘[前后]|融资|领投|召回|备案|财报|营收|季度|亿[元美]|万[元辆台]|新增|据悉|快讯|记者|日电|发布会|发布[了中新]|将[于在]|参展|试点|上线|开[业启通]|签署|达成|启动"
)

Columns = dict[str, NDArray[np.float64]]
Ints = NDArray[np.int64]
Found = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Cleaned texts as arrays, denied troubles masked (see relief). raw: code points; codes: folded ones; starts: of each
    text, and the end; chains: see grams.
    """

    readings: Readings
    raw: NDArray[np.uint32]
    codes: NDArray[np.uint32]
    starts: Ints
    chains: list[NDArray[np.uint64]]

    @property
    def size(self) -> int:
        return len(self.readings.bodies)

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The sum over the characters of each text; shape (texts)."""
        running = np.cumsum(values)  # whole numbers, so that differences are exact; faster than to sum each text apart
        return np.diff(running[self.starts[1:] - 1], prepend=running.dtype.type(0)).astype(np.float64)


def batch_of(readings: Readings, *, as_they_stand: bool = False) -> Batch:
    """The arrays of a batch of at least one text. as_they_stand: denied troubles are not masked."""
    bodies = readings.bodies if as_they_stand else masked(readings.bodies)
    codes, starts = grams.codes_of(bodies)
    raw = code_points(bodies)
    return Batch(readings, raw, codes, starts, grams.chains(codes))


def code_points(bodies: Sequence[str]) -> NDArray[np.uint32]:
    """The code points of texts, each followed by a 0."""
    return np.frombuffer("\0".join((*bodies, "")).encode("utf-32-le"), np.uint32)


def bucket(hashes: NDArray[np.uint64], bits: int = BITS) -> NDArray[np.intp]:
    """The bucket of each gram; 0 is the bucket of none and weighs nothing."""
    return (grams.mixed(hashes) >> np.uint64(64 - bits)).astype(np.intp)


def tone_buckets(batch: Batch) -> list[NDArray[np.intp]]:
    """For each length 1–4 the bucket of the gram that starts at each character."""
    return [bucket(chain) for chain in batch.chains]


@dataclass(frozen=True, slots=True)
class Weights:
    """At each character the weights of the grams that start there, for and against, and for neutral, in fixed point
    (`TONE_UNIT`), and how many grams; post: how much of a post, rather than of a review, each text is, 0 to 1.
    """

    tone: Ints
    neutral: Ints
    counts: Ints
    post: NDArray[np.float64]


def packed(tables: Sequence[NDArray[np.integer]]) -> Ints:
    """Up to five tables as one, so that a gram is looked up once: a sum of packed weights holds the sum of each."""
    total = np.zeros(len(tables[0]), np.int64)
    for table in reversed(tables):
        total <<= FIELD_BITS
        total += table
    return total


def unpacked(total: Ints) -> list[Ints]:
    """The sums of each table.

    >>> [int(part[0]) for part in unpacked(packed([np.array([3]), np.array([-2]), np.array([5])]) * 6)]
    [18, -12, 30, 0, 0]
    """
    rest, fields, beside = total, [], 64 - FIELD_BITS
    for _ in range(FIELDS):
        low = (rest << beside) >> beside
        fields.append(low)
        rest = (rest - low) >> FIELD_BITS
    return fields


def blended(total: Ints, shares: tuple[Ints, Ints, Ints], batch: Batch) -> tuple[Ints, Ints]:
    """The weights of tone and of neutral at each character, of the kinds of text in their shares.

    shares: of a post, of a review and of neither, in each text, 256 in all; shapes (texts).
    """
    lengths = np.diff(batch.starts)
    post, review, neither = (np.repeat(share, lengths) for share in shares)
    plain, posts, reviews, flat, flat_posts = unpacked(total)
    tone = plain * neither
    tone += posts * post
    tone += reviews * review
    flat *= SHARES - post
    flat += flat_posts * post
    return tone, flat


def weights_at(table: NDArray[np.integer], buckets: list[NDArray[np.intp]]) -> Ints:
    """The summed weights of the grams that start at each character, in fixed point."""
    total = np.zeros(len(buckets[0]), np.int64)
    for one in buckets:
        total += table[one]
    return total


def grams_at(batch: Batch) -> Ints:
    """How many grams start at each character."""
    total: Ints = np.sum([chain != 0 for chain in batch.chains], axis=0, dtype=np.int64)
    return total


def tone_columns(batch: Batch, weights: Weights) -> Columns:
    """What the tone head reads but for Bayes."""
    n = np.maximum(batch.sums(weights.counts), 1.0)
    root = np.sqrt(n) * TONE_UNIT
    lean, flat = batch.sums(weights.tone) / root, batch.sums(weights.neutral) / root
    return {
        "lean": lean,
        "flat": flat,
        "strength": np.abs(lean),
        "length": np.log(n) / 5,
        "asks": np.minimum(batch.sums((batch.codes == 0x3F).astype(np.int64)), 1.0),
        **in_posts(lean, flat, weights.post),
    }


def in_posts(lean: NDArray[np.float64], flat: NDArray[np.float64], post: NDArray[np.float64]) -> Columns:
    """What a figure says besides where the text is a post."""
    return {"post": post, "lean_post": lean * post, "flat_post": flat * post, "strength_post": np.abs(lean) * post}


def relief_grams(batch: Batch) -> list[Found]:
    """Buckets of the grams that hold a masked character, and the character each starts at."""
    held = (batch.raw == ord(MASK)) | (batch.raw == ord(LACK))
    found, reached = [], held.copy()
    for reach, chain in enumerate(batch.chains):
        if reach:
            reached[:-reach] |= held[reach:]
        at = np.flatnonzero((chain != 0) & reached)
        found.append((bucket(chain[at]), at))
    return found


def word_buckets(words: Words) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """Buckets of words and of pairs of words, and the character each starts at."""
    alone = np.flatnonzero(words.open)
    first, pairs = wordgrams.pairs_of(words)
    return [(bucket(words.hashes[alone]), words.at[alone]), (bucket(pairs), words.at[first])]


def add_words(weights: Ints, table: NDArray[np.integer], found: list[tuple[NDArray[np.intp], NDArray[np.int64]]]) -> None:
    """Add to the weights at each character those of the word grams that start there."""
    for buckets, at in found:  # no place twice in one of them
        weights[at] += table[buckets]


def bayes_column(batch: Batch, words: Words, voice: Voice, rival: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Log-odds of the retrained Bayes over the root of the number of words; rival: characters whose words don't count."""
    odds = voice.odds_of(words.hashes)
    counted = batch.raw[words.at] != 0
    if rival is not None and rival.any():
        counted &= ~rival[words.at]
    bounds = np.searchsorted(words.at, batch.starts[:-1])
    said = np.add.reduceat(np.where(counted, odds, 0.0), bounds)
    number = np.add.reduceat(counted.astype(np.int64), bounds)
    return np.asarray((voice.prior + said) / np.sqrt(number + 1.0))


def target_key(target: str) -> np.uint64:
    """What the grams of a target with weights of its own are salted with."""
    digest = hashlib.blake2b(normal(target).replace(" ", "").encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)


def stance_grams(batch: Batch, regions: Regions, claims: NDArray[np.bool_], bits: int = STANCE_BITS) -> list[list[Found]]:
    """Buckets of the grams that speak of stance and the character each starts at, in three kinds that are weighed apart.

    All grams but a rival's (salted where the target is a claim); those near a mention, with the name in them; those that
    touch a mention, on either side. claims: of each text; shape (texts).
    """
    salt = np.where(np.repeat(claims, np.diff(batch.starts)), CLAIMED, np.uint64(0))
    whole = []
    for chain in batch.chains:
        at = np.flatnonzero((chain != 0) & ~regions.rival)
        whole.append((bucket(chain[at] ^ salt[at], bits), at))
    mentions = mentions_in(batch)
    if not len(mentions):
        return [whole, [], []]
    codes = batch.codes.copy()
    codes[mentions] = 1
    codes[batch.raw == ord(RIVAL)] = 2
    named = grams.chains(codes)
    near = _near(batch, mentions)
    close = []
    for chain in named:
        at = np.flatnonzero((chain != 0) & near)
        close.append((bucket(chain[at] ^ NEAR, bits), at))
    touching = []
    for reach in range(1, 5):
        after = mentions[mentions + 1 < len(codes)] + 1
        after = after[named[reach - 1][after] != 0]
        touching.append((bucket(named[reach - 1][after] ^ AFTER, bits), after))
        if reach < 4:
            before = mentions[mentions >= reach] - reach
            before = before[(named[reach - 1][before] != 0)]
            touching.append((bucket(named[reach - 1][before] ^ BEFORE, bits), before))
    return [whole, close, touching]


def mentions_in(batch: Batch) -> NDArray[np.intp]:
    """The characters that name the target, but at an edge of a text."""
    return np.flatnonzero((batch.raw == ord(TARGET)) & ~at_edge(batch.raw, batch.starts))


def scales_of(batch: Batch, kinds: list[list[Found]], counts: Ints) -> list[NDArray[np.float64]]:
    """What a gram of each kind counts in each text: one over the root of how many of its kind there are, or mentions."""
    close = np.zeros(batch.size)
    for _, at in kinds[1]:
        close += np.bincount(_whose(batch, at), minlength=batch.size)
    mentions = np.bincount(_whose(batch, mentions_in(batch)), minlength=batch.size)
    return [
        1.0 / np.sqrt(np.maximum(batch.sums(counts), 1.0)),
        CLOSE / np.sqrt(np.maximum(close, 1.0)),
        TOUCH / np.sqrt(np.maximum(mentions, 1.0)),
    ]


def _whose(batch: Batch, at: NDArray[np.intp]) -> NDArray[np.intp]:
    """The text that each character belongs to."""
    return np.searchsorted(batch.starts, at, side="right") - 1


def _near(batch: Batch, mentions: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The characters within reach of a mention, in the same text."""
    edges = np.zeros(len(batch.raw) + 1, np.int64)
    whose = _whose(batch, mentions)
    np.add.at(edges, np.maximum(mentions - REACH, batch.starts[whose]), 1)
    np.add.at(edges, np.minimum(mentions + REACH + 1, batch.starts[whose + 1]), -1)
    return np.cumsum(edges[:-1]) > 0


def target_grams(batch: Batch, words: Words, keys: NDArray[np.uint64], bits: int = STANCE_BITS) -> Iterator[Found]:
    """Buckets of the grams of texts whose target has weights of its own, of characters and of words, salted with it.

    keys: 0 where it has none; shape (texts).
    """
    if keys.any():
        key_at = np.repeat(keys, np.diff(batch.starts))
        alone = np.flatnonzero(words.open & (key_at[words.at] != 0))
        yield bucket((words.hashes[alone] ^ OF_WORDS) ^ key_at[words.at[alone]], bits), words.at[alone]
        first, pairs = wordgrams.pairs_of(words)
        mine = key_at[words.at[first]] != 0
        first, pairs = first[mine], pairs[mine]
        yield bucket((pairs ^ OF_WORDS) ^ key_at[words.at[first]], bits), words.at[first]
        for chain in batch.chains[:OWN_LONGEST]:
            at = np.flatnonzero((chain != 0) & (key_at != 0))
            yield bucket(chain[at] ^ key_at[at], bits), at


def stance_columns(
    batch: Batch,
    regions: Regions,
    weights: Weights,
    targets: Sequence[str],
    leaning_of: Mapping[str, float],
) -> Columns:
    """What the stance heads read besides their grams. leaning_of: the tone of a target's own words."""
    columns: Columns = {}
    tone, neutral, counts = weights.tone, weights.neutral, weights.counts
    n = np.maximum(batch.sums(counts), 1.0)
    zeros = np.zeros(len(batch.raw), np.int64)
    own_words = ~regions.rival
    for region, mask in (
        ("own", own_words), ("rival", regions.rival), ("near", regions.near), ("last", regions.last),
        ("since", own_words & regions.since), ("before", own_words & ~regions.since),
    ):  # fmt: skip
        held = batch.sums(np.where(mask, counts, zeros))
        root = np.sqrt(np.maximum(held, 1.0)) * TONE_UNIT
        columns[f"lean_{region}"] = batch.sums(np.where(mask, tone, zeros)) / root
        columns[f"flat_{region}"] = batch.sums(np.where(mask, neutral, zeros)) / root
        columns[f"share_{region}"] = held / n
        if region == "own":  # what is quoted of the target speaks of it all the same
            columns["share_own"] = batch.sums(np.where(regions.foreign, zeros, counts)) / n
        if region == "own":
            columns["length_own"] = np.log(np.maximum(held, 1.0)) / 5
    lean = batch.sums(tone) / (np.sqrt(n) * TONE_UNIT)
    named = np.minimum(regions.named, 1).astype(np.float64)
    spelled = {target: normal(target) for target in set(targets)}
    words = [spelled[target] for target in targets]
    claim = np.array([float(len(word) >= CLAIM) for word in words])
    # A name must move nothing, whether it stands in the text, in a tag or nowhere: only a claim's own words count.
    phrase = np.array([len(word) >= PHRASE for word in words])
    found = np.zeros(batch.size)
    said = np.flatnonzero(phrase)
    found[said] = overlaps([batch.readings.bodies[i] for i in said], [words[i] for i in said])
    overlap = np.where((named > 0) | ((claim == 0) & (found == 0)), 1.0, found)
    leaning = np.array([leaning_of[word] for word in words]) * (1 - named) * claim
    place = np.array([max(body.find(TARGET, 1, len(body) - 1), 0) / max(len(body), 1) for body in batch.readings.bodies])
    columns |= among_others(batch) | informing(batch)
    columns |= {
        "lean": lean,
        "flat": batch.sums(neutral) / (np.sqrt(n) * TONE_UNIT),
        "post": weights.post,
        "named": named,
        "names": np.minimum(regions.named, 4) / 2.0,
        "tagged": np.array(batch.readings.tagged_target, np.float64),
        "tagged_rival": np.array(batch.readings.tagged_rival, np.float64),
        "length": np.log(n) / 5,
        "clauses": np.log(regions.clauses + 1.0) / 3,
        "asks": np.minimum(batch.sums((batch.codes == 0x3F).astype(np.int64)), 1.0),
        "overlap": overlap,
        "target_length": np.log([len(word) + 1.0 for word in words]) / 3 * claim,
        "claim": claim,
        "place": place,
        "leaning": leaning,
        "agrees": leaning * lean,
        "agrees_overlap": leaning * lean * overlap,
        "lean_claim": columns["lean_own"] * claim,
        "lean_short": columns["lean_own"] * (n < SHORT),
        "overlap_claim": overlap * claim,
        "strength": np.abs(columns["lean_own"]),
    }
    return columns


def among_others(batch: Batch) -> Columns:
    """How a text speaks of the target besides its words: in a list, up to its end, how densely."""
    mentions = mentions_in(batch)
    whose = _whose(batch, mentions)
    times = np.bincount(whose, minlength=batch.size).astype(np.float64)
    named, lengths = np.maximum(times, 1.0), np.maximum(np.diff(batch.starts) - 1.0, 1.0)
    listed = _LISTS[batch.raw[mentions - 1]] | _LISTS[batch.raw[mentions + 1]]  # none stands at an edge
    last = np.zeros(batch.size)
    np.maximum.at(last, whose, (mentions - batch.starts[whose]) / lengths[whose])
    return {
        "listed": np.bincount(whose, listed, batch.size) / named,
        "place_last": last,
        "density": np.minimum(times / lengths * 50, 4.0),
        "times": np.log1p(times),
    }


def informing(batch: Batch) -> Columns:
    """Whether a text asks to be told something, and whether it reads like news: then it may take no side."""
    columns: Columns = {}
    joined = "\0".join(batch.readings.bodies)
    for name, words in (("seeks", _SEEKS), ("news", _NEWS)):
        at = np.array([found.start() for found in words.finditer(joined)], np.intp)
        columns[name] = np.minimum(np.bincount(_whose(batch, at), minlength=batch.size), 2.0)
    return columns


def regions(batch: Batch) -> Regions:
    """Whose words stand where; see stance."""
    return regions_of(batch.readings, batch.raw, batch.starts)
