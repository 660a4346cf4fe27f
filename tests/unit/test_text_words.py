"""Every code that a person may see has words in both languages."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import config
import listener
import nlp
import spiders
import storage
from config.settings import Departments
from listener.commands.stories import told_lines
from listener.explain import Told
from listener.text.reasons import SENTENCES
from listener.text.views import Language, LetterKind, StanceCode
from listener.text.words import WORDS, group_of, word
from storage import records
from storage.policy_records import Hold

LITERALS = {
    "level": records.Level,
    "level-short": records.Level,
    "severity": records.Severity,
    "status": records.Status,
    "alert-state": records.AlertState,
    "delivery-kind": records.DeliveryKind,
    "delivery-state": records.DeliveryState,
    "case-state": records.CaseState,
    "crawl-outcome": records.CrawlOutcome,
    "reach": records.Reach,
    "via": records.Via,
    "post-kind": records.PostKind,
    "stance": StanceCode,
    "letter-kind": LetterKind,
}


@pytest.mark.parametrize("group", LITERALS)
def test_every_code_of_the_records_has_words(group: str) -> None:
    assert set(get_args(LITERALS[group])) <= set(WORDS[group])


def test_every_word_stands_in_both_languages() -> None:
    for group, words in WORDS.items():
        for code, (zh, en) in words.items():
            assert zh.strip(), (group, code)
            assert en.strip(), (group, code)
            assert not any("\u4e00" <= c <= "\u9fff" for c in en), (group, code)


def test_every_cue_has_words() -> None:
    lines = files("nlp").joinpath("data/cues.tsv").read_text(encoding="utf-8").splitlines()
    codes = {line.split("\t")[0] for line in lines if line.strip() and line[0] not in "#="}
    assert codes <= set(WORDS["cue"])


def test_every_cause_has_words_and_a_department() -> None:
    lines = files("nlp").joinpath("data/causes.tsv").read_text(encoding="utf-8").splitlines()
    codes = {line.split("\t")[0] for line in lines if line.strip() and line[0] not in "#="}
    assert codes == set(WORDS["cause"]) == set(dict(Departments().by_cause))


def codes() -> list[type[StrEnum]]:
    found: dict[str, type[StrEnum]] = {}
    for package in (listener, spiders, nlp, storage, config):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if (
                module.name.endswith("__main__")
                or ".migrations" in module.name
                or ".commands" in module.name
                or module.name.endswith(".cli")
            ):
                continue  # options of the command line are typed as they stand
            loaded = importlib.import_module(module.name)
            for each in vars(loaded).values():
                if isinstance(each, type) and issubclass(each, StrEnum) and each.__module__ == module.name:
                    found[f"{module.name}.{each.__name__}"] = each
    return list(found.values())


def test_every_code_of_an_enumeration_has_words() -> None:
    worded = {group_of(each): WORDS.get(group_of(each), SENTENCES) for each in codes()}
    lacking = [f"{group_of(each)}: {code}" for each in codes() for code in each if code not in worded[group_of(each)]]
    assert lacking == []


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert word("status", "brand-new") == "brand-new"
    assert word("no-such-group", "x", "en") == "x"
    assert word("status", "recovered") == "态度回暖"
    assert word("status", "recovered", "en") == "recovered"


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "值班的渠道送不到，改告诉这里"), ("en", "can't be reached: told here instead")]
)
def test_why_a_stand_in_was_told_at_night_is_said_and_is_no_hold(language: Language, words: str) -> None:
    at = datetime(2026, 9, 15, 15, tzinfo=UTC)
    holds = (Hold("d", at, "quiet-hours", at + timedelta(hours=9)), Hold("d", at, "stand-in", at))
    told = Told("other", "alert", "sent", at, "", "alert", holds=holds)
    lines = list(told_lines(told, language, ZoneInfo("Asia/Shanghai")))
    assert len(lines) == 3
    assert words in lines[2]
    assert "暂存" not in lines[2]
    assert "held back" not in lines[2]
