"""Farewells: whose they are, and of what."""

import pytest

from nlp.farewells import leaves
from nlp.features import code_points
from nlp.grams import codes_of
from nlp.results import Target
from nlp.stance import LEFT, regions_of
from nlp.text import read

OURS, THEIRS = Target("青柚", ("青柚",)), (Target("墨丝", ("墨丝",)),)


def left(text: str) -> bool:
    return leaves(read([text], OURS, THEIRS).bodies[0])


@pytest.mark.parametrize(
    "text",
    [
        "喜欢了青柚十年，今天脱粉",
        "用了八年青柚，以后不用了",
        "用了八年青柚，今天正式脱粉，再见，不会回来了",
        "曾经逢人就夸，现在粉转黑，青柚你自己作的",
        "#青柚# 安利了五年，今天取关了",
        "青柚这次真的寒心，以后再也不买了",
        "脱粉青柚，原因就一个，客服",
        "青柚陪了我整个大学，谢谢，但我不会再回购了。",
        "青柚新配方用完这瓶就退坑了",
        "以后都不会再买青柚了，没什么好说的",
        "从此路转黑，青柚",
    ],
)
def test_a_farewell_is_told(text: str) -> None:
    assert left(text)


@pytest.mark.parametrize(
    "text",
    [
        "好多人脱粉，我还在用青柚",
        "我是不会脱粉的，青柚加油",
        "青柚再涨价我就脱粉",
        "要是青柚停产，我以后就不洗头了",
        "用了青柚，再也不用担心头皮屑",
        "有了青柚以后不用早起洗头了",
        "用了青柚再也不买别家了",
        "墨丝太油了，再也不买了，回来用青柚",
        "脱粉墨丝，入坑青柚",
        "你们会因为这事脱粉青柚吗？",
        "差点脱粉，青柚这次处理得不错",
        "闺蜜说她要脱粉青柚",
        "青柚让我取关注列表里清一下",
        "青柚会不会从此一蹶不振",
        "今天去青柚门店，下次再去",
        "用了五年青柚，一直回购",
        "脱粉是不可能脱粉的，青柚天下第一",
        "网上都在喊脱粉青柚，看热闹",
        "粉转路之后才发现青柚的好，真的换对了",
        "东西坏了青柚修好了，本来以为要不回来了",
        "青柚的鱼干救不回来的厨艺",
        "退坑汉服，青柚两套出",
        "青柚的老师，我取关了前一百个只留他",
        "用了一个月青柚，头皮很舒服，强烈推荐，今天的分享就到这里，我们下期见！",
        "有了青柚护发精油，发膜再也不用了",
        "青柚太好用了，以前的洗发水再也不用了",
        "爱豆脱粉了，但青柚还是回购",
        "用了青柚，头皮屑再也不来了",
        "代言人塌房了，取关了他，青柚还是好用",
        "青柚，缘分尽在这一瓶里，爱了",
        "",
    ],
)
def test_what_is_no_farewell_is_not(text: str) -> None:
    assert not left(text)


def test_a_farewell_to_a_tagged_rival_is_none_to_us() -> None:
    readings = read(["#墨丝# 用了十年，今天脱粉", "#青柚# 用了十年，今天脱粉"], OURS, THEIRS)
    codes, starts = code_points(readings.bodies), codes_of(readings.bodies)[1]
    assert regions_of(readings, codes, starts).wins.tolist() == [0.0, LEFT]


def test_a_wall_of_farewells_is_read_at_once() -> None:
    assert not left("不再买别的，" * 20_000)
