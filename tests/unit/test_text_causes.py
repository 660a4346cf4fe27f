"""An alert says what the criticism is about, and who answers for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from listener.text.story import story_of
from listener.text.views import AlertView, Language, view_of
from tests.alerted import history, stored

DEPARTMENTS = (("product", "产品部"), ("after-sales", "<客服>\u202e部"), ("price", ""))


def view(causes: tuple[str, ...], language: Language = "zh-CN") -> AlertView:
    told = history()
    mentions = tuple(replace(each, mention=replace(each.mention, causes=causes)) for each in told.mentions)
    return view_of(stored(mentions), replace(told, mentions=mentions), koc=None, language=language, departments=DEPARTMENTS)


@pytest.mark.parametrize(
    ("language", "label", "words"),
    [
        ("zh-CN", "涉及", "售后 {n} 条（<客服>部）、价格 {n} 条、产品 {n} 条（产品部）"),
        ("en", "About", "after-sales {n} (<客服>部), price {n}, product {n} (产品部)"),
    ],
)
def test_causes_of_the_critical_posts_are_counted_with_their_departments(language: Language, label: str, words: str) -> None:
    shown = view(("product", "after-sales", "price"), language)
    critical = sum(quote.stance == "against" for quote in shown.quotes)
    assert 0 < critical < len(shown.quotes)
    assert dict(story_of(shown).facts)[label] == words.format(n=critical)


def test_where_no_cause_was_read_nothing_is_said() -> None:
    assert "涉及" not in dict(story_of(view(())).facts)
