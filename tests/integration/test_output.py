"""What waits is told how far it is, also where nobody watches a terminal."""

from __future__ import annotations

import logging

import pytest

from listener.commands import output


def test_where_there_is_no_terminal_progress_is_a_log_line_every_five_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter([0.0, 0.5, 1.5, 2.0, 6.0, 7.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "listener"), output.reporting() as report:
        for done in range(6):
            report("评分", done, None if done < 3 else 10)
    assert [record.getMessage() for record in caplog.records] == ["评分: 2", "评分: 5 / 10"]
