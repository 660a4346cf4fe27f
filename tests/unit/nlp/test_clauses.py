"""Whose clause is whose, and who wins a comparison."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.clauses import clauses_of, comparison, may_quote
from nlp.text import RIVAL as R
from nlp.text import TARGET as T


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        (f"{T}好用，味道也好", "target target"),
        (f"{R}难用，头皮痒", "rival rival"),
        (f"{R}难用，还是这款好", "rival target"),
        (f"{T}好，{R}差，{T}香", "target rival target"),
        (f"{T}比{R}好", "both"),
        (f"不如{R}，太干了", "both target"),
        ("味道好，不过太干", "target target"),
        (f"{T}、{R}都好用", "both"),
        (f"{R}难用、掉色、{T}好", "rival rival target"),
        ("", ""),
    ],
)
def test_a_clause_belongs_to_the_brand_it_speaks_of(text: str, owners: str) -> None:
    assert " ".join(clause.owner for clause in clauses_of(text)) == owners


def test_a_rival_named_by_a_tag_owns_the_first_clauses() -> None:
    assert [clause.owner for clause in clauses_of("太难用了", rival_first=True)] == ["rival"]


@pytest.mark.parametrize(
    ("text", "winner"),
    [
        (f"{T}完爆{R}", 1),
        (f"{R}吊打{T}", -1),
        (f"{T}不如{R}", -1),
        (f"{R}不如{T}", 1),
        (f"比{R}好用", 1),
        (f"不如{R}", -1),
        (f"从{R}换到{T}", 1),
        (f"从{T}换到{R}", -1),
        (f"换成{R}了", -1),
        (f"{T}比{R}差", -1),
        (f"{T}和{R}都买了", 0),
    ],
)
def test_a_comparison_has_a_winner(text: str, winner: int) -> None:
    assert comparison(text) == winner


PIECES = [
    "大家都说",
    "室友说",
    "都说",
    "我",
    "我妈",
    "但是",
    "不过",
    "其实",
    "好用",
    "换了",
    "还是",
    "不如",
    "比",
    "，",
    "。",
    "！",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_a_text_that_names_nobody_and_quotes_nobody_is_all_of_the_target(pieces: list[str]) -> None:
    body = "".join(pieces)
    if not may_quote(body):
        assert {(clause.owner, clause.rank) for clause in clauses_of(body)} <= {("target", 0.0)}


def test_what_others_say_before_a_view_of_ones_own_is_quoted() -> None:
    body = "大家都说难用，其实挺好"
    assert may_quote(body)
    assert [clause.owner for clause in clauses_of(body)] == ["quoted", "target"]
