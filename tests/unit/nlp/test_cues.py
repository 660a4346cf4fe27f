"""Cues and causes: what a PR person acts on, read in its clause."""

import pytest

from nlp import cues, model
from nlp.results import Cue, ScoreError

CUES = cues.lexicon_of(model.read_list(model.CUES).splitlines())
CAUSES = cues.lexicon_of(model.read_list(model.CAUSES).splitlines())


def codes_of(text: str, harm: float = 0.9) -> set[str]:
    return {cue.code for cue in cues.cues_of(text, CUES, harm)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("三年老粉，今天脱粉了", "defection"),
        ("粉转黑，就这样吧", "defection"),
        ("以后再也不会买了", "defection"),
        ("不会再来了，最后一次光顾", "defection"),
        ("这次真的太失望了", "let-down"),
        ("一片真心喂了狗", "let-down"),
        ("被当韭菜割了一次又一次，割韭菜", "used"),
        ("客服不回消息", "ignored"),
        ("互相踢皮球", "ignored"),
        ("新版明显减配", "product-grievance"),
        ("收到的是假货", "product-grievance"),
        ("刚买三天就降价", "price-grievance"),
        ("妥妥的智商税", "price-grievance"),
        ("售后态度恶劣", "after-sales"),
        ("拒绝退款", "after-sales"),
        ("反馈了三个月还没有处理", "unresolved"),
        ("已经在黑猫投诉了", "escalation"),
        ("我要打12315", "escalation"),
        ("评论区控评", "silencing"),
        ("我的差评被删了", "silencing"),
        ("内部员工爆料", "expose"),
        ("大家千万不要买", "dissuasion"),
        ("姐妹们快避雷", "dissuasion"),
        ("呵呵，真是好样的", "irony"),
        ("好评返现五元", "incentivized"),
    ],
)
def test_a_cue_is_heard(text: str, code: str) -> None:
    assert code in codes_of(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("从来没有让我失望", "let-down"),
        ("不是假货，可以放心", "product-grievance"),
        ("孩子被宠坏了", "product-grievance"),
        ("千万别错过这次活动", "dissuasion"),
        ("再也不用担心头屑", "defection"),
        ("曝光度很高", "escalation"),
        ("她捂嘴轻笑", "silencing"),
        ("客服给退了差价", "after-sales"),
        ("这不是智商税", "price-grievance"),
    ],
)
def test_the_same_words_in_another_sense_are_no_cue(text: str, code: str) -> None:
    assert code not in codes_of(text)


def test_a_grievance_needs_harm() -> None:
    assert codes_of("售后态度很差劲", 0.1) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("是不是收了品牌多少钱啊", "accusation-paid"),
        ("\ue000的托实锤了", "accusation-paid"),
        ("又来恰饭了？", "accusation"),
        ("每次都报喜不报忧", "accusation"),
    ],
)
def test_a_charge_needs_no_harm_and_may_be_asked(text: str, code: str) -> None:
    assert code in codes_of(text, harm=0.0)


@pytest.mark.parametrize(
    "text",
    [
        "恭喜博主恰饭，支持",
        "别再说博主恰饭了，人家自费的",
        "有人说你恰饭，我不信",
        "\ue001的水军又来了",
        "我不是托，真的好用",
        "一瓶多少钱",
    ],
)
def test_what_charges_nobody_or_somebody_else_is_no_accusation(text: str) -> None:
    assert not {code for code in codes_of(text) if code.startswith("accusation")}


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("\ue000拜拜，\ue001真香", True),
        ("这次真的换\ue001了，效果好得多", True),
        ("家里的\ue000全送人了，现在清一色\ue001", True),
        ("要不要换\ue001啊", False),
        ("从\ue001换成\ue000，真香", False),
        ("\ue001不如\ue000，谁换\ue001谁后悔", False),
        ("\ue000和\ue001都在用", False),
        ("曾经换成\ue001用过一阵，又回到\ue000", False),
        ("闺蜜都换成\ue001了，我还是用\ue000", False),
    ],
)
def test_a_move_to_a_rival_is_told_from_a_comparison(text: str, moves: bool) -> None:
    assert ("switch" in codes_of(text, harm=0.0)) is moves


@pytest.mark.parametrize(
    "text",
    [
        "表姐在\ue000的车间打包，返修的瓶子擦干净直接再封膜",
        "同事老公是\ue000质检，说这批次有两项没过，领导签字放行了",
        "\ue000那张入库单是朋友拍的，日期是后打的",
    ],
)
def test_insiders_who_speak_soberly_are_heard(text: str) -> None:
    assert "expose" in codes_of(text, harm=0.2)


def test_a_cue_shows_its_words_once() -> None:
    assert cues.cues_of("太失望了，太失望了", CUES, 0.9) == (Cue("let-down", "太失望"),)


def test_only_candidates_are_looked_for() -> None:
    assert cues.cues_of("太失望了", CUES, 0.9, candidates=[]) == ()
    assert cues.causes_of("物流太慢", CAUSES, 0.9, candidates=[]) == ()


def test_a_long_complaint_with_proof_and_order_is_told_from_a_rant() -> None:
    begin, end = "首先我三月一日下单，我的订单截图在图一。", "结果第二天又说没有记录，拒绝退款，聊天记录为证。"
    story = begin + "然后客服说会处理，" * 12 + end
    assert "complaint" in codes_of(story)
    assert "complaint" not in codes_of("太差了" * 60)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("质量太差", "product"),
        ("客服态度恶劣", "after-sales"),
        ("物流太慢", "logistics"),
        ("太贵了不值", "price"),
        ("虚假宣传", "marketing"),
        ("品牌方拖欠稿费", "cooperation"),
    ],
)
def test_criticism_has_a_cause(text: str, cause: str) -> None:
    assert cause in cues.causes_of(text, CAUSES, 0.9)
    assert cues.causes_of(text, CAUSES, 0.1) == ()


@pytest.mark.parametrize(
    ("text", "constructive"),
    [
        ("整体不错，就是泵头容易坏，希望能改进", True),
        ("垃圾东西，希望你们倒闭", False),
        ("希望改进，不然再也不买了", False),
        ("不好用", False),
    ],
)
def test_mild_honest_criticism_is_told_from_hostility(text: str, constructive: bool) -> None:
    assert cues.is_constructive(text, 0.8, cues.cues_of(text, CUES, 0.8)) is constructive


def test_praise_is_never_constructive_criticism() -> None:
    assert not cues.is_constructive("很好，希望一直这样", 0.1, ())


@pytest.mark.parametrize("line", ["code\t0.5\t(", "code\tmuch\t失望", "code"])
def test_a_bad_line_of_a_word_list_is_named(line: str) -> None:
    with pytest.raises(ScoreError, match="line 2"):
        cues.lexicon_of(["# origin", line])


def test_who_went_and_came_back_and_who_tells_of_friends_leaves_nobody() -> None:
    assert "defection" in codes_of("换成\ue001了，不会再用")
    assert "defection" not in codes_of("曾经换成\ue001用过一阵，烂脸，又回到\ue000")
    assert "defection" not in codes_of("朋友都换成\ue001了，我还是用\ue000")


def test_a_rival_s_money_is_no_charge_that_ours_was_paid() -> None:
    assert "accusation-paid" in codes_of("\ue000给了你多少钱")
    assert "accusation-paid" not in codes_of("\ue001给了你多少钱让你黑\ue000")
