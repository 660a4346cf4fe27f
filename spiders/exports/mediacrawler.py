"""MediaCrawler's exports of seven platforms, of both generations: with the platforms' user ids (until 2026-06) and hashed.

Columns and their traps are those of its files and tables: Weibo's ``create_time`` was eight hours late until 2026-07-30, so
``create_date_time`` is believed; root comments name "", "0" or themselves as their parent; counts may read "1.2万".
"""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import parse_qs, urlsplit

from spiders.exports.shapes import Shape
from spiders.values import tidy

TITLE = (
    "MediaCrawler：微博、小红书、抖音、快手、B 站、贴吧、知乎 / Weibo, Xiaohongshu, Douyin, Kuaishou, Bilibili, Tieba, Zhihu"
)

_PRIVATE = frozenset(
    (
        "avatar", "user_avatar", "gender", "sex", "sign", "ip_location", "profile_url", "user_link", "user_signature",
        "xsec_token", "music_download_url",
    )
)  # fmt: skip
_CUT_OFF = re.compile(r"\s*(?:\.{3}|…)\s*全文\s*$")
_TOPIC = re.compile(r"\[话题\](?=#)")
_shape = partial(Shape, hashed="creator_hash", seen="last_modify_ts", private=_PRIVATE)


def _weibo_text(text: str) -> str:
    """Without the link to the whole of a long text.

    >>> _weibo_text("敬请期待 Ma ...全文")
    '敬请期待 Ma…'
    """
    return _CUT_OFF.sub("…", tidy(text))


def _xhs_text(text: str) -> str:
    """
    >>> _xhs_text("好用#护发[话题]#")
    '好用#护发#'
    """
    return _TOPIC.sub("", tidy(text))


def _tieba_author(link: str) -> str:
    """The portrait id in the link to an author's page.

    >>> _tieba_author("https://tieba.baidu.com/home/main?id=tb.1.ab.cd&fr=pb")
    'tb.1.ab.cd'
    """
    return parse_qs(urlsplit(link).query).get("id", [link])[0].partition("?")[0]


def _columns(names: str) -> frozenset[str]:
    return frozenset(names.split())


TABLES: tuple[Shape, ...] = (
    _shape(
        "weibo", "post", _columns("note_id content create_date_time shared_count"), "note_id",
        author=("user_id",), name="nickname", text=("content",), posted=("create_date_time", "create_time"), url="note_url",
        likes="liked_count", comments="comments_count", reposts="shared_count", clean=_weibo_text,
    ),
    _shape(
        "weibo", "comment", _columns("comment_id note_id content create_date_time"), "comment_id",
        author=("user_id",), name="nickname", text=("content",), posted=("create_date_time", "create_time"),
        parent="parent_comment_id", root="note_id", likes="comment_like_count", comments="sub_comment_count", clean=_weibo_text,
    ),
    _shape(
        "xiaohongshu", "post", _columns("note_id desc time collected_count"), "note_id",
        author=("user_id",), name="nickname", text=("title", "desc"), posted=("time",), url="note_url",
        likes="liked_count", comments="comment_count", reposts="share_count",
        media={"image_list": "image", "video_url": "video"}, clean=_xhs_text,
    ),
    _shape(
        "xiaohongshu", "comment", _columns("comment_id note_id content create_time pictures like_count"), "comment_id",
        author=("user_id",), name="nickname", text=("content",), posted=("create_time",), parent="parent_comment_id",
        root="note_id", likes="like_count", comments="sub_comment_count", media={"pictures": "image"}, clean=_xhs_text,
    ),
    _shape(
        "douyin", "post", _columns("aweme_id desc create_time collected_count"), "aweme_id",
        author=("sec_uid", "user_id"), name="nickname", text=("title", "desc"), posted=("create_time",), url="aweme_url",
        likes="liked_count", comments="comment_count", reposts="share_count", media={"cover_url": "video"},
    ),
    _shape(
        "douyin", "comment", _columns("comment_id aweme_id content create_time"), "comment_id",
        author=("sec_uid", "user_id"), name="nickname", text=("content",), posted=("create_time",),
        parent="parent_comment_id", root="aweme_id", likes="like_count", comments="sub_comment_count",
        media={"pictures": "image"},
    ),
    _shape(
        "kuaishou", "post", _columns("video_id desc create_time viewd_count"), "video_id",
        author=("user_id",), name="nickname", text=("title", "desc"), posted=("create_time",), url="video_url",
        likes="liked_count", views="viewd_count", media={"video_cover_url": "video"},
    ),
    _shape(
        "bilibili", "post", _columns("video_id desc create_time video_danmaku"), "video_id",
        author=("user_id",), name="nickname", text=("title", "desc"), posted=("create_time",), url="video_url",
        likes="liked_count", comments="video_comment", reposts="video_share_count", views="video_play_count",
        media={"video_cover_url": "video"}, prefix="av",
    ),
    _shape(
        "bilibili", "comment", _columns("comment_id video_id content create_time parent_comment_id"), "comment_id",
        author=("user_id",), name="nickname", text=("content",), posted=("create_time",), parent="parent_comment_id",
        root="video_id", likes="like_count", comments="sub_comment_count", prefix="reply:", root_prefix="av",
    ),
    _shape(
        "kuaishou", "comment", _columns("comment_id video_id content create_time"), "comment_id",
        author=("user_id",), name="nickname", text=("content",), posted=("create_time",),
        root="video_id", comments="sub_comment_count", prefix="comment:",
    ),
    _shape(
        "bilibili", "post", _columns("dynamic_id text pub_ts total_forwards"), "dynamic_id",
        author=("user_id",), name="user_name", text=("text",), posted=("pub_ts",),
        likes="total_liked", comments="total_comments", reposts="total_forwards",
    ),
    _shape(
        "tieba", "post", _columns("note_id title desc publish_time tieba_name total_replay_num"), "note_id",
        author=("user_link",), author_in=_tieba_author, name="user_nickname", text=("title", "desc"), posted=("publish_time",),
        url="note_url", comments="total_replay_num",
    ),
    _shape(
        "tieba", "comment", _columns("comment_id note_id content publish_time tieba_name"), "comment_id",
        author=("user_link",), author_in=_tieba_author, name="user_nickname", text=("content",), posted=("publish_time",),
        url="note_url", parent="parent_comment_id", root="note_id", comments="sub_comment_count", prefix="comment:",
    ),
    _shape(
        "zhihu", "post", _columns("content_id content_type content_text created_time voteup_count"), "content_id",
        author=("user_url_token", "user_id"), name="user_nickname", text=("title", "content_text"), posted=("created_time",),
        url="content_url", likes="voteup_count", comments="comment_count", typed="content_type",
    ),
    _shape(
        "zhihu", "comment", _columns("comment_id content_id content publish_time like_count"), "comment_id",
        author=("user_url_token", "user_id"), name="user_nickname", text=("content",), posted=("publish_time",),
        parent="parent_comment_id", root="content_id", typed="content_type", likes="like_count", comments="sub_comment_count",
        prefix="comment:",
    ),
)  # fmt: skip

# Tables that hold profiles, contacts or settings, and no post.
OTHERS: tuple[frozenset[str], ...] = (
    _columns("fans follows"),
    _columns("total_fans total_liked"),
    _columns("up_id fan_id"),
    _columns("fans get_voteup_count"),
)
