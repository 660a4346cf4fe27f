"""The convolution over words: what it hears, that a batch changes nothing, that its parts add up, and that order counts."""

from functools import lru_cache

import numpy as np
import pytest

from nlp import features, segment, wordgrams
from nlp.convolution import REACH, Convolution, Tokens, as_words, slot_of, tokens_of
from nlp.corpora import CHECK, Labelled, corpus_of, fold_of
from nlp.features import Batch
from nlp.fit_convolution import Texts, _Net, fit_convolution, vocabulary_of
from nlp.results import Target
from nlp.text import TARGET, read
from nlp.train_convolution import train_convolution
from nlp.wordgrams import hash_of

RIVALS = (Target("墨羽", ("墨羽",)),)


def batch_of(texts: list[str]) -> tuple[Batch, Tokens]:
    readings = read(texts, Target("星澜", ("星澜",)), RIVALS)
    batch = features.batch_of(readings)
    words = wordgrams.words_of(batch.raw, segment.cut_all(readings.bodies))
    return batch, tokens_of(batch, features.regions(batch), words)


WORDS = ["甲", "乙", "不如", "好用", "难用", "觉得", "用"]


@lru_cache(maxsize=1)
def learnt() -> dict[str, np.ndarray]:
    """Of texts that say 甲 不如 乙 (against), 乙 不如 甲 (in favor) or neither (no stance) among other words."""
    pytest.importorskip("scipy", reason="training needs scipy")
    random = np.random.default_rng(5)
    place = {word: at + 1 for at, word in enumerate(WORDS)}
    rows, answers, heard = [], [], []
    for _ in range(1500):
        beside = random.choice([place["好用"], place["难用"], place["觉得"], place["用"]], 4).tolist()
        kind = int(random.integers(3))
        said = (
            [place["甲"], place["不如"], place["乙"]],
            [place["乙"], place["不如"], place["甲"]],
            [place["甲"], place["乙"]],
        )[kind]
        at = int(random.integers(5))
        rows.append([*beside[:at], *said, *beside[at:]])
        answers.append([float(kind == 2), float(kind == 1)])
        heard.append([1.0, float(kind != 2)])
    texts = Texts(
        np.concatenate([np.array(row, np.int32) for row in rows]),
        np.zeros(sum(map(len, rows)), np.int8),
        np.array([len(row) for row in rows]),
    )
    return fit_convolution(WORDS, texts, np.array(answers, np.float32), np.array(heard, np.float32))


def tokens(texts: list[list[str]], said_of: int = 0) -> Tokens:
    flat = [word for text in texts for word in text]
    hashes = hash_of(flat) if flat else np.zeros(0, np.uint64)
    ends = np.cumsum([len(word) for word in flat])
    at = np.r_[0, ends[:-1]] if flat else np.zeros(0, np.int64)
    return Tokens(hashes, np.full(len(flat), said_of, np.int8), at, np.array([len(text) for text in texts], np.int64))


def test_the_order_of_words_decides() -> None:
    none, side = Convolution(learnt()).log_odds(
        tokens([["用", "甲", "不如", "乙"], ["用", "乙", "不如", "甲"], ["用", "甲", "乙", "好用"]])
    )
    assert side[0] < -1 < 1 < side[1]
    assert none[0] < 0 < none[2]
    assert none[1] < 0


def test_a_batch_changes_no_bit() -> None:
    random = np.random.default_rng(7)
    texts = [random.choice([*WORDS, "没听过"], int(random.integers(0, 40))).tolist() for _ in range(90)]
    convolution = Convolution(learnt())
    together = convolution.log_odds(tokens(texts))
    alone = np.concatenate([convolution.log_odds(tokens([text])) for text in texts], axis=1)
    assert (together == alone).all()


def test_a_text_of_words_unknown_and_an_empty_one_say_the_same() -> None:
    unknown, empty = Convolution(learnt()).log_odds(tokens([["没听过", "也没"], []])).T
    assert (unknown == empty).all()


def test_whose_words_they_are_counts_once_it_is_learnt() -> None:
    arrays = dict(learnt())
    arrays["conv_said_of"] = arrays["conv_said_of"].copy()
    arrays["conv_said_of"][1] = -10_000  # a rival's words answer to nothing
    convolution = Convolution(arrays)
    rival = convolution.log_odds(tokens([["甲", "不如", "乙"]], said_of=1))
    assert (rival == convolution.log_odds(tokens([[]]))).all()


def test_the_parts_add_up() -> None:
    convolution = Convolution(learnt())
    for text in ([], ["甲"], ["用", "甲", "不如", "乙", "好用"], ["没听过"], ["乙", "不如", "甲", "乙", "不如", "甲"]):
        held = tokens([text])
        at, rest = convolution.parts(held, sum(map(len, text)) + 1)
        assert at.sum(axis=1) + rest == pytest.approx(convolution.log_odds(held)[:, 0], abs=1e-9)


def test_the_word_that_turns_it_carries_it() -> None:
    held = tokens([["觉得", "甲", "不如", "乙"]])
    at, _ = Convolution(learnt()).parts(held, 7)
    assert at[1, [2, 3, 5]].sum() < -1
    assert abs(at[1, 0]) < 0.5


def test_a_model_without_a_convolution_says_nothing() -> None:
    convolution = Convolution({})
    assert (convolution.log_odds(tokens([["甲"]])) == 0).all()
    at, rest = convolution.parts(tokens([["甲"]]), 2)
    assert not at.any()
    assert not rest.any()


def test_the_same_texts_make_the_same_filters() -> None:
    random = np.random.default_rng(3)
    counts = random.integers(1, 90, 120)
    texts = Texts(random.integers(0, 8, counts.sum()).astype(np.int32), np.zeros(counts.sum(), np.int8), counts)
    answers = random.integers(0, 2, (120, 2)).astype(np.float32)
    one, other = (fit_convolution(WORDS, texts, answers, np.ones((120, 2), np.float32)) for _ in range(2))
    assert all((one[name] == other[name]).all() for name in one)


def test_folds_that_judge_and_calibrate_teach_the_convolution_nothing() -> None:
    begins = [f"{at:02}号这一瓶洗发水我用了整整两个月以后，" for at in range(60)]  # what tells the fold
    assert {0, CHECK} < set(map(fold_of, begins))

    def made_of(turned: dict[str, str]) -> dict[str, np.ndarray]:
        def row(begin: str, words: str, label: str, target: str) -> Labelled:
            held_out = fold_of(begin) <= CHECK
            return Labelled(f"{begin}{words}{'夜莺' * held_out}", turned.get(label, label) if held_out else label, "一", target)

        sides = [("很好用", "favor", "pos"), ("很难用", "against", "neg")]
        stance = corpus_of([row(begin, words, side, "星澜") for begin in begins for words, side, _ in sides])
        tone = corpus_of([row(begin, words, side, "") for begin in begins for words, _, side in sides])
        return train_convolution(stance, np.ones(len(stance.rows)), tone)

    plain = made_of({})
    other = made_of({"favor": "against", "against": "none", "pos": "neg", "neg": "neu"})
    assert all((plain[name] == other[name]).all() for name in plain)
    words = bytes(plain["conv_words"].astype(np.uint8)).decode().split("\n")
    assert "洗发水" in words
    assert "夜莺" not in words


def test_names_at_the_edges_are_left_out_and_rivals_words_marked() -> None:
    batch, held = batch_of(["星澜比墨羽好用，墨羽难用", "买了星澜，头皮 不痒了"])
    spelled = [chr(batch.raw[at]) for at in held.at.tolist()]
    assert held.counts.tolist() == [sum(1 for _ in segment.cut(batch.readings.bodies[0])) - 1, len(spelled) - held.counts[0]]
    assert spelled[0] == "比"
    assert TARGET in spelled
    assert " " not in spelled
    first = held.said_of[: held.counts[0]].tolist()
    assert first[-1] == 1
    assert 2 in held.said_of[held.counts[0] :].tolist()


def test_what_others_are_said_to_say_is_marked_as_a_rivals_words_are() -> None:
    _, held = batch_of(["客服说“这款太差了”，我觉得星澜挺好用"])
    assert set(held.said_of.tolist()[:8]) == {1}
    assert set(held.said_of.tolist()[-3:]) == {2}


def test_what_is_stored_says_what_was_learnt() -> None:
    random = np.random.default_rng(11)
    net = _Net(len(WORDS), random)
    counts = random.integers(1, 12, 40)
    inside = np.arange(12 + REACH) < counts[:, None]
    words = np.where(inside, random.integers(0, len(WORDS) + 1, inside.shape), 0).astype(np.int32)
    said_of = np.where(inside, random.integers(0, 3, inside.shape), 0).astype(np.int8)
    answers = random.integers(0, 2, (40, 2)).astype(np.float32)
    for _ in range(150):
        net.learn(words, said_of, counts, answers, np.ones((40, 2), np.float32), 1e-2)
    shares = net.vectors[words] @ net.filters + net.said_of[said_of]
    largest, _ = net._largest(shares, 12, counts)
    learnt = np.maximum(largest + net.bias, 0) @ net.out + net.base
    known = np.r_[np.uint64(1), hash_of(WORDS)]  # 1: a word unknown
    held = Tokens(known[words[inside]], said_of[inside], np.arange(counts.sum()), counts)
    stored = Convolution({"conv_words": as_words(WORDS), **net.stored()}).log_odds(held)
    assert abs(learnt).max() > 2
    assert abs(stored.T - learnt).max() < 0.1


DRESSES = ["#星澜# {}", "星澜{}", "#星澜#{}", "@星澜 {}", "{} @星澜", "{}#星澜#"]


@pytest.mark.parametrize("dress", DRESSES)
def test_a_name_or_a_tag_at_an_edge_changes_no_token(dress: str) -> None:
    _, plain = batch_of(["洗完头发很顺，就是贵"])
    _, tagged = batch_of([dress.format("洗完头发很顺，就是贵")])
    assert plain.hashes.tolist() == tagged.hashes.tolist()
    assert plain.said_of.tolist() == tagged.said_of.tolist()


def test_of_words_that_share_a_slot_the_one_seen_more_often_is_known() -> None:
    many = [f"词{i}" for i in range(40_000)]
    last = dict(zip(slot_of(hash_of(many)).tolist(), many, strict=True))
    assert len(last) < len(many)
    assert vocabulary_of(many, np.arange(len(many)) + 4) == sorted(last.values())


def test_rare_words_are_not_known() -> None:
    assert vocabulary_of(["常见", "罕见"], np.array([4, 3])) == ["常见"]


def test_the_largest_sums_fit_sixteen_bits() -> None:
    arrays = {name: value.copy() for name, value in learnt().items()}
    arrays["conv_vectors"][1:], arrays["conv_filters"][:] = 127, 127
    arrays["conv_said_of"][1] = 32_767
    arrays["conv_bias"][:] = 0
    arrays["conv_out"][:] = 1
    least, most = (Convolution(arrays).log_odds(tokens([["甲", "甲", "甲"]], said_of=whose))[1, 0] for whose in (0, 1))
    assert least - arrays["conv_base"][1] > 0
    assert most > least  # had a sum turned over, it would count for nothing


def test_short_texts_beside_a_very_long_one_read_the_same() -> None:
    texts = [["甲", "不如", "乙"], ["乙", "不如", "甲"] * 6000, [], ["好用"]] * 3
    convolution = Convolution(learnt())
    alone = np.concatenate([convolution.log_odds(tokens([text])) for text in texts], axis=1)
    assert (convolution.log_odds(tokens(texts)) == alone).all()
