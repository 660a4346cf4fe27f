"""Near-duplicates are near, others are far."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.fingerprint import _grams, distance, fingerprints

POST = "这款洗发水用了两周，头皮越来越痒，客服说会反馈，三个月没有人理我，以后不会再买了"


def test_another_name_mark_or_figure_changes_nothing() -> None:
    one, other = fingerprints([POST, POST.replace("，", " ！") + "\ue000 12345"])
    assert distance(one, other) == 0


def test_a_few_words_more_change_few_bits() -> None:
    one, other, far = fingerprints([POST, POST + "真的气死了", "今天天气很好，和朋友去公园散步，晚上吃了火锅，开心的一天"])
    assert distance(one, other) <= 12
    assert distance(one, far) >= 16


def test_nothing_has_the_fingerprint_zero() -> None:
    assert fingerprints(["", "！！！"]) == [0, 0]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_a_fingerprint_is_the_same_alone_and_in_a_batch(bodies: list[str]) -> None:
    bodies = [body.replace("\0", "").encode("utf-8", "ignore").decode() for body in bodies]
    assert fingerprints(bodies) == [fingerprints([body])[0] for body in bodies]
    assert all(-(2**63) <= one < 2**63 for one in fingerprints(bodies))


NEAR = 10  # bits: below it lie four in five slightly reworded posts and none of 60,000 pairs of different reviews


def test_slightly_reworded_posts_are_near() -> None:
    for other in (
        "唉，" + POST,
        POST.replace("三个月", "两个月"),
        POST.replace("，以后不会再买了", "，以后不会再买啦"),
        POST + "大家注意",
        POST.replace("客服说会反馈，三个月没有人理我", "三个月没有人理我，客服说会反馈"),
    ):
        assert distance(*fingerprints([POST, other])) <= NEAR, other


def test_different_short_posts_are_not_taken_for_one() -> None:
    short = [
        "太差了",
        "质量太差了",
        "不好用",
        "很好用",
        "好用",
        "很失望",
        "再也不买了",
        "不会再买了",
        "客服不理人",
        "太贵了",
        "垃圾",
        "没效果",
    ]
    prints = fingerprints(short)
    for place, one in enumerate(prints):
        assert all(distance(one, other) > NEAR for other in prints[place + 1 :]), short[place]


def test_each_bit_of_a_long_text_is_the_vote_of_all_its_grams() -> None:
    body = "好用" * 300 + "".join(chr(0x4E00 + (7 * n * n) % 977) for n in range(1300))
    codes = np.array([ord(sign) for sign in body], np.uint64)
    grams = [int(gram) for found, _ in _grams(codes, np.zeros(len(codes), np.intp)) for gram in found]
    voted = sum(1 << bit for bit in range(64) if sum(gram >> bit & 1 for gram in grams) * 2 > len(grams))
    assert fingerprints([body])[0] & 0xFFFFFFFFFFFFFFFF == voted
