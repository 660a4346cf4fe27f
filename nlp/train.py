"""Labelled texts → model: a pure function of its corpora.

One fold in ten (`corpora.TEST`) is never learnt from: `judge` reports on it. Another (`CHECK`) calibrates the heads over tables
that have not seen it; then the tables of tone are learnt once more with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from nlp.corpora import CHECK, Labelled, corpus_of, owner_review, recast
from nlp.model import FORMAT
from nlp.results import ScoreError
from nlp.train_stance import train_stance
from nlp.train_tone import Arrays, Say, train_tone

LEAST = 20  # texts pos and neg, at least, that a model can be made of


def train(rows: Sequence[Labelled], say: Say = lambda line: None, *, recasts: int = 45_000, refit: bool = True) -> Arrays:
    """The arrays of a model. rows: of tone and of stance, together; say: is told what is done.

    refit: learn the tables of tone once more with the fold that calibrated their heads.

    The linear algebra runs in one thread, since several add numbers up in an order of their own each time: all of it is
    imported first, since only libraries that are loaded can be held to one thread. How far runs agree: the model card.
    """
    import scipy.optimize  # type: ignore[import-untyped,unused-ignore]
    import scipy.sparse  # type: ignore[import-untyped,unused-ignore]  # noqa: F401

    with threadpool_limits(limits=1):
        return _train(rows, say, recasts, refit=refit)


def _train(rows: Sequence[Labelled], say: Say, recasts: int, *, refit: bool) -> Arrays:
    owners = [made for row in rows if (made := owner_review(row))]
    tone = corpus_of([row for row in rows if not row.target] + owners)
    say(f"tone: {len(tone.rows)} texts")
    lively = Counter(row.label for row, fold in zip(tone.rows, tone.folds, strict=True) if fold > CHECK)
    if min(lively["neg"], lively["pos"]) < LEAST:
        held = f"现有 {lively['pos']}、{lively['neg']}，不算留作校准和评判的两成"
        told = f"情感标签太少：模型从头训练，正负各要至少 {LEAST} 条（{held}），只有态度的表格不够"
        way = f"请把 text,label 的表格一起传入 / give CSVs with text, label too: {LEAST} texts pos and neg at least"
        raise ScoreError(f"{told}；{way}")
    if CHECK not in tone.folds:
        raise _too_few(len(tone.rows), "情感", "of tone")
    arrays, partial = train_tone(tone, say, refit=refit)
    stance = corpus_of([row for row in rows if row.target and not owner_review(row)] + recast(tone, recasts))
    say(f"stance: {len(stance.rows)} texts")
    sides = {row.label for row, fold in zip(stance.rows, stance.folds, strict=True) if fold > CHECK}
    if CHECK not in stance.folds or not {"favor", "against"} <= sides:
        raise _too_few(
            len(stance.rows), "态度（情感文字里超过 200 字的不算）", "of stance (texts of tone under 200 characters count too)"
        )
    return {"format": np.array([FORMAT]), **arrays, **train_stance(stance, tone, arrays, partial, say)}


def _too_few(count: int, zh: str, en: str) -> ScoreError:
    """A tenth of the texts calibrates a model, another judges it: the rest must hold every side."""
    told = f"可用来学{zh}的文字只有 {count} 条，分不出学习、校准和评判三份，或缺少一方"
    way = "请多给一些 / too few texts to learn from, to calibrate with and to judge by, or of one side alone"
    return ScoreError(f"{told}；{way}: {count} {en}")
