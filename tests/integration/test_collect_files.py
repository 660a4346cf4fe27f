"""read_items on real files, and on the standard input of a real process."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from spiders.errors import CollectError
from spiders.files import BadLine, read_items
from spiders.items import Item

ROOT = Path(__file__).parents[2]


def lines(count: int) -> bytes:
    rows = (
        {
            "platform": "weibo",
            "post_id": str(n),
            "author_id": "7",
            "posted_at": "2026-01-01T08:00:00+08:00",
            "text": f"好用 {n}",
        }
        for n in range(count)
    )
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_whatever_its_name(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "导出.txt"
    path.write_bytes(gzip.compress(lines(3)) if packed else lines(3))
    for source in (path, str(path)):
        assert [item.post_id for item in read_items(source) if isinstance(item, Item)] == ["0", "1", "2"]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "没有.jsonl", tmp_path):
        with pytest.raises(CollectError, match=path.name):
            list(read_items(path))


READ = """
from spiders.files import read_items
print(*(getattr(one, "post_id", None) or f"bad {one.number}" for one in read_items("-")))
"""


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_read(packed: bool) -> None:
    body = lines(2) + b"nope\n"
    sent = gzip.compress(body) if packed else body
    done = subprocess.run([sys.executable, "-c", READ], input=sent, capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.decode().split("\n")[0] == "0 1 bad 3"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (2_000, 20_000):
        path = tmp_path / f"{count}.jsonl.gz"
        path.write_bytes(gzip.compress(lines(count)))
        tracemalloc.start()
        assert sum(not isinstance(item, BadLine) for item in read_items(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 2 + 1_000_000
