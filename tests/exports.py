"""Files as other tools write them, made from their columns: rows of our own words, in every format that they export."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl

Rows = Sequence[Mapping[str, Any]]

# MediaCrawler's tables as they are now; before 2026-07 they had the platforms' ids in place of ``creator_hash``.
MEDIACRAWLER: Mapping[str, str] = {
    "weibo_note": "note_id,content,create_time,create_date_time,liked_count,comments_count,shared_count,last_modify_ts,"
    "note_url,creator_hash,nickname,source_keyword",
    "weibo_note_comment": "comment_id,create_time,create_date_time,note_id,content,sub_comment_count,comment_like_count,"
    "last_modify_ts,parent_comment_id,creator_hash,nickname",
    "bilibili_video": "video_id,video_type,title,desc,create_time,creator_hash,nickname,liked_count,disliked_count,"
    "video_play_count,video_favorite_count,video_share_count,video_coin_count,video_danmaku,video_comment,last_modify_ts,"
    "video_url,video_cover_url,source_keyword",
    "bilibili_video_comment": "comment_id,parent_comment_id,create_time,video_id,content,creator_hash,nickname,"
    "sub_comment_count,like_count,last_modify_ts",
    "bilibili_up_dynamic": "dynamic_id,creator_hash,user_name,text,type,pub_ts,total_comments,total_forwards,total_liked,"
    "last_modify_ts",
    "xhs_note": "note_id,type,title,desc,video_url,time,last_update_time,creator_hash,nickname,liked_count,collected_count,"
    "comment_count,share_count,image_list,tag_list,last_modify_ts,note_url,source_keyword,xsec_token",
    "xhs_note_comment": "comment_id,create_time,note_id,content,creator_hash,nickname,sub_comment_count,pictures,"
    "parent_comment_id,last_modify_ts,like_count",
    "douyin_aweme": "aweme_id,aweme_type,title,desc,create_time,creator_hash,nickname,liked_count,collected_count,"
    "comment_count,share_count,last_modify_ts,aweme_url,cover_url,video_download_url,music_download_url,note_download_url,"
    "source_keyword",
    "douyin_aweme_comment": "comment_id,create_time,aweme_id,content,creator_hash,nickname,sub_comment_count,like_count,"
    "last_modify_ts,parent_comment_id,pictures",
    "kuaishou_video": "video_id,video_type,title,desc,create_time,creator_hash,nickname,liked_count,viewd_count,last_modify_ts,"
    "video_url,video_cover_url,video_play_url,source_keyword",
    "kuaishou_video_comment": "comment_id,create_time,video_id,content,creator_hash,nickname,sub_comment_count,last_modify_ts",
    "tieba_note": "note_id,title,desc,note_url,publish_time,creator_hash,user_nickname,tieba_name,tieba_link,total_replay_num,"
    "total_replay_page,source_keyword,last_modify_ts",
    "tieba_comment": "comment_id,parent_comment_id,content,creator_hash,user_nickname,publish_time,sub_comment_count,note_id,"
    "note_url,tieba_id,tieba_name,tieba_link,last_modify_ts",
    "zhihu_content": "content_id,content_type,content_text,content_url,question_id,title,desc,created_time,updated_time,"
    "voteup_count,comment_count,source_keyword,creator_hash,user_nickname,last_modify_ts",
    "zhihu_comment": "comment_id,parent_comment_id,content,publish_time,sub_comment_count,like_count,dislike_count,content_id,"
    "content_type,creator_hash,user_nickname,last_modify_ts",
}  # fmt: skip
BEFORE: Mapping[str, str] = {
    "weibo": "ip_location,user_id,nickname,gender,profile_url,avatar",
    "bilibili": "user_id,sex,sign,avatar",
    "xhs": "user_id,avatar,ip_location",
    "douyin": "user_id,sec_uid,short_user_id,user_unique_id,user_signature,avatar,ip_location",
    "kuaishou": "user_id,avatar",
    "tieba": "user_link,user_avatar,ip_location",
    "zhihu": "ip_location,user_id,user_link,user_avatar,user_url_token",
}


def columns_of(table: str, *, before: bool) -> list[str]:
    """The columns of a MediaCrawler table, of today or of the generation before."""
    now = MEDIACRAWLER[table].split(",")
    if not before:
        return now
    old = BEFORE[table.partition("_")[0]].split(",")
    return [column for column in now if column != "creator_hash"] + [one for one in old if one not in now]


def write_csv(path: Path, columns: Sequence[str], rows: Rows, encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json(path: Path, columns: Sequence[str], rows: Rows) -> Path:
    path.write_text(json.dumps(list(rows), ensure_ascii=False, indent=4), encoding="utf-8")
    return path


def write_jsonl(path: Path, columns: Sequence[str], rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_xlsx(path: Path, columns: Sequence[str], rows: Rows) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Contents"
    sheet.append(list(columns))
    for row in rows:
        sheet.append([row.get(column) for column in columns])
    book.save(path)
    return path


def write_sqlite(path: Path, columns: Sequence[str], rows: Rows, table: str = "posts") -> Path:
    names = ", ".join(f'"{column}"' for column in columns)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, {names})')
        values = [[row.get(column) for column in columns] for row in rows]
        connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})', values)
    return path


WRITERS: Mapping[str, Callable[[Path, Sequence[str], Rows], Path]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "xlsx": write_xlsx,
    "sqlite": write_sqlite,
}


# ------------------------------------------------------------------------------------------- weibo-crawler and its kin

CRAWLER = [
    "id",
    "bid",
    "正文",
    "头条文章url",
    "原始图片url",
    "视频url",
    "Live Photo视频url",
    "位置",
    "日期",
    "工具",
    "点赞数",
    "评论数",
    "转发数",
    "话题",
    "@用户",
    "完整日期",
    "是否编辑过",
    "编辑次数",
]
CRAWLER_COLUMNS = [*CRAWLER, "是否原创", "源用户id", "源用户昵称", *(f"源微博{column}" for column in CRAWLER)]
SEARCH_COLUMNS = [
    "id",
    "bid",
    "user_id",
    "用户昵称",
    "微博正文",
    "头条文章url",
    "发布位置",
    "艾特用户",
    "话题",
    "转发数",
    "评论数",
    "点赞数",
    "发布时间",
    "发布工具",
    "微博图片url",
    "微博视频url",
    "retweet_id",
    "ip",
    "user_authentication",
    "会员类型",
    "会员等级",
]


def crawler_row(post_id: str, text: str, at: str) -> list[str]:
    """The cells of one post in weibo-crawler's CSV, up to 编辑次数."""
    return [
        f"{post_id}\t", "Kabc", text, "", "https://a.example/1.jpg,https://a.example/2.jpg", "", "", "", at[:10], "iPhone",
        "5", "6", "7", "", "", at, "False", "0",
    ]  # fmt: skip
