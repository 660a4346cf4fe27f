"""A crawl killed with SIGKILL again and again stores every post once, and goes on where it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.timeline import Timeline, killed_crawl

pytestmark = pytest.mark.slow


def test_a_crawl_killed_at_random_instants_stores_every_post_once(tmp_path: Path) -> None:
    with Timeline(pages=90) as timeline:
        done = killed_crawl(tmp_path, timeline, 3, random.Random(3), batch_size=40)
    assert (done.lost, done.doubles, done.extra) == (0, 0, 0)
    assert done.kills == 3
    assert done.stored == sorted(done.stored)
    assert done.stored[-1] > 0
