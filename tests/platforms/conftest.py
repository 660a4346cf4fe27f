"""Run by `make test-platforms` alone: what it installs costs minutes once, and is kept in .platforms/ (KOC_PLATFORMS_DIR)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.platforms.workshop import Workshop

collect_ignore_glob = [] if os.environ.get("KOC_PLATFORMS") else ["test_*.py"]

_shop = Workshop(Path(os.environ.get("KOC_PLATFORMS_DIR") or Path(__file__).parents[2] / ".platforms").resolve())


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    """Where servers are installed and started."""
    _shop.folder.mkdir(parents=True, exist_ok=True)
    return _shop


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _shop.costs:
        terminalreporter.section("what the servers cost")
        for cost in _shop.costs.values():
            terminalreporter.write_line(cost.line())
