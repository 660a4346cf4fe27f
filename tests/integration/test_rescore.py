"""listener rescore: killed in the middle and started again, it ends as a fresh import with that model would."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from config import edit
from nlp.model import read_model
from tests.killing import IMPORTED, LISTENER, Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("rescored"), only=frozenset({"abrupt", "recovered"}), batch_size=10) as stage:
        yield stage


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model with all of its tone turned around: whoever praises criticizes."""
    arrays = dict(read_model())
    arrays |= {name: -arrays[name] for name in ("tone", "tone_post", "tone_review")}
    path = tmp_path_factory.mktemp("model") / "other.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]  # stored, not squeezed: quick
    return path


def told(at: Path, *command: str) -> str:
    return subprocess.run([*LISTENER, *command], cwd=at, capture_output=True, text=True, check=True).stdout


def state_of(at: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(told(at, "rescore", "--status", "--format", "jsonl"))
    return found


def stale(at: Path) -> int:
    with closing(sqlite3.connect(at / "listener.db", timeout=60)) as connection:
        (left,) = connection.execute("SELECT count(*) FROM posts WHERE version <> scored_version").fetchone()
    return int(left)


def test_a_rescore_killed_in_the_middle_ends_as_a_fresh_import(stage: Stage, other_model: Path) -> None:
    fresh = shutil.copytree(stage._base(), stage.folder / "fresh")
    old = shutil.copytree(stage._base(), stage.folder / "old")
    stage.run(old, "import", IMPORTED)
    before = told(old, "alerts", "--format", "jsonl")
    for at in (fresh, old):
        edit.put_section(at / "listener.toml", "engine", {"batch_size": 2, "model": str(other_model)})
    stage.run(fresh, "import", IMPORTED)
    whole = state_of(old)
    assert whole["left"] == whole["posts"] > 0
    imported = shutil.copytree(old, stage.folder / "imported")
    for _ in range(10):  # on a busy machine it may be over before it is hit
        process = stage.start(old, "rescore")
        while process.poll() is None and not 0 < stale(old) < whole["posts"] * 0.8:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = state_of(old)
        if state["left"]:
            break
        shutil.rmtree(old)
        shutil.copytree(imported, old)
    assert 0 < state["left"] < whole["posts"]
    assert re.search(r"预警：新增 \d+，撤回 \d+，不变 \d+", told(old, "rescore"))
    assert state_of(old) == {**state, "left": 0, "to_replay": 0}
    after = told(old, "alerts", "--format", "jsonl")
    assert after == told(fresh, "alerts", "--format", "jsonl")
    assert after != before
    mine, theirs = stage.seen(old).stored, stage.seen(fresh).stored
    assert mine["mentions"] == theirs["mentions"]
    assert mine["moods"] == theirs["moods"]


def test_an_interrupt_ends_it_between_two_batches(stage: Stage) -> None:
    at = shutil.copytree(stage._base(), stage.folder / "interrupted")
    stage.phases["watch"].prepare(at)
    process = stage.start(at, "rescore")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=60)
    assert code in (1, -signal.SIGTERM), "it was cut, and says so"
    stage.run(at, "rescore")
    assert state_of(at)["left"] == 0


def test_nothing_is_left_where_nothing_changed(stage: Stage) -> None:
    at = shutil.copytree(stage._base(), stage.folder / "still")
    stage.run(at, "import", IMPORTED)
    assert state_of(at)["left"] == 0
    assert "没有待重新评分" in told(at, "rescore", "--status")
    assert "评分 0 条" in told(at, "rescore")
