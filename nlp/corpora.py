"""Labelled CSV → rows to train and judge on: read, cleaned, each text once, split by the beginning of its text."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nlp.results import ScoreError, Target
from nlp.text import Readings, read

TONES = ("neg", "neu", "pos")
STANCES = ("against", "none", "favor")
FOLDS = 10
TEST = 0  # the fold that nothing is learnt from
CHECK = 1  # the fold that calibrates
CHUNK = 4000  # texts read at once
OWNERS = ("autohome",)  # origins whose texts speak of their target alone and never need to name it
WRITTEN = ("written_review", "written_post")  # groups of texts written for training, most of them hard on purpose
KINDS = {  # what kind of text a group of domains holds; a group that nobody knows may be of any
    "weibo": "post", "written_post": "post", "shop": "review", "waimai": "review", "written_review": "review",
    "autohome": "owner", "car": "owner", "absa": "owner",
}  # fmt: skip
OURS, THEIRS = "目标", "竞品"  # names set into texts to teach whose clause is whose


CONTRASTED = 0.6  # of the texts that speak of a rival beside: how many say the contrary of it
UNKNOWN = 0.35  # of those: in how many the rival is a name that nobody configured
_CONTRARY = {"pos": "neg", "neg": "pos"}
_STRANGERS = (  # invented names, as a rival that nobody configured might bear
    "青禾", "诺山", "凌科", "百朔", "维澜", "多恩", "简木", "极岸", "罗曼迪", "佳沃思", "lumeo", "tarvi", "卡索",
    "御品", "三合家", "悦途", "洛克森", "安禾", "米可", "瑞塔", "德朗", "鹿角家", "新元", "贝纳", "那个牌子", "另一家",
)  # fmt: skip
_LONG = {"positive": "pos", "neutral": "neu", "negative": "neg"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, its label (a tone or a stance), the domain or origin it comes from, and the target of a stance."""

    text: str
    label: str
    domain: str
    target: str = ""
    others: tuple[str, ...] = ()
    made_of: str = ""  # the text it was made of, where it was made

    @property
    def group(self) -> str:
        """The family of domains that it counts with: shop-书籍 → shop."""
        head = self.domain.split("|")[0]
        return head.split("-")[-1] if head.startswith("c_stance") else head.split("-")[0]

    @property
    def kind(self) -> str | None:
        """What kind of text it is: post, review or owner (a long review by parts); None: nobody knows."""
        return KINDS.get(self.group)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows and their readings, in the same order, and the fold of each, 0–9: texts that begin alike share one."""

    rows: list[Labelled]
    readings: Readings
    folds: list[int]


def read_corpus(path: Path) -> list[Labelled]:
    """The rows of a CSV (plain or .gz, UTF-8): text, label, domain? or text, polarity, origin? for tone; text, stance, target,
    origin?, others? for stance.

    others: further brands that the text names, parted by |. Such a row is two: a scorer may know these brands or not.

    Raises ScoreError.
    """
    try:
        with path.open("rb") as raw, io.TextIOWrapper(_unpacked(raw, path), encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = set(rows.fieldnames or ())
            if {"text", "label"} <= columns:
                return [_row(path, rows.line_num, row, "label", TONES, "domain") for row in rows if row["text"]]
            if {"text", "polarity"} <= columns:
                return [_row(path, rows.line_num, _plain(row), "polarity", TONES, "origin") for row in rows if row["text"]]
            if {"text", "stance", "target"} <= columns:
                plain = [(row, _row(path, rows.line_num, row, "stance", STANCES, "origin")) for row in rows if row["text"]]
                return [made for row, one in plain for made in _with_others(one, row.get("others") or "")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        words = "语料读不了（要 UTF-8 的 CSV 或 .csv.gz）/ the corpus can't be read (UTF-8 CSV or .csv.gz)"
        raise ScoreError(f"{path}：{words}: {error}") from error
    words = (
        "列名应为 text,label 或 text,polarity 或 text,stance,target / "
        "has neither the columns text, label nor text, polarity nor text, stance, target"
    )
    raise ScoreError(f"{path}：{words}; 现有 it has: {', '.join(sorted(map(str, columns)))[:200]}")


def _with_others(row: Labelled, others: str) -> list[Labelled]:
    return [row, replace(row, others=tuple(others.split("|")))] if others else [row]


def _unpacked(raw: BinaryIO, path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw


def _plain(row: dict[str, str]) -> dict[str, str]:
    """A row with positive, neutral, negative in our words."""
    return {**row, "polarity": _LONG.get(row["polarity"], row["polarity"])}


def owner_review(row: Labelled) -> Labelled | None:
    """The row as one of tone, where its text is a review of the target by one who owns it.

    >>> owner_review(Labelled("很省油", "favor", "autohome|油耗", "某牌")).label
    'pos'
    """
    if row.group not in OWNERS or row.label == "none":
        return None
    return Labelled(row.text, {"favor": "pos", "against": "neg"}[row.label], f"{row.group}-{row.target}")


def _row(path: Path, line: int, row: dict[str, str], column: str, labels: tuple[str, ...], domain: str) -> Labelled:
    if row[column] not in labels:
        raise ScoreError(f"{path}，第 {line} 行 line {line}: {column} {row[column]!r}; 只能是 there are: {', '.join(labels)}")
    return Labelled(row["text"], row[column], row.get(domain) or path.name.split(".")[0], row.get("target") or "")


def corpus_of(rows: Iterable[Labelled]) -> Corpus:
    """Clean the rows; keep each text (with its target) once; leave out what is labelled two ways and what has no words."""
    by_target: dict[tuple[str, tuple[str, ...]], list[Labelled]] = {}
    for row in rows:
        by_target.setdefault((row.target, row.others), []).append(row)
    seen: dict[tuple[str, str], tuple[Labelled, str, bool, bool] | None] = {}
    for (target, others), group in by_target.items():
        asked = Target(target, _spellings(target)) if target else None
        readings = read([row.text for row in group], asked, tuple(Target(other, (other,)) for other in others))
        for index, row in enumerate(group):
            if readings.unscored[index] is None:
                key = (readings.bodies[index], target)
                made = (row, readings.bodies[index], readings.tagged_target[index], readings.tagged_rival[index])
                before = seen.setdefault(key, made)
                if before is not None and before[0].label != row.label:
                    seen[key] = None
    kept = [made for made in seen.values() if made is not None]
    bodies = [made[1] for made in kept]
    tags = [made[2] for made in kept], [made[3] for made in kept]
    readings = Readings(bodies, [True] * len(kept), *tags, [None] * len(kept))
    return Corpus([made[0] for made in kept], readings, [fold_of(made[0].made_of or made[0].text) for made in kept])


def part_of(corpus: Corpus, keep: Sequence[int]) -> Corpus:
    """The rows at those places."""
    reading = corpus.readings
    return Corpus(
        [corpus.rows[i] for i in keep],
        Readings(
            [reading.bodies[i] for i in keep],
            [reading.own_words[i] for i in keep],
            [reading.tagged_target[i] for i in keep],
            [reading.tagged_rival[i] for i in keep],
            [reading.unscored[i] for i in keep],
        ),
        [corpus.folds[i] for i in keep],
    )


def batches_of(corpus: Corpus) -> list[Corpus]:
    """The corpus in parts of some thousand rows, in order."""
    return [part_of(corpus, range(i, min(i + CHUNK, len(corpus.rows)))) for i in range(0, len(corpus.rows), CHUNK)]


def balance_of(groups: Sequence[str], power: float) -> NDArray[np.float64]:
    """Importance of each row, so that a large group does not drown the small."""
    sizes = Counter(groups)
    mean = len(groups) / max(len(sizes), 1)
    return np.array([(mean / sizes[group]) ** power for group in groups])


def fold_of(text: str) -> int:
    """The fold of a text by its first 20 characters, 0 … 9.

    >>> fold_of("物流很快") == fold_of(" 物流很快")
    True
    """
    return hashlib.blake2b(text.strip()[:20].encode("utf-8", "replace"), digest_size=2).digest()[0] % FOLDS


def _spellings(target: str) -> tuple[str, ...]:
    """IphoneSE is written Iphone SE too."""
    spaced = re.sub("(?<=[a-z])(?=[A-Z]{2,}$)", " ", target)
    return (target,) if spaced == target else (target, spaced)


def recast(corpus: Corpus, count: int, seed: int = 7) -> list[Labelled]:
    """Tone rows as stance rows toward a made-up brand: implied, named somewhere, or beside a rival's own post.

    What is said of the rival is another text of the same domain and fold; a text that only tags the rival is none of ours.
    """
    rng = random.Random(seed)  # noqa: S311 — a seeded draw, not a secret
    short = [i for i, body in enumerate(corpus.readings.bodies) if len(body) < 200]
    beside: dict[tuple[str, int], list[int]] = {}
    contrary: dict[tuple[str, int, str], list[int]] = {}
    for i in short:
        where = corpus.rows[i].domain, corpus.folds[i]
        beside.setdefault(where, []).append(i)
        contrary.setdefault((*where, _CONTRARY.get(corpus.rows[i].label, "")), []).append(i)
    made = []
    for i in rng.sample(short, min(count, len(short))):
        row, body = corpus.rows[i], corpus.readings.bodies[i]
        where = row.domain, corpus.folds[i]
        against = contrary.get((*where, row.label)) if rng.random() < CONTRASTED else None
        other = corpus.readings.bodies[rng.choice(against or beside[where])][:60]
        stance = dict(zip(TONES, STANCES, strict=True))[row.label]
        text, kind, stance = _dressed(body, other, stance, rng)
        others: tuple[str, ...] = (THEIRS,)
        if kind == "two" and stance != "none" and rng.random() < UNKNOWN:
            text, others = text.replace(THEIRS, rng.choice(_STRANGERS)), ()
        made.append(Labelled(text, stance, f"{kind}-{row.domain}", OURS, others, row.text))
    return made


def _dressed(body: str, other: str, stance: str, rng: random.Random) -> tuple[str, str, str]:
    joint = rng.choice(("，", "。", "，但是", "，不过", " ", "！"))
    lead = rng.choice(("买了", "入手了", "用了", "之前买的", "朋友推荐的", "听说", "今天试了"))
    after = rng.choice(("用了一阵子了", "用了快一个月", "入手一周了", "买了有一段时间", "第二次买了", "说说感受", "来评价一下"))
    alone = [body] * 5
    alone += [f"{OURS}{body}", f"{OURS}真的{body}", f"{body}，说的是{OURS}", f"{body}({OURS})"]
    alone += [f"{lead}{OURS}，{body}", f"{OURS}{after}，{body}"]
    beside = (
        (f"{OURS}{body}{joint}{THEIRS}{other}", stance),
        (f"{THEIRS}{other}{joint}{OURS}{body}", stance),
        (f"{THEIRS}{other}{joint}还是{OURS}{body}" if stance == "favor" else f"{THEIRS}{other}。{OURS}就{body}", stance),
        (f"#{THEIRS}# {body}", "none"),
        (f"{THEIRS}{body}", "none"),
        (f"{lead}{THEIRS}，{body}", "none"),
    )
    if rng.random() < 0.66:
        return rng.choice(alone), "recast", stance
    text, stance = rng.choice(beside)
    return text, "two", stance
