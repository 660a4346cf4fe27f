"""What a calibration says on a terminal: promised beside expected, what it changes, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from listener.calibrating import Calibrated, Keeping
from listener.commands import promising
from listener.drift.deployment import Expected, Fit, Material
from listener.drift.rules import default_calibration
from storage.records import Calibration, CalibrationRun

AT = datetime(2026, 5, 1, tzinfo=UTC)
NEW = Calibration("fitted-abc", "星澜", AT, {})
BEFORE = {"amber": Expected(10.0, 25.6, 23.8, 27.5, 5.12), "red": Expected(1.0, 4.5, 3.7, 5.3, 6.39)}
NOW = {"amber": Expected(10.0, 9.8, 8.7, 11.0, 6.0), "red": Expected(1.0, 0.8, 0.5, 1.2, 7.63)}
FIT = Fit(Material(294, 11154, 242.0, 12, 3), NEW, NOW, BEFORE)
DONE = Calibrated("星澜", "fitted", default_calibration(), FIT.material, FIT, True, (("K1", "red"),), (), 14)
KEPT = Keeping(
    "星澜", {"red": 1.0, "amber": 10.0}, NOW, 297, 45.9, NEW, 2, 12, CalibrationRun("星澜", AT, "fitted", "fitted-abc", {}), AT
)


def app(language: str) -> SimpleNamespace:
    settings = SimpleNamespace(listener=SimpleNamespace(language=language))
    return SimpleNamespace(settings=settings, timezone="Asia/Shanghai")


def said(done: Calibrated, capsys: pytest.CaptureFixture[str], language: str = "zh-CN", dry_run: bool = False) -> str:
    promising.print_calibrated(done, app(language), dry_run=dry_run)  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_a_calibration_shows_promised_beside_expected_before_and_now(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(DONE, capsys)
    for words in (
        "已校准：fitted-abc",
        "自 2026-05-01 08:00 起生效",
        "294 位 KOC 的 11154 条提及",
        "12 位确认转变",
        "3 位的误报",
    ):
        assert words in out
    for words in (
        "25.6  (23.8–27.5)",
        "9.8  (8.7–11.0)",
        "6.39 → 7.63",
        "会新增 1 个转变: K1 红",
        "会撤回 0",
        "14 个转变改由另一条",
    ):
        assert words in out
    english = said(DONE, capsys, "en")
    for words in (
        "calibrated: fitted-abc",
        "Expected before",
        "it raises 1 turns: K1 red",
        "14 turns are told by another post",
    ):
        assert words in english


def test_a_trial_one_for_later_and_one_that_changes_nothing_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "试算，未写入" in said(DONE, capsys, dry_run=True)
    assert "a trial, nothing written" in said(DONE, capsys, "en", dry_run=True)
    assert "现在还不" in said(replace(DONE, is_in_effect=False), capsys)
    assert "not yet" in said(replace(DONE, is_in_effect=False), capsys, "en")
    same = replace(DONE, outcome="unchanged", before=NEW)
    assert "什么都不变" in said(same, capsys)
    assert "会新增" not in said(same, capsys)
    assert "nothing changes" in said(same, capsys, "en")


def test_too_little_history_names_what_there_is_what_is_needed_and_what_stays(capsys: pytest.CaptureFixture[str]) -> None:
    material = Material(3, 40, 1.0, 0)
    done = replace(DONE, outcome="too-little", material=material, fit=Fit(material, None, {}, {}))
    assert "现有 3 位" in said(done, capsys)
    assert "沿用出厂默认 default-" in said(done, capsys)
    assert "沿用先前的校准 fitted-abc" in said(replace(done, before=NEW), capsys)
    assert "(there are 40)" in said(replace(done, fit=None), capsys, "en")


def test_the_status_says_how_many_false_alarms_a_year_are() -> None:
    out = "\n".join(promising.lines_of(KEPT, app("zh-CN")))  # type: ignore[arg-type]
    for words in (
        "预计：红 0.8（0.5–1.2）、黄 9.8（8.7–11.0）",
        "红色误报约 4.2 年一次，黄色误报一年约 2.9 次",
        "误报或温和批评 2 位，确已转变 12 位",
        "自有历史 fitted-abc，2026-05-01 起生效",
    ):
        assert words in out
    out = "\n".join(promising.lines_of(KEPT, app("en")))  # type: ignore[arg-type]
    for words in ("a false red alert about every 4.2 years", "about 2.9 false amber alerts a year", "own history fitted-abc"):
        assert words in out


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (0.0, "红色误报几乎没有", "hardly a false red alert"),
        (0.02, "红色误报约 50 年一次", "a false red alert about every 50 years"),
        (1.5, "红色误报一年约 1.5 次", "about 1.5 false red alerts a year"),
        (12.4, "红色误报一年约 12 次", "about 12 false red alerts a year"),
    ],
)
def test_a_rate_is_said_as_people_say_it(number: float, zh: str, en: str) -> None:
    assert promising._a_year_zh("红色", number) == zh
    assert promising._a_year_en("red", number) == en
