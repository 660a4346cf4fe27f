"""Every code that a person may see has words in both languages."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum
from typing import get_args

import pytest

import config
import listener
import nlp
import spiders
import storage
from listener.text.views import LetterKind, StanceCode
from listener.text.words import WORDS, group_of, word
from storage import records

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


def codes() -> list[type[StrEnum]]:
    found: dict[str, type[StrEnum]] = {}
    for package in (listener, spiders, nlp, storage, config):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__") or ".migrations" in module.name:
                continue
            try:
                loaded = importlib.import_module(module.name)
            except ModuleNotFoundError:
                continue
            for each in vars(loaded).values():
                if isinstance(each, type) and issubclass(each, StrEnum) and each.__module__ == module.name:
                    found[f"{module.name}.{each.__name__}"] = each
    return list(found.values())


def test_every_code_of_an_enumeration_has_words() -> None:
    lacking = [f"{group_of(each)}: {code}" for each in codes() for code in each if code not in WORDS.get(group_of(each), {})]
    assert lacking == []


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert word("status", "brand-new") == "brand-new"
    assert word("no-such-group", "x", "en") == "x"
    assert word("status", "recovered") == "态度回暖"
    assert word("status", "recovered", "en") == "recovered"
