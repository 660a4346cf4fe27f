"""The door: the same bytes alone and in a batch, any input has a defined answer, and a name moves nothing."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.model import read_list, read_model, version_of, write_model
from nlp.results import Request, Score, ScoreError, Stance, Target
from nlp.score import Engine, load, score_batch

OURS = Target("星澜", ("星澜", "星澜控油洗发水"))
THEIRS = Target("墨羽", ("墨羽", "墨羽护发素"))
POSTS = [
    "用了两周头皮不痒了，很喜欢，会回购",
    "洗完更油，味道刺鼻，再也不买了",
    "包装很结实，就是物流慢了点，整体还可以",
    "请问有人用过吗，适合干性发质吗？",
    "刚买三天就降价，客服也不理人，失望透顶",
    "呵呵，真是好样的[微笑]",
    "比超市便宜，日期新鲜👍",
    "今天去看了电影，晚上吃火锅",
]


@lru_cache(maxsize=1)
def engine() -> Engine:
    return load()


def one(text: str, target: Target | None = OURS, others: tuple[Target, ...] = (THEIRS,), inherited: bool = False) -> Score:
    return engine().score([Request(text, target, others, inherited)])[0]


@pytest.mark.parametrize("text", ["墨羽和星澜我都喜欢", "星澜、墨羽都好用，会回购"])
def test_what_is_said_of_both_in_one_breath_is_said_of_ours(text: str) -> None:
    stance = one(text).stance
    assert stance is not None
    assert stance.favor > 0.5


def figures(score: Score) -> np.ndarray:
    stance = score.stance or Stance(0, 0, 0)
    return np.array([score.neg, score.neu, score.pos, stance.favor, stance.against, stance.none])


PIECES = [*POSTS, "星澜", "墨羽", "#星澜#", "@星澜", "//@路人:", "不如", "，", " ", "\ud800", "\0", "繁體字", "ok"]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=6).map("".join))


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_score_is_the_same_alone_and_in_a_batch(texts: list[str]) -> None:
    requests = [Request(text, OURS if i % 2 else None, (THEIRS,)) for i, text in enumerate(texts)]
    assert engine().score(requests) == [engine().score([request])[0] for request in requests]
    fast = engine().score(requests, fast=True)
    assert fast == [engine().score([request], fast=True)[0] for request in requests]


@settings(max_examples=150, deadline=None)
@example("")
@example("好")
@example("\ud800\udc00\x00\x07")
@example("#" * 300)
@example("@" * 50 + "//@" * 50)
@example("[" * 40 + "微笑]")
@given(TEXTS)
def test_any_text_has_a_defined_answer(text: str) -> None:
    score = one(text)
    for total in (
        score.neg + score.neu + score.pos,
        score.stance.favor + score.stance.against + score.stance.none if score.stance else 1,
    ):
        assert abs(total - 1) < 1e-9
    assert all(value == round(value, 4) and 0 <= value <= 1 for value in figures(score).tolist())
    assert score.polarity == round(score.pos - score.neg, 4)


def test_a_hundred_thousand_characters_are_read() -> None:
    assert one("太差了，" * 25_000).stance is not None


@pytest.mark.parametrize("text", POSTS)
@pytest.mark.parametrize("dress", ["#{}# {}", "{} {}", "{}：{}", "@{} {}", "#{}#{}"])
def test_the_brands_own_name_before_a_post_moves_no_probability(text: str, dress: str) -> None:
    assert np.abs(figures(one(dress.format("星澜", text))) - figures(one(text))).max() <= 0.02


@pytest.mark.parametrize("text", POSTS)
def test_a_name_at_the_end_moves_no_probability(text: str) -> None:
    for dressed in (f"{text} #星澜#", f"{text} @星澜官方", f"{text} #某某#"):
        assert np.abs(figures(one(dressed)) - figures(one(text))).max() <= 0.02


@pytest.mark.parametrize("text", ["{}用着头皮痒，洗完更油", "上周买了{}，很好用", "我觉得{}太坑了，别买", "还是{}", "换成{}。"])
def test_a_name_tagged_where_it_stands_moves_nothing(text: str) -> None:
    plain = figures(one(text.format("星澜")))
    for dressed in ("#星澜#", "#星澜[超话]#", "@星澜 "):
        assert np.abs(figures(one(text.format(dressed))) - plain).max() <= 0.02


@pytest.mark.parametrize("text", ["{}用着头皮痒", "买了{}，很好用", "感觉{}不如墨羽", "墨羽比{}好太多"])
def test_swapping_the_brand_moves_nothing(text: str) -> None:
    other = Target("Zeta9", ("Zeta9",))
    assert (figures(one(text.format("星澜"))) == figures(one(text.format("Zeta9"), other))).all()


def test_an_engine_that_knows_the_names_neutralizes_them_without_a_target() -> None:
    knowing = load(words=["坏孩子", "好太太"])
    first, other = (knowing.score([Request(f"买了{name}，头皮不痒了")])[0] for name in ("坏孩子", "好太太"))
    assert (figures(first) == figures(other)).all()


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("星澜太好用了，强烈推荐", "favor"),
        ("星澜难用死了，头皮痒", "against"),
        ("墨羽太难用了，还是星澜好用", "favor"),
        ("星澜不如墨羽", "against"),
        ("星澜完爆墨羽", "favor"),
        ("墨羽用完头皮痒，垃圾", "none"),
        ("#墨羽# 头皮痒死了，垃圾", "none"),
    ],
)
def test_stance_is_toward_the_target(text: str, side: str) -> None:
    stance = one(text).stance
    assert stance is not None
    assert max(("favor", "against", "none"), key=lambda name: getattr(stance, name)) == side


def test_a_post_may_favor_one_brand_and_be_against_another() -> None:
    text = "墨羽用完头皮痒，太垃圾了，星澜就很清爽，很喜欢"
    ours, theirs = engine().score([Request(text, OURS, (THEIRS,)), Request(text, THEIRS, (OURS,))])
    assert ours.stance is not None
    assert theirs.stance is not None
    assert ours.stance.favor > 0.5 > ours.stance.against
    assert theirs.stance.against > 0.5 > theirs.stance.favor


def test_what_cannot_be_read_leans_to_no_side_and_says_why() -> None:
    empty, other = one(""), one("nothing to read here for us")
    assert (empty.unscored, other.unscored) == ("empty", "other-language")
    assert empty.stance == Stance(0.0, 0.0, 1.0)
    assert (empty.neg, empty.neu, empty.pos) == (other.neg, other.neu, other.pos)
    assert empty.neg == empty.pos
    assert empty.polarity == 0.0
    assert engine().score([Request("")], fast=True)[0].unscored == "empty"


def test_posts_toward_many_targets_score_together_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("星澜", "墨羽", "华为", "雪落从不掉发而且一点也不油", "IphoneSE", "A1")
    targets = [Target(name, (name,)) for name in names]
    requests: list[Request] = []
    for at, text in enumerate([*POSTS, "", "转发微博//@某:很差", "#墨羽# 还行", "星澜不如墨羽"] * 3):
        target, other = targets[at % 6], targets[(at + 1) % 6]
        requests += [Request(text, target, (other,)), Request(text, target), Request(text)]
    alone = [engine().score([request])[0] for request in requests]
    fast = [engine().score([request], fast=True)[0] for request in requests]
    for at_once in (1, 7, 512):
        monkeypatch.setattr("nlp.score._AT_ONCE", at_once)
        assert engine().score(requests) == alone
        assert engine().score(requests, fast=True) == fast


def test_a_bare_repost_has_no_own_words() -> None:
    assert not one("转发微博//@路人:太难用了").own_words
    assert one("太难用了//@路人:真的吗").own_words


def test_traditional_text_reads_as_simplified() -> None:
    assert (figures(one("這個牌子頭皮越來越癢，太失望了")) == figures(one("这个牌子头皮越来越痒，太失望了"))).all()


def test_fast_is_tone_alone() -> None:
    (score,) = engine().score([Request("太失望了，客服不理人", OURS)], fast=True)
    assert score.stance is None
    assert score.cues == ()
    assert score.neg > 0.8


def test_criticism_has_cues_and_causes() -> None:
    score = one("刚买三天就降价，客服也不理人，失望透顶")
    assert {"price-grievance", "let-down"} <= {cue.code for cue in score.cues}
    assert {"price", "after-sales"} <= set(score.causes)


@pytest.mark.parametrize("text", [*POSTS, "星澜不如墨羽，头皮痒", "墨羽贵，星澜便宜又好用", "#星澜# 还行吧"])
@pytest.mark.parametrize("target", [None, OURS, Target("iPhoneSE", ("iPhoneSE",))])
def test_an_explanation_adds_up(text: str, target: Target | None) -> None:
    why = engine().explain(Request(text, target, (THEIRS,)))
    assert abs(sum(part.weight for part in why.words) + why.rest - why.log_odds) < 1e-4
    assert abs(sum(part.weight for part in why.clauses) + why.rest - why.log_odds) < 1e-4
    assert why.of == ("tone" if target is None else "stance")
    stance = why.score.stance
    if stance is None:
        assert abs(np.log(why.score.pos / why.score.neg) - why.log_odds) < 0.05 + abs(why.log_odds) * 0.05
    elif min(stance.favor, stance.against) > 0.02:
        assert abs(np.log(stance.favor / stance.against) - why.log_odds) < 0.1


@pytest.mark.parametrize("text", [*POSTS, "星澜不如墨羽，头皮痒", "求问星澜和墨羽哪个好？", "墨羽太油了", "#星澜# 还行吧"])
@pytest.mark.parametrize(
    "target", [None, OURS, Target("iPhoneSE", ("iPhoneSE",)), Target("星澜从不掉发而且便宜", ("星澜从不掉发而且便宜",))]
)
def test_every_probability_is_explained_in_weights_that_add_up(text: str, target: Target | None) -> None:
    found = engine().reasons(Request(text, target, (THEIRS,)))
    odds = {why.of: why.log_odds for why in found}
    for why in found:
        assert abs(sum(part.weight for part in why.words) + why.rest - why.log_odds) < 1e-4
        assert abs(sum(weight for _, weight in why.rests) - why.rest) < 1e-3, "the rest is told whole"
    score = found[0].score
    neg, neu, pos = np.exp(np.array([-odds["tone"] / 2, odds["neutral"], odds["tone"] / 2]))
    assert np.allclose(np.array([neg, neu, pos]) / (neg + neu + pos), (score.neg, score.neu, score.pos), atol=2e-4)
    if score.stance:
        none, favor = (1 / (1 + np.exp(-odds[of])) for of in ("none", "stance"))
        shares = ((1 - none) * favor, (1 - none) * (1 - favor), none)
        assert np.allclose(shares, (score.stance.favor, score.stance.against, score.stance.none), atol=2e-4)


def test_an_explanation_spells_the_names_as_they_were_given() -> None:
    (why, *_) = engine().reasons(Request("#雪落# 雪落太油，墨羽也一般，星澜好用", OURS, (THEIRS, Target("雪落", ("雪落",)))))
    assert "".join(part.words for part in why.words) == "雪落太油，墨羽也一般，星澜好用"
    assert "".join(part.words for part in why.clauses) == "雪落太油，墨羽也一般，星澜好用"


def test_what_speaks_for_no_stance_is_told() -> None:
    def none(text: str) -> dict[str, float]:
        return dict(engine().reasons(Request(text, OURS, (THEIRS,)))[1].rests)

    assert none("求问星澜怎么样？")["asking"] > 0.5
    assert none("墨羽太油了")["others"] > 0
    assert none("星澜不如墨羽")["comparison"] < 0


def test_an_explanation_of_nothing_is_empty() -> None:
    assert engine().explain(Request("", OURS)).words == ()
    assert engine().reasons(Request("not a word of ours", OURS)) == ()


def test_the_version_names_everything_a_score_depends_on() -> None:
    assert engine().version == load().version == one("好用").model
    assert load(words=["某某"]).version != engine().version
    arrays, lists = read_model(), {"cues.tsv": read_list("cues.tsv")}
    assert version_of(arrays, lists, ()) != version_of(arrays, {"cues.tsv": "x"}, ())


def test_a_model_file_is_written_and_read_again(tmp_path: Path) -> None:
    arrays = {name: array[:20_000] for name, array in read_model().items()}  # packing whole ones takes a minute
    write_model(tmp_path / "one.npz", arrays)
    write_model(tmp_path / "two.npz", arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    read = read_model(tmp_path / "one.npz")
    assert read.keys() == arrays.keys()
    assert all(read[name].dtype == arrays[name].dtype and np.array_equal(read[name], arrays[name]) for name in arrays)


def test_a_damaged_or_missing_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"not a model")
    for name in ("bad.npz", "none.npz"):
        with pytest.raises(ScoreError, match="listener nlp train"):
            load(tmp_path / name)
    write_model(tmp_path / "one.npz", {"format": np.array([2]), "table": np.arange(5000)})
    whole = (tmp_path / "one.npz").read_bytes()
    for place in range(0, len(whole), 97):  # one byte of it written wrong, anywhere
        (tmp_path / "bad.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        with suppress(ScoreError):
            read_model(tmp_path / "bad.npz")
    with pytest.raises(ScoreError, match="install the package again"):
        read_list("nothing.tsv")


def test_a_process_scores_as_this_one() -> None:
    requests = [Request(text, OURS, (THEIRS,)) for text in POSTS]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert executor.submit(score_batch, requests).result() == score_batch(requests)
    assert pickle.loads(pickle.dumps(requests)) == requests
