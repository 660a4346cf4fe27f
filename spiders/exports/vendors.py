"""Column mappings for the exports of monitoring services, creator platforms and shops.

None of these has been tried with a real file: they are made from what the services call their columns in public. A header that
differs is told when a file is read; a mapping of one's own in the settings (``[[exports]]``) comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spiders.exports.mapped import Mapped, mapped

_TIMES = ("发布时间", "发布日期", "发表时间", "发文时间", "创建时间", "时间", "日期")
_TEXTS = ("正文", "内容", "全文", "全文内容", "文章内容", "笔记内容", "微博内容", "帖子内容", "原文内容", "摘要")
_TITLES = ("标题", "文章标题", "笔记标题", "视频标题", "作品标题")
_LINKS = ("链接", "原文链接", "原文地址", "URL", "url", "文章链接", "笔记链接", "视频链接", "作品链接", "来源链接", "网址")
_NAMES = (
    "作者",
    "作者名称",
    "作者昵称",
    "昵称",
    "达人昵称",
    "达人名称",
    "博主昵称",
    "账号名称",
    "用户昵称",
    "发布者",
    "发布人",
)
_AUTHOR_IDS = ("作者ID", "用户ID", "账号ID", "UID", "uid", "作者id", "用户id")
_HOMES = ("作者主页", "主页链接", "达人主页", "博主主页", "账号链接", "达人链接", "博主链接", "个人主页")
_LIKES = ("点赞数", "点赞量", "点赞", "赞")
_COMMENTS = ("评论数", "评论量", "评论")
_SHARES = ("转发数", "转发量", "分享数", "分享量", "转发", "分享")
_VIEWS = ("阅读数", "阅读量", "播放数", "播放量", "浏览量", "曝光量", "观看数")
_PLATFORMS = ("平台", "媒体平台", "发布平台", "来源平台", "平台类型", "媒体类型", "来源类型", "媒体", "来源")

_MONITOR: Mapping[str, Sequence[str]] = {
    "platform": _PLATFORMS, "author_name": _NAMES, "author_id": _AUTHOR_IDS, "author_url": _HOMES, "posted_at": _TIMES,
    "title": _TITLES, "text": _TEXTS, "url": _LINKS, "likes": _LIKES, "comments": _COMMENTS, "reposts": _SHARES,
    "views": _VIEWS, "seen_at": ("采集时间", "入库时间", "抓取时间"),
}  # fmt: skip
_NOTES: Mapping[str, Sequence[str]] = {
    **{field: names for field, names in _MONITOR.items() if field != "platform"},
    "post_id": ("笔记ID", "笔记id", "作品ID", "视频ID"),
    "text": (*_TEXTS, "笔记正文", "视频文案", "文案"),
    "author_id": ("达人ID", "博主ID", "小红书ID", "抖音ID", *_AUTHOR_IDS),
}
_REVIEWS: Mapping[str, Sequence[str]] = {
    "post_id": ("评价ID", "评论ID", "评价编号"), "author_name": ("买家昵称", "用户昵称", "会员名", "买家", "用户名"),
    "posted_at": ("评价时间", "评论时间", "创建时间", "首评时间"),
    "text": ("评价内容", "评论内容", "首评内容", "初次评价", "追评内容", "追加评价"),
    "likes": ("点赞数", "有用数"), "images": ("评价图片", "晒图", "图片链接"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vendor:
    """A service. name: for ``--from``. tried: whether a real file of it was ever read."""

    name: str
    title: str
    table: Mapped
    tried: bool = False


def _vendor(name: str, title: str, columns: Mapping[str, Sequence[str]], platform: str = "", kind: str = "post") -> Vendor:
    return Vendor(name, title, mapped(name, columns, platform, kind))


VENDORS: tuple[Vendor, ...] = (
    _vendor("yuqingtong", "舆情通 / Yuqingtong", _MONITOR),
    _vendor("gsdata", "清博 / Gsdata", _MONITOR),
    _vendor("datastory", "数说 / Datastory", _MONITOR),
    _vendor("newrank", "新红（新榜） / Newrank's Xinhong", _NOTES, "xiaohongshu"),
    _vendor("qiangua", "千瓜 / Qiangua", _NOTES, "xiaohongshu"),
    _vendor("chanmama", "蝉妈妈 / Chanmama", _NOTES, "douyin"),
    _vendor("pugongying", "蒲公英 / Pugongying", _NOTES, "xiaohongshu"),
    _vendor("xingtu", "星图 / Xingtu", _NOTES, "douyin"),
    _vendor("jd", "京东评价 / reviews of JD", _REVIEWS, "jd"),
    _vendor("tmall", "天猫评价 / reviews of Tmall", _REVIEWS, "tmall"),
    _vendor("doudian", "抖店评价 / reviews of Doudian", _REVIEWS, "doudian"),
    _vendor(
        "weixin-comments",
        "公众号留言 / comments on a WeChat official account",
        {
            "post_id": ("留言ID", "评论ID"),
            "author_name": ("昵称", "用户昵称", "留言人"),
            "author_id": ("openid", "OpenID"),
            "posted_at": ("留言时间", "评论时间", "时间"),
            "text": ("留言内容", "评论内容", "内容"),
            "url": ("文章链接", "链接"),
            "likes": ("点赞数", "点赞"),
        },
        "weixin",
        "comment",
    ),
    _vendor(
        "wecom-archive",
        "企业微信会话存档 / WeCom's archive of conversations",
        {
            "post_id": ("msgid", "消息ID"),
            "author_id": ("from", "发送者ID", "发送方"),
            "author_name": ("发送者", "发送人", "姓名"),
            "posted_at": ("msgtime", "发送时间", "消息时间"),
            "text": ("content", "消息内容", "内容"),
        },
        "wecom",
    ),
)
