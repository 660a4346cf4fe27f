"""Words count only where they say what they seem to say."""

import pytest

from nlp import contexts, cues, lexicon, model
from nlp.lexicon import lexicon_of
from nlp.results import ScoreError
from nlp.text import RIVAL, TARGET

CUES = cues.lexicon_of(model.read_list(model.CUES).splitlines())


def codes_of(text: str, harm: float = 0.9) -> set[str]:
    return {cue.code for cue in cues.cues_of(text, CUES, harm)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("没有减配，放心", "product-grievance"),
        ("从没踩雷", "product-grievance"),
        ("如果下次还这样我会考虑取关", "defection"),
        ("有人说要脱粉，我不会", "defection"),
        ("求问大家会脱粉吗", "defection"),
        ("听说有异味", "product-grievance"),
        (f"避雷{RIVAL}，选{TARGET}", "dissuasion"),
        (f"取关了{RIVAL}，专心粉{TARGET}", "defection"),
        (f"{RIVAL}踩雷了，{TARGET}拯救我", "product-grievance"),
        ("今天做菜翻车了", "product-grievance"),
        ("拔草成功", "defection"),
        ("买错颜色退货了，客服很好", "after-sales"),
        ("内部空间大", "expose"),
        ("被美到破防", "let-down"),
        ("绝了，好看", "irony"),
        ("骚扰我的人已经拉黑", "silencing"),
        ("千万别错过", "dissuasion"),
        ("别买别家", "dissuasion"),
    ],
)
def test_the_same_words_that_mean_another_thing_make_no_cue(text: str, code: str) -> None:
    assert code not in codes_of(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("又减配了", "product-grievance"),
        ("新品翻车了，一点都不好用", "product-grievance"),
        ("拔草了，不值得", "defection"),
        ("再不退款就去投诉", "escalation"),
        ("申请退货被拒", "after-sales"),
        ("内部人士爆料", "expose"),
        ("说句实话就被官方拉黑", "silencing"),
        (f"{RIVAL}不如从前，不过{TARGET}也踩雷", "product-grievance"),
        (f"感谢{TARGET}让我的脸成功烂掉", "irony"),
    ],
)
def test_what_is_meant_is_heard(text: str, code: str) -> None:
    assert code in codes_of(text)


def test_a_threat_may_stand_after_an_if() -> None:
    assert contexts.is_meant("如果不退款就投诉", 6, 8, "escalation")
    assert not contexts.is_meant("如果不退款就取关", 6, 8, "defection")


def test_a_comparison_that_we_win_blames_nobody_of_ours() -> None:
    text = f"{TARGET}比{RIVAL}好，没踩雷"
    assert not contexts.is_meant(text, 0, 3, "product-grievance")
    assert contexts.is_meant(f"{TARGET}不如{RIVAL}", 1, 3, "product-grievance")


def test_alternatives_gaps_and_names_of_a_list() -> None:
    patterns = lexicon_of(["=店\t客服|商家", "ignored\t0.4\t<店>…3不理|已读[不|未]回\t理解", "", "# end"])
    assert [pattern.source for pattern in patterns] == ["(?:客服|商家)[^，。！？；,!?;\\n]{0,3}不理", "已读[不|未]回"]
    assert patterns[0].void is patterns[1].void
    assert list(lexicon._alternatives(r"a\|b|c")) == [r"a\|b", "c"]


@pytest.mark.parametrize("line", ["=甲\t(", "ignored\t0.4\t<乙>不理", "=甲", "ignored\t0.4\t不理\t("])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(ScoreError, match="line 2"):
        lexicon_of(["# origin", line])
