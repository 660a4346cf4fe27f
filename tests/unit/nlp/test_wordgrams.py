"""Hashes of words: the same wherever a word stands, apart where words differ; names are walls."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp import bayes, features, segment, wordgrams
from nlp.results import Target
from nlp.text import read

TEXTS = ["物流太慢了，不买了", "太慢了", "", "包装很结实 物流太慢", "a" * 40 + "太慢了"]


def words_in(texts: list[str], target: Target | None = None) -> tuple[features.Batch, wordgrams.Words, list[list[str]]]:
    readings = read(texts, target)
    batch, cut = features.batch_of(readings), segment.cut_all(readings.bodies)
    return batch, wordgrams.words_of(batch.raw, cut), cut


def test_a_word_has_one_hash_in_any_text_and_in_a_list() -> None:
    _, words, cut = words_in(TEXTS)
    flat = [word for row in cut for word in (*row, "\0")]
    of_word: dict[str, set[int]] = {}
    for word, value in zip(flat, words.hashes.tolist(), strict=True):
        of_word.setdefault(word, set()).add(value)
    assert all(len(values) == 1 for values in of_word.values())
    assert len({value for values in of_word.values() for value in values}) == len(of_word)
    listed = wordgrams.hash_of(sorted(of_word.keys() - {"\0"}))
    assert listed.tolist() == [next(iter(of_word[word])) for word in sorted(of_word.keys() - {"\0"})]


def test_a_name_a_space_and_the_end_of_a_text_part_pairs() -> None:
    _, words, cut = words_in(["我买星澜了 真的不错", "好看"], Target("星澜", ("星澜",)))
    first, _ = wordgrams.pairs_of(words)
    flat = [word for row in cut for word in (*row, "\0")]
    walls = {"\ue000", " ", "\0"}
    expected = [pair for pair in pairwise(flat) if not walls & set(pair)]
    assert [(flat[i], flat[i + 1]) for i in first] == expected
    assert ("我", "买") in expected


@given(st.lists(st.sampled_from(["好用", "难用", "的", "没见过的词", " ", "，"]), max_size=12))
def test_the_voice_says_what_the_bayes_it_holds_says(pieces: list[str]) -> None:
    trained = [(["好用", "的", "，"], "pos"), (["难用", "的"], "neg"), (["好用"], "pos"), (["\u9ed1"], "neg")]
    words, counts = bayes.count(trained)
    voice = bayes.Voice(words, counts)
    batch, hashed, cut = words_in(["".join(pieces)])
    said = features.bayes_column(batch, hashed, voice)[0]
    assert abs(said - voice.bayes.score(cut[0]) / (len(cut[0]) + 1) ** 0.5) < 1e-12


def test_of_words_that_share_a_slot_the_more_frequent_is_kept(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(bayes, "_SLOT_BITS", 1)
    words, counts = bayes.keep_apart(["甲", "乙", "丙", "丁"], np.array([[1, 1], [9, 9], [1, 0], [0, 3]], np.uint32))
    assert "乙" in words
    assert len(words) == len(counts) <= 2
