"""Whatever comes in, an answer is defined; and a name moves neither cue nor cause."""

from __future__ import annotations

import json
import math
import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.scoring import answers
from nlp.results import Explanation, Request, Score, Target
from nlp.score import Engine, load

OURS = Target("星澜", ("星澜", "星澜控油洗发水"))
THEIRS = (Target("墨羽", ("墨羽",)),)
REASONS = {None, "empty", "no-words", "other-language"}
ODD = [
    "",
    " ",
    "\n",
    "\x00",
    "\x00\x01\x02",
    "\ud800",
    "\udfff坏",
    "\ue000\ue001",
    "\u200b\u200d",
    "，",
    "。。。",
    "[微笑]",
    "😀",
    "好",
    "a",
    "1",
    "#星澜#",
    "@星澜",
    "//@某人:",
    "//@甲://@乙:",
    "转发微博",
    "http://t.cn/x",
    "#" * 999,
    "@" * 999,
    "[" * 500 + "]" * 500,
    "坏" * 100_000,
    "今天和星澜一起" + "还是" * 50_000 + "吃饭",
    "客服不理人，" * 20_000,
    "ก็ดี สินค้านี้",
    "This phone is terrible, I will never buy it again",
    "この製品は最悪です。もう買いません",
    "이 제품 정말 별로예요",
    "Отвратительный товар",
    "منتج سيء",
    "再买buy坏了ばかり좋다",
    "ＡＢＣ１２３",
    "𠀀𠀁𠀂很难用",
    "👨‍👩‍👧‍👦",
    "\u202e用难很",
    "a" * 100_000,
    "\x1b[31m垃圾\x1b[0m",
]
PIECES = [
    "星澜",
    "墨羽",
    "客服",
    "不理人",
    "再也不买",
    "脱粉",
    "减配",
    "太贵",
    "12315",
    "[微笑]",
    "//@",
    "@某人 ",
    "#话题#",
    "，",
    "。",
    "\n",
    "\x00",
    "\ud83d",
    "ก",
    "the ",
    "坏了",
    "真棒",
    "没有",
    "如果",
    "吗？",
    "😡",
    "http://t.cn/a ",
    "\u200b",
    "三个月",
    "没人处理",
    "比",
    "不如",
    "希望改进",
    "1",
]


@cache
def engine() -> Engine:
    return load()


def score_of(text: str, *, target: bool = True) -> Score:
    return engine().score([Request(text, OURS if target else None, THEIRS)])[0]


def check(score: Score) -> None:
    assert score.unscored in REASONS
    shares = [score.neg, score.neu, score.pos]
    assert all(0 <= share <= 1 for share in shares)
    assert math.isclose(sum(shares), 1, abs_tol=2e-4)
    if score.stance is not None:
        assert math.isclose(score.stance.favor + score.stance.against + score.stance.none, 1, abs_tol=2e-4)
    if score.unscored:
        assert (score.cues, score.causes, score.constructive) == ((), (), False)
        assert score.stance is None or score.stance.none == 1.0
    assert all(cue.code and cue.words for cue in score.cues)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_have_a_defined_answer(text: str) -> None:
    for target in (True, False):
        check(score_of(text, target=target))
    (fast,) = engine().score([Request(text)], fast=True)
    check(fast)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("\x00\ud800", "empty"),
        ("This phone is terrible, never again", "other-language"),
        ("この製品は最悪です。もう買いません", "other-language"),
        ("이 제품 정말 별로예요", "other-language"),
        ("Отвратительный товар", "other-language"),
        ("。。。！！", "no-words"),
        ("转发微博", "no-words"),
        ("12345", "no-words"),
    ],
)
def test_what_cannot_be_read_is_unscored_with_its_reason(text: str, reason: str) -> None:
    assert score_of(text).unscored == reason


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_a_defined_answer(text: str) -> None:
    check(score_of(text))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_mixture_has_a_defined_answer_alone_and_in_a_batch(text: str) -> None:
    alone = score_of(text)
    check(alone)
    others = [Request(one, OURS, THEIRS) for one in ("客服不理人", "", "星澜很好用")]
    assert engine().score([*others[:2], Request(text, OURS, THEIRS), others[2]])[2] == alone


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_line_is_answered(line: bytes) -> None:
    line = line.replace(b"\n", b" ")
    found = list(answers([line], []))
    assert len(found) == bool(line.strip())
    for one in found:
        assert isinstance(json.loads(one), dict)


def test_a_lone_surrogate_of_a_line_is_answered() -> None:
    (found,) = answers([b'{"text": "\\ud800\xe5\x9d\x8f\xe4\xba\x86", "target": "\\udfff"}'], [])
    assert "error" not in json.loads(found)


def test_rivals_named_in_a_line_are_read_as_rivals() -> None:
    text = "墨羽头皮痒得要命，避雷"
    lines = [json.dumps({"text": text, "target": "星澜", "rivals": names}).encode() for names in ([], ["墨羽"], "墨羽", [1])]
    plain, named, *wrong = map(json.loads, answers(lines, []))
    assert named["stance"]["none"] > plain["stance"]["none"]
    assert all("rivals" in one["error"] for one in wrong)


def test_a_long_random_run_has_defined_answers() -> None:
    rng = random.Random(20260301)
    planes = [
        (0x20, 0x7F),
        (0x4E00, 0x9FFF),
        (0x3040, 0x30FF),
        (0xAC00, 0xD7A3),
        (0, 0x20),
        (0xD800, 0xDFFF),
        (0x1F300, 0x1FAFF),
        (0xE000, 0xE010),
    ]
    texts = []
    for _ in range(3000):
        parts = []
        for _ in range(rng.randint(0, 12)):
            if rng.random() < 0.6:
                parts.append(rng.choice(PIECES))
            else:
                low, high = rng.choice(planes)
                parts.append(chr(rng.randint(low, high)) * rng.choice([1, 1, 1, 5]))
        texts.append("".join(parts))
    for score in engine().score([Request(text, OURS, THEIRS) for text in texts]):
        check(score)


COMPLAINTS = [
    "星澜客服三天不回消息，反馈了两个月没人处理",
    "用了星澜三年，现在脱粉了，再也不买",
    "星澜刚买三天就降价，还不给保价",
    "星澜新版明显减配，洗完头皮又痒",
    "星澜再不退款我就打12315投诉",
    "在星澜官博底下提意见被禁言",
    "真心喂了狗，星澜把老用户当韭菜割",
    "不如墨羽，星澜难用",
    "如果星澜降价我就买",
]
NAMES = ["星澜", "华为", "Apple", "小米", "雪落", "A1", "蒙牛", "京东"]


@pytest.mark.parametrize("text", COMPLAINTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_moves_no_cue(text: str, name: str) -> None:
    target = Target(name, (name,))
    plain = score_of(text)
    for dressed in ("{}", "#{n}# {}", "@{n} {}", "{} @{n}", "{} #{n}#", "#{n}[超话]# {}"):
        told = dressed.format(text.replace("星澜", name), n=name)
        (other,) = engine().score([Request(told, target, THEIRS)])
        assert {cue.code for cue in other.cues} == {cue.code for cue in plain.cues}, told
        assert other.causes == plain.causes, told
        assert other.constructive == plain.constructive, told


def adds_up(why: Explanation) -> None:
    for parts in (why.words, why.clauses):
        assert math.isclose(sum(part.weight for part in parts) + why.rest, why.log_odds, abs_tol=1e-3)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=25).map("".join), st.booleans())
def test_the_weights_of_an_explanation_always_add_up(text: str, with_target: bool) -> None:
    request = Request(text, OURS if with_target else None, THEIRS if with_target else ())
    why = engine().explain(request)
    adds_up(why)
    assert why.score == engine().score([request])[0]
    assert {part.owner for part in why.clauses} <= {"target", "rival", "both", "quoted"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_any_text_can_be_explained(text: str) -> None:
    adds_up(engine().explain(Request(text, OURS, THEIRS)))
