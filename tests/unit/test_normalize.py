"""Items become posts: nobody's name or id stays in clear, nothing that was said is lost."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.normalize import NormalizeError, at_token, author_key_of, clean, mask, normalize_item
from spiders.items import Item, ItemMedia
from storage.records import Counts, PostKey

KEY = b"k" * 32
AT = datetime(2026, 3, 1, 20, 0, tzinfo=timezone(timedelta(hours=8)))
ITEM = Item("weibo", "1", "u1", AT, "星澜好用")


def post_of(**changes):
    return normalize_item(replace(ITEM, **changes), source="微博", key=KEY)


def test_a_post_carries_all_that_the_item_said():
    post = post_of(
        url="https://weibo.com/1/1", kind="comment", parent_id="9", root_id="8", likes=3, comments=0, reposts=None, views=7,
        media=(ItemMedia("image", "https://x/1.jpg", "配图", "图里的字"),), seen_at=AT + timedelta(hours=1),
    )  # fmt: skip
    assert post.key == PostKey("weibo", "1")
    assert (post.kind, post.parent_id, post.root_id, post.source) == ("comment", "9", "8", "微博")
    assert post.counts == Counts(likes=3, comments=0, reposts=None, views=7)
    assert post.posted_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert post.posted_at.tzinfo is UTC
    assert post.seen_at - post.posted_at == timedelta(hours=1)
    assert (post.media[0].caption, post.media[0].text) == ("配图", "图里的字")


def test_seen_at_left_out_is_posted_at():
    assert post_of().seen_at == post_of().posted_at


def test_the_author_is_stored_under_a_keyed_hash_only():
    post = post_of(author_name="小红")
    assert post.author_key == author_key_of(KEY, "weibo", "u1")
    assert len(post.author_key) == 64
    assert author_key_of(b"other" * 8, "weibo", "u1") != post.author_key
    assert "小红" not in repr(replace(post, raw=b""))


@given(st.text("ab:/|\\", min_size=1, max_size=4), st.text("ab:/|\\", min_size=1, max_size=4))
def test_no_two_pairs_of_platform_and_id_share_a_key(platform, author):
    whole = platform + author
    others = {(whole[:i], whole[i:]) for i in range(1, len(whole))} - {(platform, author)}
    assert author_key_of(KEY, platform, author) not in {author_key_of(KEY, *other) for other in others}


def test_a_name_in_a_text_has_another_key_than_an_author_of_that_id():
    assert at_token(KEY, "u1")[2:] != author_key_of(KEY, "weibo", "u1")[:10]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("@小红 好用", "{小红} 好用"),
        ("你好@小红，好用", "你好{小红}，好用"),
        ("//@小红:转发//@a_b-c：好", "//{小红}:转发//{a_b-c}：好"),
        ("回复@小红:谢谢", "回复{小红}:谢谢"),
        ("＠小红 全角", "{小红} 全角"),
        ("@小红😂😂", "{小红}😂😂"),
        ("hello@小明 hi", "hello{小明} hi"),
        ("@玛丽·居里：好", "{玛丽·居里}：好"),
        ("@ann@mastodon.social hi", "{ann@mastodon.social} hi"),
        ("https://x.example/@ann/1", "https://x.example/{ann}/1"),
        ("写信 a.b+c@example.com.cn 吧", "写信 a.b+c@example.com.cn 吧"),
        ("a@b.com@小红", "a@b.com{小红}"),
        ("没有 @ 名字 @", "没有 @ 名字 @"),
        ("@🌟小红🌟 好", "{小红} 好"),
        ("@🌟小红😂😂", "{小红}😂😂"),
        ("@👩\u200d🔬❤\ufe0f小红：好", "{小红}：好"),
        ("@1\ufe0f\u20e3小红 好", "{小红} 好"),
        ("//@♡小红♡:好", "//{小红}:好"),
        ("@(小红)好", "{小红}好"),
        ("＠（小红）：好", "{小红}：好"),
        ("@【小红】@「小红」@《小红》", "{小红}{小红}{小红}"),
        ("@[🌟小红🌟]好[开心]", "{小红}好[开心]"),
        ("@🌟(小红)🌟好", "{小红}好"),
        ("@（小红 说，好）", "{小红} 说，好）"),
        ("@(^_^)@ @，小红 @😂 @（）", "@(^_^)@ @，小红 @😂 @（）"),
        ("@(a.b@example.com) @🌟a@b.cn", "@(a.b@example.com) @🌟a@b.cn"),
        ("root@[127.0.0.1] 或 root@[IPv6:::1]", "root@[127.0.0.1] 或 root@[IPv6:::1]"),
        ("已遮 @~0123456789", "已遮 @~0123456789"),
    ],
)
def test_at_names_are_masked_and_all_else_stays(text, kept):
    for name in ("小红", "小明", "a_b-c", "玛丽·居里", "ann@mastodon.social", "ann"):
        kept = kept.replace("{" + name + "}", at_token(KEY, name))
    assert mask(text, KEY) == kept


def test_names_in_captions_and_in_pictures_are_masked_too():
    media = post_of(media=(ItemMedia("image", "", "@小红 拍的", "水印@小红"),)).media[0]
    assert "小红" not in media.caption + media.text


_SIGNS = st.text("🌟🌊❤️♡★👩‍🔬🏽·", min_size=0, max_size=4)
_NAMES = st.text("小红花abc_7", min_size=1, max_size=12)
_REST = st.text("，。！：好用 \n😂（[", max_size=10).map(lambda text: "，" + text)


@given(st.sampled_from("@＠"), _SIGNS, st.sampled_from(["", "()", "（）", "【】", "[]", "「」", '""']), _NAMES, _REST)
def test_a_name_is_masked_whatever_stands_around_it_and_what_follows_stays(at, signs, brackets, name, rest):
    first, last = brackets[:1], brackets[1:]
    assert mask(f"好{at}{signs}{first}{name}{last}{signs}{rest}", KEY) == f"好{at_token(KEY, name)}{rest}" or signs.startswith(
        "·"
    )
    assert mask(f"{at}{signs}{first}{name}{last}{rest}", KEY) == f"{at_token(KEY, name)}{rest}"


@given(
    st.text("ab.1_", min_size=1, max_size=8).map(lambda text: f"x{text}x@mail.example.cn"),
    _SIGNS,
    st.sampled_from("@＠(（[ 写"),
)
def test_a_mail_address_stays_whatever_stands_before_it(address, signs, before):
    assert address in mask(f"{before}{signs} {address}，好", KEY)
    assert address in mask(f"{before}{signs}({address})", KEY)


@given(st.text(max_size=60) | st.text("@＠🌟小a.(（)）[]·-\ufe0f\u200d1\u20e3~：cn ", max_size=30))
def test_masking_twice_changes_nothing(text):
    once = mask(clean(text), KEY)
    assert mask(once, KEY) == once


def test_the_hash_is_of_the_text_before_masking_so_no_secret_decides_an_order():
    post = post_of(text="@小红 好用")
    assert post.text_hash == hashlib.sha256("@小红 好用".encode()).hexdigest()
    assert post.text_hash == normalize_item(replace(ITEM, text="@小红 好用"), source="x", key=b"z" * 32).text_hash


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b\x07c", "abc"),
        ("一行\r\n两行\r三行\t完", "一行\n两行\n三行\t完"),
        ("\u202e反\u202c", "反"),
        ("星\u200b澜\ufeff", "星澜"),
        ("👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽", "👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽"),
        ("坏\ud83d字", "坏\ufffd字"),
        ("  空白  ", "空白"),
    ],
)
def test_control_characters_go_and_emoji_stay_whole(text, cleaned):
    assert clean(text) == cleaned


@given(st.text(max_size=80))
def test_every_text_becomes_one_that_a_database_takes(text):
    post = post_of(text=text)
    post.text.encode()
    assert "\0" not in post.text


def test_the_raw_record_is_kept_whatever_the_order_of_its_keys():
    one, other = post_of(raw={"b": 1, "a": "星"}), post_of(raw={"a": "星", "b": 1})
    assert json.loads(zlib.decompress(one.raw)) == {"a": "星", "b": 1}
    assert one.raw_sha256 == other.raw_sha256 == hashlib.sha256(zlib.decompress(one.raw)).hexdigest()


def test_without_a_raw_record_the_item_itself_is_the_record():
    record = json.loads(zlib.decompress(post_of(likes=0, media=(ItemMedia("video", text="字幕"),)).raw))
    assert record == {
        "platform": "weibo", "post_id": "1", "author_id": "u1", "posted_at": "2026-03-01T20:00:00+08:00", "text": "星澜好用",
        "kind": "post", "likes": 0, "media": [{"kind": "video", "text": "字幕"}],
    }  # fmt: skip


def test_a_record_with_half_a_surrogate_or_a_time_is_kept():
    post = post_of(raw={"text": "坏\ud83d字", "at": AT, "frozen": MappingProxyType({"x": 1})})
    assert json.loads(zlib.decompress(post.raw))["at"] == AT.isoformat()


@pytest.mark.parametrize("marker", ["", "0", "1", " ", None])
def test_a_root_has_no_parent_however_its_platform_writes_that(marker):
    assert post_of(parent_id=marker, root_id=marker).parent_id is None
    assert post_of(parent_id=marker, root_id=marker).root_id is None


def test_platform_and_ids_are_trimmed_and_the_platform_is_lower_case():
    assert post_of(platform=" Weibo", post_id=" 1 ").key == PostKey("weibo", "1")


def test_no_message_quotes_whose_post_it_is():
    with pytest.raises(NormalizeError) as refused:
        post_of(author_id="张三\x07", author_name="张三")
    assert str(refused.value) == "author_id: holds a control character"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform": " "}, "platform"),
        ({"post_id": ""}, "post_id"),
        ({"post_id": "a\x00b"}, "post_id"),
        ({"post_id": 7}, "post_id"),
        ({"author_id": ""}, "author_id"),
        ({"text": None}, "text"),
        ({"url": 5}, "url"),
        ({"kind": "like"}, "kind"),
        ({"posted_at": datetime(2026, 1, 1)}, "posted_at"),
        ({"posted_at": "2026-01-01"}, "posted_at"),
        ({"posted_at": datetime(1970, 1, 1, tzinfo=UTC)}, "posted_at"),
        ({"posted_at": datetime(9999, 12, 31, tzinfo=UTC)}, "posted_at"),
        ({"seen_at": datetime(2026, 1, 1)}, "seen_at"),
        ({"likes": -1}, "likes"),
        ({"views": 2**63}, "views"),
        ({"reposts": True}, "reposts"),
        ({"comments": 1.5}, "comments"),
        ({"parent_id": "a\nb"}, "parent_id"),
        ({"media": (ItemMedia("image", caption=None),)}, "media"),
        ({"raw": {"x": object()}}, "raw"),
        ({"raw": {1: 1, "a": 2}}, "raw"),
    ],
)
def test_a_bad_item_is_refused_by_the_name_of_its_field(changes, field):
    with pytest.raises(NormalizeError) as refused:
        post_of(**changes)
    assert refused.value.field == field
    assert field in str(refused.value)
