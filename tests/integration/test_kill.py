"""Killed with SIGKILL in the middle of its work and started again, the program loses nothing and does nothing twice."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.killing import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("killed"), only=frozenset({"abrupt", "recovered"})) as stage:
        yield stage


@pytest.mark.parametrize("phase", ["import", "crawl", "watch", "deliver"])
def test_a_killed_command_started_again_ends_as_if_nothing_had_happened(stage: Stage, phase: str) -> None:
    reference, _ = stage.undisturbed(phase)
    assert reference.told, "the season raises alerts, and they are told"
    assert {state for *_, state in reference.deliveries} == {"sent"}
    killed = stage.torture(phase, 0, kills=2, rng=random.Random(phase))
    assert killed.problems == []
    assert killed.orphans == 0
