"""What the pipeline decides before anything is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from listener import pipeline
from listener.pipeline import normalized
from spiders.files import BadLine
from spiders.items import Item

NOW = datetime(2026, 10, 5, tzinfo=UTC)
DESK: Any = SimpleNamespace(now=lambda: NOW, key=b"k" * 32)
ITEM = Item("forum", "1", "a", NOW - timedelta(days=3), "好")


def test_a_post_dated_after_it_was_seen_is_set_aside() -> None:
    ahead = timedelta(days=2)
    batch = [
        ITEM,
        replace(ITEM, post_id="2", posted_at=NOW + ahead),
        replace(ITEM, post_id="3", posted_at=NOW + ahead, seen_at=NOW + ahead),  # somebody's clock, but one clock
        replace(ITEM, post_id="4", seen_at=ITEM.posted_at - ahead),
        BadLine(5, "no JSON", b"{"),
    ]
    posts, bad = normalized(batch, "import", DESK)
    assert [post.key.post_id for post in posts] == ["1", "3"]
    assert [line.reason.partition(":")[0] for line in bad] == ["forum 2", "forum 4", "no JSON"]
    assert json.loads(bad[0].line)["text"] == "好", "what is set aside is kept whole"


def test_what_became_of_deliveries_is_told_in_a_sentence() -> None:
    assert str(pipeline.Delivered(sent=3, retried=1)) == "已送达 3 条，没有送达、稍后重试 1 条 / 3 sent, 1 to be tried again"
    assert str(pipeline.Delivered()) == "没有到期的推送 / nothing was due"
