"""A denied trouble is no trouble, and a denied praise no praise."""

import pytest

from nlp.relief import LACK, MASK, masked


@pytest.mark.parametrize(
    "text",
    [
        "头皮不痒了",
        "没有异味",
        "再也没掉发",
        "没让我失望过",
        "膝盖不疼了",
        "腰不酸了",
        "没那么差",
        "底盘没响过",
        "不比进口的差",
        "不难喝",
    ],
)
def test_a_denied_trouble_is_masked(text: str) -> None:
    assert MASK in masked([text])[0]
    assert LACK not in masked([text])[0]


@pytest.mark.parametrize("text", ["谈不上舒服", "没有想象中好", "没有宣传的那么好"])
def test_a_denied_praise_is_masked_apart(text: str) -> None:
    assert LACK in masked([text])[0]
    assert MASK not in masked([text])[0]


@pytest.mark.parametrize(
    "text",
    ["头皮又痒了", "有没有异味", "是不是卡顿", "难不难受", "去不掉的味道", "没吃过这么难吃的", "不过卡片不错", "不好用", ""],
)
def test_what_denies_no_trouble_stays(text: str) -> None:
    assert masked([text]) == [text]


def test_a_text_reads_the_same_alone_and_in_a_batch_and_keeps_its_length() -> None:
    texts = ["不痒了", "不", "痒", "没有异味"]
    assert masked(texts) == [masked([text])[0] for text in texts]
    assert [len(text) for text in masked(texts)] == [len(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "再也没卡过",
        "不再掉发",
        "从不掉发",
        "从来没有掉色",
        "从没断连",
        "并不刺激",
        "毫无异味",
        "没有异味",
        "未过敏",
        "无异味",
        "不痒",
        "谈不上舒服",
        "算不上舒服",
        "称不上舒服",
        "说不上舒服",
    ],
)
def test_every_way_a_denial_begins_is_looked_for(text: str) -> None:
    (found,) = masked([text])
    assert MASK in found or LACK in found
