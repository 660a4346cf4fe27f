"""Cleaning: whose words these are, and what a name may move."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.results import Target
from nlp.text import names_in, normal, read

OURS = Target("星澜", ("星澜", "星澜控油洗发水", "Starlan"))
THEIRS = Target("墨羽", ("墨羽", "墨羽护发素"))


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("#星澜# 头皮好痒", "头皮好痒"),
        ("星澜控油洗发水:头皮好痒", "头皮好痒"),
        ("@星澜客服 你们太差了", "你们太差了"),
        ("头皮好痒 #星澜控油洗发水#", "头皮好痒"),
        ("头皮好痒 http://t.cn/A6P7ouJn", "头皮好痒"),
        ("回复@张三:说得对啊朋友", "说得对啊朋友"),
        ("这款不错 @~aabbccddee 快看", "这款不错 快看"),
        ("這個牌子頭很癢", "这个牌子头很痒"),
        ("ＡＢＣ很好", "abc很好"),
        ("哈哈哈哈哈哈哈真行", "哈哈哈真行"),
        ("starlan太油，starlander不油", "\ue000太油，starlander不油"),
        ("不如墨羽护发素啊", "不如\ue001啊"),
        ("星澜不如墨羽", "\ue000不如\ue001"),
        ("太难用了//@路人:哪里难用", "太难用了"),
        ("坏\x00的\ud800\u200b", "坏的"),
        ("#星澜避雷#", "避雷"),
    ],
)
def test_a_text_reads_as_its_own_words(text: str, body: str) -> None:
    assert read([text], OURS, (THEIRS,)).bodies == [body]


@pytest.mark.parametrize(
    ("text", "own", "reason"),
    [
        ("转发微博//@小明:真的很难用啊", False, None),
        ("转发微博", False, "no-words"),
        ("14//@小明:真的很难用啊", False, None),
        ("", True, "empty"),
        ("#星澜#", True, "empty"),
        ("good stuff, works for me", True, "other-language"),
        ("日本語のテキストですよ", True, "other-language"),
        ("👍👍", True, None),
        ("[doge][doge]", True, None),
        ("12345", True, "no-words"),
        ("好", True, None),
    ],
)
def test_what_cannot_be_read_says_why(text: str, own: bool, reason: str | None) -> None:
    reading = read([text], OURS)
    assert (reading.own_words, reading.unscored) == ([own], [reason])


def test_a_tag_tells_whom_the_text_is_about() -> None:
    reading = read(["#星澜# 好用", "#墨羽# 好用", "好用"], OURS, (THEIRS,))
    assert reading.tagged_target == [True, False, False]
    assert reading.tagged_rival == [False, True, False]


@settings(max_examples=200)
@given(
    st.lists(
        st.text(alphabet=st.sampled_from("好坏星澜墨羽@#/：: \n头皮[]doge!，.😊a1\x00\ud800"), max_size=30),
        min_size=1,
        max_size=6,
    )
)
def test_a_text_reads_the_same_alone_and_in_a_batch(texts: list[str]) -> None:
    together = read(texts, OURS, (THEIRS,))
    alone = [read([text], OURS, (THEIRS,)) for text in texts]
    assert together.bodies == [one.bodies[0] for one in alone]
    assert together.own_words == [one.own_words[0] for one in alone]
    assert together.unscored == [one.unscored[0] for one in alone]
    assert together.tagged_target == [one.tagged_target[0] for one in alone]


def test_normal_makes_words_comparable() -> None:
    assert normal(" ＩＰＨＯＮＥ  難用 ") == "iphone 难用"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("我觉得 " + "星澜墨羽" * 400 + "好用", "我觉得 " + "\ue000\ue001" * 400 + "好用"),
        ("今天 " + "#星澜##墨羽#" * 60 + "好用", None),
        (" " * 100_000 + "还行@小王", "还行"),
    ],
)
def test_walls_of_names_tags_and_blanks_take_no_time(text: str, body: str | None) -> None:
    (found,) = read([text], Target("星澜", ("星澜",)), (Target("墨羽", ("墨羽",)),)).bodies
    assert found.endswith("好用") if body is None else found == body


@pytest.mark.parametrize("long", [1, 3000])
def test_a_name_is_spelled_as_it_was_given(long: int) -> None:
    others = (THEIRS, Target("雪落", ("雪落",)))
    text = "#雪落# 墨羽护发素太油，雪落一般，STARLAN和星澜都行" + "，还可以吧" * long
    (body,) = read([text], OURS, others).bodies
    found = names_in(body, text, OURS, others)
    assert found == (["墨羽护发素", "雪落", "Starlan", "星澜"] if long == 1 else ["雪落", "雪落", "Starlan", "Starlan"])
    assert names_in("很好", "很好") == []


def test_of_a_wall_of_names_none_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("nlp.text.SequenceMatcher")  # would take a minute
    text, others = "星澜好Starlan，墨羽" * 600, (THEIRS, Target("雪落", ("雪落",)))
    (body,) = read([text], OURS, others).bodies
    assert set(names_in(body, text, OURS, others)) == {"星澜", "墨羽"}
