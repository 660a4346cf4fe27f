"""What a cell of a roster says of an account."""

from __future__ import annotations

import pytest

from listener.accounts import handles_in, is_native, platform_named, resolve_link, split_header
from listener.people import column_of

XHS = "5f0000000000000001abcdef"
DOUYIN = "MS4wLjABAAAAabcdefghijklmnopqrstuvwxyz0123456789_-A"


@pytest.mark.parametrize(
    ("url", "platform", "account_id"),
    [
        ("https://weibo.com/u/1234567890", "weibo", "1234567890"),
        ("http://www.weibo.com/1234567890/profile?topnav=1", "weibo", "1234567890"),
        ("weibo.com/p/1005051234567890/home", "weibo", "1234567890"),
        ("https://m.weibo.cn/u/1234567890?uid=1", "weibo", "1234567890"),
        ("https://m.weibo.cn/profile/1234567890", "weibo", "1234567890"),
        ("https://weibo.cn/u/1234567890", "weibo", "1234567890"),
        ("https://space.bilibili.com/123/dynamic", "bilibili", "123"),
        ("https://m.bilibili.com/space/123?from=x", "bilibili", "123"),
        (f"https://www.xiaohongshu.com/user/profile/{XHS}?xsec_token=AB%3D&xsec_source=pc", "xiaohongshu", XHS),
        (f"https://www.douyin.com/user/{DOUYIN}?from_tab_name=main", "douyin", DOUYIN),
        (f"https://www.iesdouyin.com/share/user/{DOUYIN}", "douyin", DOUYIN),
        ("https://www.zhihu.com/people/zhang-san-12/answers", "zhihu", "zhang-san-12"),
        ("https://www.zhihu.com/org/xing-lan", "zhihu", "xing-lan"),
        ("https://www.kuaishou.com/profile/3x4abcdefghij12", "kuaishou", "3x4abcdefghij12"),
        ("https://www.douban.com/people/12345/", "douban", "12345"),
        ("https://m.douban.com/people/ann.b", "douban", "ann.b"),
        ("https://tieba.baidu.com/home/main?id=tb.1.ab12.cd?t=1&fr=pb", "tieba", "tb.1.ab12.cd"),
    ],
)
def test_a_profiles_address_holds_the_native_id(url, platform, account_id):
    handle = resolve_link(url)
    assert (handle.platform, handle.account_id, handle.why) == (platform, account_id, "")


@pytest.mark.parametrize(
    ("url", "platform", "nickname", "why"),
    [
        ("https://weibo.com/n/小红", "weibo", "小红", "nickname-only"),
        ("https://weibo.com/n/%E5%B0%8F%E7%BA%A2", "weibo", "小红", "nickname-only"),
        ("https://weibo.com/xiaohong", "weibo", "", "no-id-in-link"),
        ("https://weibo.com/1234567890x", "weibo", "", "no-id-in-link"),
        ("https://www.bilibili.com/video/BV1x", "bilibili", "", "no-id-in-link"),
        ("https://m.bilibili.com/video/BV1x", "bilibili", "", "no-id-in-link"),
        ("https://space.bilibili.com/", "bilibili", "", "no-id-in-link"),
        ("https://www.xiaohongshu.com/explore/" + XHS, "xiaohongshu", "", "no-id-in-link"),
        ("https://tieba.baidu.com/home/main?un=小红", "tieba", "小红", "nickname-only"),
        ("https://tieba.baidu.com/f?kw=x", "tieba", "", "no-id-in-link"),
        ("https://xhslink.com/m/abc", "", "", "short-link"),
        ("https://v.douyin.com/abc/", "", "", "short-link"),
        ("https://b23.tv/abc", "", "", "short-link"),
        ("https://example.com/u/1234567890", "", "", "unknown-site"),
        ("https://evilweibo.com/u/1234567890", "", "", "unknown-site"),
        ("https://weibo.com.example.org/u/1234567890", "", "", "unknown-site"),
        ("https://[bad/u/1", "", "", "unknown-site"),
        ("", "", "", "unknown-site"),
    ],
)
def test_an_address_without_an_id_says_what_it_is(url, platform, nickname, why):
    handle = resolve_link(url)
    assert (handle.platform, handle.account_id, handle.nickname, handle.why) == (platform, "", nickname, why)


def test_the_address_kept_holds_no_token():
    assert "token" not in resolve_link(f"https://www.xiaohongshu.com/user/profile/{XHS}?xsec_token=AB").url


@pytest.mark.parametrize(
    ("text", "platform", "account_id", "why"),
    [
        ("1234567890", "weibo", "1234567890", ""),
        ("UID:1234567890", "weibo", "1234567890", ""),
        ("ID： 123", "bilibili", "123", ""),
        ("１２３４５６７８９０", "weibo", "1234567890", ""),
        (XHS, "xiaohongshu", XHS, ""),
        ("9501234567", "xiaohongshu", "", "shown-number"),
        ("xiaohong_01", "douyin", "", "shown-number"),
        ("小红", "xiaohongshu", "", "nickname-only"),
        ("@小红", "weibo", "", "nickname-only"),
        ("1234", "weibo", "", "odd-length"),
        ("UID:12345678901234", "weibo", "", "odd-length"),
        ("1.23457E+15", "weibo", "", "damaged-number"),
        ("1E+15", "forum", "", "damaged-number"),
        ("koc1x00000", "forum", "koc1x00000", ""),
        ("zhang-san", "zhihu", "zhang-san", ""),
        ("张三", "zhihu", "", "nickname-only"),
        (f"【小红的主页】https://www.xiaohongshu.com/user/profile/{XHS}，复制打开", "xiaohongshu", XHS, ""),
        ("看看 https://xhslink.com/abc", "xiaohongshu", "", "short-link"),
    ],
)
def test_a_cell_is_read_for_its_platform(text, platform, account_id, why):
    (handle,) = handles_in(text, platform)
    assert (handle.platform, handle.account_id, handle.why) == (platform, account_id, why)


def test_a_link_knows_its_platform_better_than_the_column():
    assert handles_in("https://space.bilibili.com/7", "weibo")[0].platform == "bilibili"


def test_a_cell_may_hold_two_links():
    assert [h.account_id for h in handles_in("https://space.bilibili.com/7\nweibo.com/u/1234567890", "")] == ["7", "1234567890"]


def test_a_column_of_ids_is_believed_and_a_column_of_nicknames_holds_no_id():
    assert handles_in("koc1x00000", "weibo", is_id=True)[0].account_id == "koc1x00000"
    assert handles_in("1234567890", "weibo", is_nickname=True)[0].account_id == ""
    assert is_native("weibo", "1234567890")
    assert not is_native("weibo", "koc")
    assert is_native("forum", "anything")


@pytest.mark.parametrize(
    ("header", "what", "platform"),
    [
        ("koc_id", "koc_id", ""), ("KOC ID", "koc_id", ""), ("编号", "koc_id", ""),
        ("姓名", "name", ""), ("name", "name", ""), ("*姓名（必填）", "name", ""), ("昵称", "nickname", ""),
        ("平台", "platform", ""), ("platform", "platform", ""),
        ("account_id", "id", ""), ("账号ID", "id", ""), ("UID", "id", ""), ("账号", "account", ""),
        ("主页链接", "link", ""), ("链接", "link", ""), ("URL", "link", ""),
        ("对接人", "owner", ""), ("等级", "tier", ""), ("备注", "note", ""), ("公域/私域", "domain", ""),
        ("小红书号", "account", "xiaohongshu"), ("小红书", "account", "xiaohongshu"), ("小红书ID", "account", "xiaohongshu"),
        ("小红书主页链接", "link", "xiaohongshu"), ("小红书昵称", "account_nickname", "xiaohongshu"),
        ("抖音号[选填]", "account", "douyin"), ("微博", "account", "weibo"),
        ("微博UID", "id", "weibo"), ("微博2", "account", "weibo"),
        ("weibo_url", "link", "weibo"), ("B站", "account", "bilibili"),
        ("B站空间主页", "link", "bilibili"), ("b站 uid", "id", "bilibili"),
        ("知乎链接", "link", "zhihu"), ("新浪微博账号", "account", "weibo"),
    ],
)  # fmt: skip
def test_a_header_tells_what_its_column_holds(header, what, platform):
    column = column_of(0, header)
    assert column is not None
    assert (column.what, column.platform) == (what, platform)


@pytest.mark.parametrize("header", ["粉丝数", "微博粉丝数", "小红书等级", "城市", "dyson", "ksp", "序号", "2026"])
def test_other_headers_are_left_alone(header):
    assert column_of(0, header) is None


def test_platforms_are_known_by_their_names():
    assert [platform_named(n) for n in ("微博", "B站", "ＷＥＩＢＯ", "得物", " Forum ")] == [
        "weibo",
        "bilibili",
        "weibo",
        "得物",
        "forum",
    ]
    assert split_header("dyson") == ("", "dyson")
