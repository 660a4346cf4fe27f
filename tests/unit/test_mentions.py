"""Whom a post speaks of, and how that is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.mentions import (
    MEDIA_ONLY,
    OWN_ACCOUNT,
    SOMEBODY,
    at_names_of,
    brands_fingerprint,
    finder_of,
    fold,
    mention_of,
    requests_of,
    words_of,
)
from nlp.results import Cue, Score, Stance
from storage.records import Brand, CueHit, Media, ParentPost, PostKey, Rival, StalePost

RIVALS = (Rival("墨羽", ("MOYU",), ("墨羽护发素",)), Rival("青禾"))
BRAND = Brand(
    "星澜",
    aliases=("Xing Lan",),
    products=("星澜柔顺精油",),
    nicknames=("澜澜",),
    homophones=("xl",),
    emoji=("🌟🌊",),
    rivals=RIVALS,
)
OTHER = Brand("白露", rivals=(Rival("星澜"),))
POST = StalePost(1, 0, PostKey("weibo", "1"), "post", "a" * 64, datetime(2026, 1, 1, tzinfo=UTC), "", (), ("s",), ())
OURS, RIVAL = "星澜", "墨羽"
TOKEN = "@~0123456789"


def wanted_of(text="", *, brands=(BRAND,), about=None, unmask=None, own=None, **changes):
    return requests_of(replace(POST, text=text, **changes), brands, about or {}, unmask or {}, own)


def found_in(text, **more):
    return [(w.target, w.via) for w in wanted_of(text, **more)]


def parent_of(text, *, sources=(), author="p" * 64, brands=()):
    return ParentPost(PostKey("weibo", "0"), text, author, sources, brands)


# ------------------------------------------------------------------------------------------------------- by name


NAMED = """星澜真好用|買了星瀾|#星澜# 打卡|澜澜今天也|🌟🌊 yyds|XL回购|ｘｌ回购|Xing Lan|xinglan|星\u200b澜|用的xl，好"""
UNNAMED = """今天天气好|xlsx 表格|axl 真好|https://x.example/xl/1 看看|www.xl.example|写信 a@xl1.example|"""


@pytest.mark.parametrize("text", NAMED.split("|"))
def test_a_brand_is_found_by_any_of_its_words(text):
    assert found_in(text) == [(OURS, "named")]


@pytest.mark.parametrize("text", UNNAMED.split("|"))
def test_a_latin_name_inside_another_word_or_an_address_is_no_mention(text):
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("iPhone", "iPhone15真香", True),
        ("iPhone", "我的iphone很好", True),
        ("iPhone", "iphones", False),
        ("phone", "iphone", False),
        ("P60", "P60Pro", True),
        ("P60", "P600", False),
        ("3M", "用3M的", True),
        ("3M", "13m", False),
        ("Éclat", "ECLAT", False),
        ("Éclat", "e\u0301clat 好", True),
        ("Лада", "Лада!", True),
        ("Лада", "баллада", False),
        ("C++", "学C++吧", True),
        ("Coca-Cola", "coca cola 好喝", True),
        ("兰·蔻", "兰蔻", True),
        ("a b", "AB", True),
        ("(试)", "(试)用", True),
    ],
)
def test_names_keep_the_borders_of_their_script(name, text, is_found):
    assert bool(found_in(text, brands=(Brand(name),))) is is_found


def test_the_longest_name_wins_whatever_the_order():
    brands = (Brand("星澜"), Brand("星澜之光"), Brand("iphone"), Brand("iphone se"))
    assert found_in("星澜之光上市", brands=brands) == [("星澜之光", "named")]
    assert found_in("iphone se好", brands=brands) == [("iphone se", "named")]
    assert found_in("iphone sea", brands=brands) == [("iphone", "named")]
    assert found_in("星澜和星澜之光", brands=brands) == [("星澜", "named"), ("星澜之光", "named")]


@given(st.lists(st.text("ab 1星澜-", min_size=1, max_size=5), min_size=1, max_size=6), st.text("ab 1星澜-", max_size=12))
def test_every_name_finds_itself_and_every_find_is_a_name(names, text):
    brands = tuple(Brand(name) for name in dict.fromkeys(names) if any(c.isalnum() for c in name))
    finder = finder_of(brands, {}, {})
    for brand in brands:
        assert any(fold(brand.name).replace(" ", "").replace("-", "") in fold(o.brand).replace(" ", "").replace("-", "")
                   for o in finder.named_in(f"，{brand.name}，"))  # fmt: skip
    squeezed = fold(text).replace(" ", "").replace("-", "")
    for owner in finder.named_in(text):
        assert fold(owner.brand).replace(" ", "").replace("-", "") in squeezed


def test_without_brands_nothing_is_found():
    assert found_in("星澜", brands=()) == []
    assert found_in("星澜", brands=(Brand(" - "),)) == []


def test_an_at_name_of_the_brand_is_read_again_and_a_person_is_somebody():
    wanted = wanted_of(f"{TOKEN} 和 @~ffffffffff 太失望了", unmask={TOKEN: OURS})
    assert [(w.target, w.via) for w in wanted] == [(OURS, "named")]
    assert wanted[0].request.text == f"@{OURS} 和 {SOMEBODY} 太失望了"


def test_no_workspace_secret_reaches_the_scorer():
    one = wanted_of("星澜 @~0123456789 好")
    other = wanted_of("星澜 @~9876543210 好")
    assert one == other


def test_hex_of_a_token_names_no_brand():
    assert found_in("@~abc1230000 你好", brands=(Brand("abc123"),)) == []


# -------------------------------------------------------------------------------------------------------- rivals


def test_each_rival_named_is_a_mention_of_its_own():
    wanted = wanted_of("从星澜换到墨羽护发素，青禾也行")
    assert [(w.brand, w.target, w.is_rival) for w in wanted] == [(OURS, OURS, False), (OURS, RIVAL, True), (OURS, "青禾", True)]
    assert [w.request.target.name for w in wanted] == [OURS, RIVAL, "青禾"]
    assert [t.name for t in wanted[0].request.others] == [RIVAL, "青禾"]
    assert {t.name for t in wanted[1].request.others} == {OURS, "青禾"}
    assert not any(w.request.inherited for w in wanted)


def test_a_brand_of_ours_may_be_the_rival_of_another():
    wanted = wanted_of("星澜好", brands=(BRAND, OTHER))
    assert [(w.brand, w.target, w.is_rival) for w in wanted] == [(OURS, OURS, False), ("白露", OURS, True)]


def test_all_words_of_a_target_go_to_the_scorer():
    assert set(wanted_of("xl")[0].request.target.words) == set(words_of(BRAND))


# ----------------------------------------------------------------------------------------------------- inherited


def test_a_source_about_the_brand_speaks_for_a_post_that_names_none():
    wanted = wanted_of("用了一周，头发干枯", about={"s": OURS})
    assert [(w.target, w.via, w.request.inherited) for w in wanted] == [(OURS, "source", True)]


def test_a_post_that_speaks_only_of_another_brand_inherits_nothing():
    assert found_in("墨羽真好", about={"s": OURS}) == [(RIVAL, "named")]
    assert found_in("墨羽真好", parents=(parent_of("星澜好用吗"),)) == [(RIVAL, "named")]
    assert found_in("白露真好", brands=(BRAND, OTHER), about={"s": OURS}) == [("白露", "named")]


def test_a_source_about_a_brand_that_is_gone_says_nothing():
    assert found_in("头发干枯", about={"s": "旧牌子"}) == []


def test_a_comment_inherits_from_a_parent_that_names_the_brand():
    wanted = wanted_of("太难用了", kind="comment", parents=(parent_of("星澜新品上市"),))
    assert [(w.target, w.via, w.request.inherited) for w in wanted] == [(OURS, "parent", True)]


def test_a_comment_inherits_from_a_parent_in_a_source_about_the_brand():
    assert found_in("难用", parents=(parent_of("新品上市", sources=("g",)),), about={"g": OURS}) == [(OURS, "parent")]


def test_a_comment_inherits_from_the_brands_own_account():
    own = {"p" * 64: OURS}
    assert found_in("难用", parents=(parent_of("新品上市，对比墨羽"),), own=own) == [(OURS, "parent")]


def test_a_comment_inherits_from_a_parent_whose_text_is_purged():
    assert found_in("难用", parents=(parent_of("", brands=(OURS,)),)) == [(OURS, "parent")]


def test_nearest_first_the_root_speaks_only_where_the_parent_names_no_brand():
    root = parent_of("星澜新品")
    assert found_in("是吗", parents=(parent_of("我也觉得"), root)) == [(OURS, "parent")]
    assert found_in("是吗", parents=(parent_of("我用墨羽"), root)) == []


def test_what_a_parent_only_inherits_is_not_inherited_further():
    assert found_in("是吗", parents=(parent_of("//@~0123456789:星澜好"),)) == []


def test_no_brand_and_nothing_inherited_is_no_mention():
    assert found_in("是吗", parents=(parent_of("天气好"),)) == []


# ------------------------------------------------------------------------------------------------------- reposts


def test_what_a_repost_quotes_is_its_parent():
    wanted = wanted_of(f"再也不买 //{TOKEN}:星澜好用", kind="repost")
    assert [(w.target, w.via, w.request.inherited) for w in wanted] == [(OURS, "parent", True)]


def test_a_bare_repost_is_read_by_what_it_quotes():
    wanted = wanted_of(f"转发微博 //{TOKEN}:星澜好用，比墨羽强", kind="repost")
    assert [(w.target, w.via, w.request.inherited) for w in wanted] == [(OURS, "parent", False)]


def test_own_words_about_a_rival_over_a_quote_about_us_are_about_the_rival():
    assert found_in(f"墨羽更好 //{TOKEN}:星澜好用") == [(RIVAL, "named")]


def test_a_quote_about_a_rival_alone_says_nothing_of_us():
    assert found_in(f"哈哈 //{TOKEN}:墨羽好用", parents=(parent_of("星澜"),)) == []


# --------------------------------------------------------------------------------------------------------- media


@pytest.mark.parametrize("text", ["", "分享图片", "[图片]", "http://t.cn/A6x5Kz 分享视频", "小红的微博视频", " 。"])
def test_a_picture_without_words_is_not_read(text):
    wanted = wanted_of(text, media=(Media("image"),), about={"s": OURS})
    assert [(w.target, w.unscored, w.request.text) for w in wanted] == [(OURS, MEDIA_ONLY, "")]


def test_words_in_a_picture_are_read_where_the_post_has_none():
    wanted = wanted_of("分享图片", media=(Media("image", caption="星澜翻车", text="头发干枯"),))
    assert [(w.via, w.unscored, w.request.text, w.request.inherited) for w in wanted] == [
        ("named", None, "星澜翻车\n头发干枯", False)
    ]


def test_a_brand_in_a_picture_is_what_the_words_beside_it_speak_of():
    wanted = wanted_of("太失望了", media=(Media("image", text="星澜洗发水"),))
    assert [(w.target, w.via, w.request.text, w.request.inherited) for w in wanted] == [(OURS, "named", "太失望了", True)]


def test_a_face_is_a_word():
    assert wanted_of("😡", media=(Media("image"),), about={"s": OURS})[0].unscored is None


def test_what_the_brand_says_itself_is_nobodys_opinion():
    assert wanted_of("星澜上新", own={POST.author_key: OURS})[0].unscored == OWN_ACCOUNT


# ------------------------------------------------------------------------------------------------------ mentions


SCORE = Score(
    0.7, 0.2, 0.1, -0.6, Stance(0.1, 0.8, 0.1), (Cue("let-down", "太失望"),), True, False, None, -5, "m1"
)  # fmt: skip


def test_a_mention_is_complete_when_made():
    wanted = wanted_of("星澜太失望")[0]
    mention = mention_of(POST, wanted, SCORE)
    assert (mention.key, mention.brand, mention.target, mention.is_rival, mention.via) == (POST.key, OURS, OURS, False, "named")
    assert (mention.neg, mention.neu, mention.pos) == (0.7, 0.2, 0.1)
    assert (mention.favor, mention.against, mention.none) == (0.1, 0.8, 0.1)
    assert mention.cues == (CueHit("let-down", "太失望"),)
    assert (mention.constructive, mention.own_words, mention.unscored, mention.fingerprint, mention.model) == (
        True,
        False,
        None,
        -5,
        "m1",
    )


def test_why_nothing_could_be_read_comes_from_us_before_the_scorer():
    silent = replace(SCORE, unscored="empty")
    assert mention_of(POST, wanted_of("星澜")[0], silent).unscored == "empty"
    assert mention_of(POST, wanted_of("", media=(Media("image"),), about={"s": OURS})[0], silent).unscored == MEDIA_ONLY


def test_a_score_without_a_stance_is_a_bug():
    with pytest.raises(ValueError, match="without a stance"):
        mention_of(POST, wanted_of("星澜")[0], replace(SCORE, stance=None))


# --------------------------------------------------------------------------------------------------- fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        replace(BRAND, aliases=()),
        replace(BRAND, homophones=(*BRAND.homophones, "星兰")),
        replace(BRAND, rivals=RIVALS[:1]),
        replace(BRAND, rivals=(replace(RIVALS[0], products=()), RIVALS[1])),
        replace(BRAND, accounts=(("weibo", "1"),)),
    ],
)
def test_the_fingerprint_changes_with_what_mentions_are_made_from(changed):
    assert brands_fingerprint((BRAND,), {}) != brands_fingerprint((changed,), {})


def test_the_fingerprint_changes_with_what_sources_are_about():
    assert brands_fingerprint((BRAND,), {"s": OURS}) != brands_fingerprint((BRAND,), {})


def test_the_fingerprint_does_not_see_order_or_claims():
    other = replace(BRAND, rivals=RIVALS[::-1], claims=("无硅油",), categories=("洗发水",))
    assert brands_fingerprint((BRAND, OTHER), {"a": OURS, "b": OURS}) == brands_fingerprint(
        (OTHER, other), {"b": OURS, "a": OURS}
    )


def test_the_names_an_official_account_may_have_are_known():
    assert {"星澜", "星澜官方旗舰店", "Xing Lan官方"} <= set(at_names_of(BRAND))
    assert "墨羽客服" in at_names_of(RIVALS[0])


def test_a_finder_is_made_once_for_the_same_brands():
    assert finder_of((BRAND,), {"s": OURS}, {}) is finder_of([BRAND], {"s": OURS}, {})


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)
