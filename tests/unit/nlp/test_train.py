"""Corpora, training and judging, on a small made-up corpus."""

import gzip
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from nlp import corpora, features, fit, grams, judge, model, segment, wordgrams
from nlp.corpora import Labelled, corpus_of, fold_of, part_of, read_corpus, recast
from nlp.results import Request, ScoreError, Target
from nlp.score import Engine, load
from nlp.scorer import Model
from nlp.text import read

GOOD, BAD, FLAT = ["好用", "喜欢", "满意", "清爽"], ["难用", "垃圾", "失望", "刺鼻"], ["请问", "通知", "转让", "公告"]
THINGS = ["洗发水", "手机", "酒店", "外卖", "衣服", "苹果", "面膜", "耳机", "牛奶", "鞋子"]


def tone_rows() -> list[Labelled]:
    rows = []
    for label, words in (("pos", GOOD), ("neg", BAD), ("neu", FLAT)):
        rows += [
            Labelled(f"{thing}{i}真的{word}，第{i}次了", label, f"made-{thing}")
            for thing in THINGS
            for word in words
            for i in range(6)
        ]
    return rows


def stance_rows() -> list[Labelled]:
    rows = []
    for label, words in (("favor", GOOD), ("against", BAD), ("none", FLAT)):
        for i in range(40):
            rows += [
                Labelled(f"{thing}{i}{word}，议题甲", label, "topic", "议题甲")
                for thing, word in zip(THINGS, words, strict=False)
            ]
    return rows


@lru_cache(maxsize=1)
def made() -> dict[str, np.ndarray]:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train import train

    return train([*tone_rows(), *stance_rows()], recasts=200)


def engine() -> Engine:
    lists = {name: model.read_list(name) for name in (model.CUES, model.CAUSES)}
    return Engine(made(), lists, ())


def test_a_trained_model_tells_what_it_learnt() -> None:
    good, bad = engine().score([Request("耳机真的喜欢"), Request("面膜真的刺鼻")])
    assert good.polarity > 0.3
    assert bad.polarity < -0.3


def test_a_target_with_many_posts_has_weights_of_its_own() -> None:
    assert len(made()["adapted"]) == 1
    score = engine().score([Request("手机垃圾，议题甲", Target("议题甲", ("议题甲",)))])[0]
    assert score.stance is not None
    assert score.stance.against > score.stance.favor


def test_all_linear_algebra_is_loaded_before_it_is_held_to_one_thread() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    script = """
import sys, nlp.train
def check(*a, **k):
    print(sorted(one for one in ("scipy.optimize", "scipy.sparse") if one in sys.modules))
    raise SystemExit
nlp.train.threadpool_limits = check
nlp.train.train([])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['scipy.optimize', 'scipy.sparse']"


def test_training_twice_makes_the_same_model(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train import train

    again = train([*tone_rows(), *stance_rows()], recasts=200)
    assert all((again[name] == made()[name]).all() for name in made())
    model.write_model(tmp_path / "model.npz", again)
    assert load(tmp_path / "model.npz").version == engine().version


def test_posts_and_reviews_are_told_apart_and_weighed_by_what_they_are() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train_tone import train_tone

    posts = [Labelled(f"今天{row.text}，转发微博啦", row.label, "weibo-made") for row in tone_rows()]
    reviews = [Labelled(f"宝贝收到，{row.text}", row.label, "shop-made") for row in tone_rows()]
    owners = [Labelled(f"底盘{row.text}，油耗", row.label, "car") for row in tone_rows() if row.label != "neu"]
    arrays, _ = train_tone(corpus_of([*posts, *reviews, *owners]), refit=False)
    readings = read(["今天耳机真的喜欢，转发微博啦", "宝贝收到，耳机真的喜欢", "底盘真的喜欢，油耗", "好"])
    batch = features.batch_of(readings)
    post, review, neither = Model(arrays).kinds(batch, features.tone_buckets(batch)[:2])
    assert [max(one) == one[at] for at, one in enumerate(zip(post, review, neither, strict=True)) if at < 3] == [True] * 3
    assert ((post + review + neither) == features.SHARES).all()


def test_reviews_written_for_training_teach_all_texts_tables_and_not_the_one_of_reviews() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train_tone import train_tone

    posts = [Labelled(f"今天{row.text}，转发微博啦", row.label, "weibo-made") for row in tone_rows()]
    reviews = [Labelled(f"宝贝收到，{row.text}", row.label, "shop-made") for row in tone_rows() if row.label != "neu"]
    hard = [Labelled(f"{row.text}，拖把池", "neg", "written_review-made") for row in tone_rows() if row.label == "pos"]
    arrays, _ = train_tone(corpus_of([*posts, *reviews, *hard]), refit=False)
    place = features.bucket(grams.chains(grams.codes_of(["拖把"])[0])[1])[0]
    general, of_reviews, of_posts = (int(arrays[name][place]) for name in ("tone", "tone_review", "tone_post"))
    assert general < -2
    assert general / 2 - 1.5 <= of_reviews <= general / 2 + 1.5
    assert of_posts == of_reviews


def test_what_was_written_for_training_is_a_review_or_a_post() -> None:
    kinds = [Labelled("好", "pos", f"written_{kind}-made").kind for kind in ("review", "post")]
    assert kinds == ["review", "post"]


def test_the_texts_written_for_training_are_whole_and_labelled_once() -> None:
    data = Path(corpora.__file__).parent / "data"
    tone, stance = read_corpus(data / "written_tone.csv.gz"), read_corpus(data / "written.csv.gz")
    assert {row.group for row in tone} == set(corpora.WRITTEN)
    assert {row.group for row in stance} == {"written"}
    for rows, labels in ((tone, corpora.TONES), (stance, corpora.STANCES)):
        shares = [sum(row.label == label for row in rows) / len(rows) for label in labels]
        assert min(shares) > 0.12
        assert len({(row.text, row.target, row.others) for row in rows}) == len(rows)


def test_a_corpus_without_a_neutral_class_says_nothing_of_how_likely_neutral_is() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    columns = np.zeros((300, 1))
    labels = np.array([0, 1, 2] * 50 + [0, 2, 2] * 50)
    closed = np.arange(300) >= 150
    told = fit.fit_softmax(columns, labels, np.ones(300), closed)[:, -1]
    assert abs(np.exp(told[0]) / (1 + np.exp(told).sum()) - 1 / 3) < 0.05
    assert fit.fit_softmax(columns, labels, np.ones(300))[0, -1] < told[0]


def test_what_is_rare_counts_more_where_asked() -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="training needs scipy")
    held = sparse.csr_matrix(np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    often, seldom = fit.rarity(held)
    assert seldom > often == 1.0


def test_a_model_of_another_version_is_refused(tmp_path: Path) -> None:
    old = {name: array for name, array in made().items() if name != "format"}
    model.write_model(tmp_path / "old.npz", old)
    with pytest.raises(ScoreError, match="another version"):
        load(tmp_path / "old.npz")


def test_many_targets_are_read_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlp.scorer._REMEMBERED", 1)
    claims = [f"{thing}的质量真的{word}不能再买" for thing, word in zip(THINGS, BAD * 3, strict=False)]

    def leanings(reader: Model, asked: list[str]) -> list[float]:
        batch = features.batch_of(read(["随便说说"] * len(asked)))
        words = wordgrams.words_of(batch.raw, segment.cut_all(batch.readings.bodies))
        weights = reader.tone_weights(batch, words)
        return list(reader.stance_columns(batch, features.regions(batch), asked, weights, words)["leaning"])

    reader = Model(made())
    assert leanings(reader, claims[:5]) + leanings(reader, claims[3:]) == [
        leanings(Model(made()), [claim])[0] for claim in [*claims[:5], *claims[3:]]
    ]


def test_the_words_of_a_known_target_carry_its_score() -> None:
    why = engine().explain(Request("手机垃圾，议题甲", Target("议题甲", ("议题甲",))))
    weight = {part.words: part.weight for part in why.words}
    assert weight["垃圾"] < 0
    assert weight["垃圾"] == min(weight.values())
    assert abs(sum(weight.values()) + why.rest - why.log_odds) < 1e-4


def test_a_verdict_for_each_domain_and_one_over_all() -> None:
    held = [row for row in [*tone_rows(), *stance_rows()] if fold_of(row.text) == 0]
    verdicts = judge.judge(engine(), held, by=lambda row: row.group)
    assert [(verdict.kind, verdict.domain) for verdict in verdicts] == [("tone", "made"), ("stance", "topic")]
    assert all(verdict.accuracy > 0.8 and 0 <= verdict.ece <= 1 and verdict.per_second > 0 for verdict in verdicts)
    assert judge.judge(engine(), held[:50], fast=True)[-1].domain == "all"
    assert judge.judge(engine(), []) == []


def test_judging_scores_each_row_once_and_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*tone_rows()[:: len(tone_rows()) // 60][:60], *stance_rows()[:: len(stance_rows()) // 60][:60]]
    monkeypatch.setattr(judge, "_AT_ONCE", 25)
    told: list[tuple[int, int]] = []
    verdicts = judge.judge(engine(), rows, by=lambda row: row.label, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (120, 120)
    assert len(told) > 4
    monkeypatch.undo()
    for kind in ("tone", "stance"):
        mine = [row for row in rows if bool(row.target) == (kind == "stance")]
        alone = judge.judge(engine(), mine, by=lambda row: "one")[0]
        (whole,) = [one for one in verdicts if (one.kind, one.domain) == (kind, "all")]
        assert (whole.posts, whole.accuracy, whole.macro_f1, whole.at_80) == (60, alone.accuracy, alone.macro_f1, alone.at_80)
        assert whole.per_second > 0


def test_a_corpus_is_read_plain_or_packed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "tone.csv", tmp_path / "stance.csv.gz"
    plain.write_text("\ufefftext,label\n好用,pos\n,neg\n", encoding="utf-8")
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.write("text,stance,target,origin\n好用,favor,星澜,c_stance-x-nouns\n")
    assert read_corpus(plain) == [Labelled("好用", "pos", "tone")]
    (row,) = read_corpus(packed)
    assert (row.target, row.label, row.group) == ("星澜", "favor", "nouns")


def test_a_text_that_names_further_brands_is_read_as_known_to_name_them_and_as_not(tmp_path: Path) -> None:
    path = tmp_path / "stance.csv"
    path.write_text("text,stance,target,others\n甲不如乙,against,甲,乙|丙\n甲好用,favor,甲,\n", encoding="utf-8")
    rows = read_corpus(path)
    assert [(row.text, row.others) for row in rows] == [("甲不如乙", ()), ("甲不如乙", ("乙", "丙")), ("甲好用", ())]
    verdict = judge.judge(load(), rows)[0]
    assert verdict.posts == 3


def test_a_corpus_of_aspects_is_read_as_tone(tmp_path: Path) -> None:
    path = tmp_path / "aspect.csv"
    path.write_text("text,polarity,aspect,origin\n屏幕很亮,positive,屏幕,phones\n一般,neutral,,phones\n", encoding="utf-8")
    assert read_corpus(path) == [Labelled("屏幕很亮", "pos", "phones"), Labelled("一般", "neu", "phones")]


def test_what_owners_say_of_their_car_is_learnt_as_tone() -> None:
    review = corpora.owner_review(Labelled("很省油", "favor", "autohome|油耗", "某牌"))
    assert review == Labelled("很省油", "pos", "autohome-某牌")
    assert corpora.owner_review(Labelled("很省油", "favor", "topic", "某牌")) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [("text,tone\n好,pos\n", "it has: text, tone"), ("text,label\n好,good\n", "line 2: label 'good'")],
)
def test_a_corpus_that_cannot_be_used_says_why(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "one.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ScoreError, match=message):
        read_corpus(path)
    with pytest.raises(ScoreError, match="can't be read"):
        read_corpus(tmp_path / "none.csv")


def test_texts_labelled_two_ways_or_without_words_are_left_out() -> None:
    rows = [
        Labelled("好用啊", "pos", "a"),
        Labelled("好用啊！", "pos", "a"),
        Labelled("还行吧", "pos", "a"),
        Labelled("还行吧", "neg", "b"),
    ]
    corpus = corpus_of([*rows, Labelled("", "neg", "a"), Labelled("hello there", "pos", "a")])
    assert [row.text for row in corpus.rows] == ["好用啊", "好用啊！"]
    assert part_of(corpus, [1]).readings.bodies == ["好用啊!"] or part_of(corpus, [1]).rows[0].text == "好用啊！"


def test_a_recast_text_keeps_the_fold_of_its_original() -> None:
    corpus = corpus_of(tone_rows())
    rows = recast(corpus, 50)
    assert recast(corpus, 50) == rows
    assert {row.target for row in rows} == {corpora.OURS}
    again = corpus_of(rows)
    assert again.folds == [fold_of(row.made_of) for row in again.rows]


def test_a_spelling_with_a_space_is_the_same_target() -> None:
    (body,) = corpus_of([Labelled("说iPhone SE很好用", "favor", "x", "iPhoneSE")]).readings.bodies
    assert body == "说\ue000很好用"


def test_a_platt_fit_calibrates() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    rng = np.random.default_rng(1)
    logits = rng.normal(size=4000)
    positive = rng.random(4000) < 1 / (1 + np.exp(-(2 * logits + 1)))
    slope, shift = fit.fit_platt(logits, positive, np.ones(4000))
    assert abs(slope - 2) < 0.2
    assert abs(shift - 1) < 0.2


def odd_rows(text: str, count: int = 60) -> list[Labelled]:
    return [
        Labelled(text.format(i=i, said=said), label, "made")
        for i in range(count)
        for said, label in (("真的好用", "pos"), ("真的难用", "neg"))
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (odd_rows("{i}号机器{said}" + "，说来话长" * 50), "学态度（情感文字里超过 200 字的不算）的文字只有 0 条"),
        (odd_rows("开头二十个字全都一样的评价，一个字也不差{i}{said}"), "学情感的文字只有 120 条"),
        (odd_rows("{i}号{said}", 5), "情感标签太少"),
    ],
)
def test_texts_that_no_model_can_be_made_of_are_told(rows: list[Labelled], words: str) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train import train

    with pytest.raises(ScoreError, match=words):
        train(rows)


def test_texts_that_share_no_word_make_a_model_all_the_same(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train import train

    signs = [(chr(0x4E00 + 7 * i), chr(0x5E00 + 3 * i), chr(0x6E00 + 5 * i)) for i in range(200)]
    rows = [Labelled("".join(three), ("pos", "neg")[i % 2], "made") for i, three in enumerate(signs)]
    model.write_model(tmp_path / "model.npz", train(rows))
    assert load(tmp_path / "model.npz").score([Request("好用")])[0].pos < 1


def test_what_was_written_for_training_counts_less_where_log_odds_become_probabilities() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    from nlp.train_stance import HONEST, group_of

    posts = corpus_of([Labelled(f"今天{row.text}", row.label, "written_post") for row in tone_rows()])
    made = recast(posts, 40)
    assert {HONEST.get(group_of(row), 1.0) for row in made} == {0.2}
    assert HONEST.get(group_of(Labelled("好用", "favor", "written-plain", "星澜")), 1.0) == 0.2
    wild = recast(corpus_of(tone_rows()), 40)
    assert {HONEST.get(group_of(row), 1.0) for row in wild} == {1.0}
