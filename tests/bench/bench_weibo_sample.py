"""The whole Weibo sample, served in Weibo's shape and crawled: is everything read back, each once, also the second time?

KOC_SHARED=<folder with data/platform/weibo_sample> python tests/bench/bench_weibo_sample.py
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from listener.demo.platform import PlatformComment, PlatformPost, PlatformServer
from spiders.collect import Collected, CollectJob, Ended, Reached, SubjectMark, Trouble, collect
from spiders.values import tidy

CHINA = ZoneInfo("Asia/Shanghai")
WORD = "评论罗伯特"


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=CHINA)


def sample(folder: Path) -> tuple[list[PlatformPost], list[PlatformComment]]:
    """The sample as the platform's posts and comments. Its comments name their post by mblogid; some name none that is here."""
    posts, ids = [], {}
    for row in rows(folder / "posts.jsonl.gz"):
        user = row["user"]
        ids[row["mblogid"]] = row["_id"]
        posts.append(
            PlatformPost(
                row["_id"],
                user["_id"],
                user["nick_name"],
                at(row["created_at"]),
                row["content"],
                row["likes_count"],
                row["reposts_count"],
                region=str(row["ip_location"] or "").removeprefix("发布于 "),
            )
        )
    comments = []
    for row in rows(folder / "comments.jsonl.gz"):
        user, answered, region = row["comment_user"], row.get("reply_comment"), str(row["ip_location"] or "")
        comments.append(
            PlatformComment(
                row["_id"],
                ids.get(row["root_post_mblogid"], ""),
                user["_id"],
                user["nick_name"],
                at(row["created_at"]),
                row["content"],
                row["likes_count"],
                answered["_id"] if answered else None,
                region.removeprefix("来自"),
            )
        )
    known = {comment.comment_id for comment in comments}
    # an answer to a comment that is not in the sample hangs under its root, or under the post
    roots = {row["_id"]: row["root_comment_id"] for row in rows(folder / "comments.jsonl.gz")}
    for number, comment in enumerate(comments):
        if comment.parent_id is not None and comment.parent_id not in known:
            root = roots[comment.comment_id]
            there = root in known and root != comment.comment_id
            comments[number] = replace(comment, parent_id=root if there else None)
    return posts, comments


def main() -> int:
    shared = os.environ.get("KOC_SHARED", "")
    folder = Path(shared) / "data" / "platform" / "weibo_sample"
    if not shared or not folder.is_dir():
        print("KOC_SHARED names no folder with data/platform/weibo_sample; nothing done")
        return 0
    posts, comments = sample(folder)
    here = {post.post_id for post in posts}
    served = {comment.comment_id for comment in comments if comment.post_id in here}
    wanted = here | served
    print(f"{len(posts)} posts, {len(comments)} comments, {len(served)} of them under a post of the sample")
    failed = False
    marks: dict[str, SubjectMark] = {}
    with PlatformServer(posts, comments) as server:
        job = CollectJob("weibo", "sample", queries=(WORD,), base_url=server.url, delay_seconds=0, max_pages=1000)
        for crawl in ("first", "again from nothing", "again with its marks"):
            started, before = time.perf_counter(), len(server.requests)
            texts, counted, error = dict[str, str](), Counter[str](), ""
            used = replace(job, marks=marks if "marks" in crawl else {})
            for event in collect(used):
                if isinstance(event, Collected):
                    counted[event.item.post_id] += 1
                    texts[event.item.post_id] = event.item.text
                elif isinstance(event, Reached):
                    marks[event.subject] = SubjectMark(event.posted_at, event.state)
                elif isinstance(event, Trouble):
                    error = event.message
                elif isinstance(event, Ended):
                    error = error or event.error
            seconds = time.perf_counter() - started
            asked = len(server.requests) - before
            doubled = sum(count > 1 for count in counted.values())
            told = {post.post_id: tidy(post.text) for post in posts} | {one.comment_id: tidy(one.text) for one in comments}
            changed = sum(told[found] != text for found, text in texts.items())
            missing = len(wanted - set(counted)) if "marks" not in crawl else 0
            read = f"{len(counted)} of {len(wanted)} read back, {missing} missing, {doubled} doubled, {changed} texts changed"
            pace = f"{asked / seconds:.0f} requests/s, {len(counted) / seconds:.0f} items/s"
            print(f"{crawl}: {read}; {asked} requests in {seconds:.1f} s = {pace} {error}")
            failed = failed or bool(missing or doubled or changed or error)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
