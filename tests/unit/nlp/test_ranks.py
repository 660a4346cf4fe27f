"""How a clause ranks the target against others: comparisons, moves, staying, turning one's back."""

import pytest

from nlp.clauses import clauses_of, rank_of
from nlp.ranks import comparison, names_others
from nlp.text import NAME
from nlp.text import RIVAL as R
from nlp.text import TARGET as T


@pytest.mark.parametrize(
    ("clause", "side"),
    [
        (f"{T}比{R}好用", 1),
        (f"{R}比{T}便宜多了", -1),
        (f"{T}比{R}差远了", -1),
        (f"{T}不比{R}差", 1),
        (f"{T}比那些网红款靠谱", 1),
        (f"{T}比以前差", 0),
        (f"{T}的性价比高", 0),
        (f"{T}跟{R}差不多", 0),
        (f"{T}和{R}比差远了", -1),
        (f"比起{R}我更喜欢{T}", 1),
        (f"{T}比其他牌子好用", 1),
        (f"{T}比{NAME}好用", 1),
        (f"{T}完爆{R}", 1),
        (f"{T}被{R}吊打", -1),
        (f"完爆{T}", -1),
        (f"{T}秒杀价99", 0),
        (f"{T}不输{R}", 1),
        (f"{R}不如{T}", 1),
        (f"真不如{T}", 1),
        (f"{T}还不如以前", -1),
        (f"不如买{R}", -1),
        ("不如早点睡", 0),
        (f"{R}跟{T}没法比", 1),
        (f"没法跟{R}比", -1),
        (f"{T}没有{R}好用", -1),
        (f"没有{T}那么贵", -1),
        (f"{T}和{R}哪个好", 0),
        (f"{T}好还是{R}好？", 0),
        (f"{T}和{R}都好用", 0),
    ],
)
def test_a_comparison_ranks_the_target(clause: str, side: int) -> None:
    found = comparison(clause)
    assert (found > 0) - (found < 0) == side


@pytest.mark.parametrize(
    ("clause", "side"),
    [
        (f"换成{R}了", -1),
        (f"我换回{T}了", 1),
        (f"已转{R}", -1),
        (f"从{T}换到{R}", -1),
        (f"朋友都换成{R}了", 0),
        (f"身边的人让我换成{R}", 0),
        (f"我朋友换成{R}", 0),
        (f"本来想换{R}", 0),
        (f"换成{R}之后头皮痒", 0),
        (f"不会换{R}", 1),
        (f"卸载{T}", -1),
        (f"抛弃{R}", 1),
        (f"我还是用{T}", 1),
        (f"还得是{T}", 1),
        (f"还是{T}好", 1),
        (f"还是{T}的问题", 0),
        (f"还是{R}香", -1),
        (f"别人都还是用{T}", 0),
        (f"我只认{T}", 1),
        (f"不再支持{T}", -1),
        (f"支持{T}付款", 0),
        (f"抵制{T}", -1),
        (f"抵制{R}", 1),
        (f"再也不买{T}", -1),
        (f"有人喊抵制{T}", 0),
        (f"{T}永远的神", 1),
    ],
)
def test_moving_staying_and_turning_away_rank_too(clause: str, side: int) -> None:
    found = comparison(clause)
    assert (found > 0) - (found < 0) == side


def test_others_without_a_name_are_others() -> None:
    assert names_others("别家都在涨价")
    assert names_others("其他牌子")
    assert not names_others("家里都在用")


def test_the_last_clause_that_ranks_counts_most() -> None:
    text = f"试着换成{R}，最后还是用{T}"
    assert rank_of(clauses_of(text)) > 0
    assert rank_of(clauses_of(f"{T}不错")) == 0
    assert rank_of(clauses_of(f"{T}完爆{R}，{T}吊打{R}")) == 1


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        (f"朋友都换成{R}了，我还是用{T}", "rival target"),
        (f"{R}客服踢皮球 {T}客服秒回", "rival target"),
        (f"比起{R}，{T}更好用", "both"),
        ("别家都涨价了，我用着挺好", "rival target"),
        (f"都说{T}不好，我觉得挺好", "quoted target"),
        (f"都说{T}不好", "target"),
        (f"网友说{T}垃圾，我用着挺好", "quoted target"),
        (f"网友说{T}垃圾", "target"),
        (f"{NAME}太油了，{T}不会", "rival target"),
    ],
)
def test_clauses_of_others_are_theirs(text: str, owners: str) -> None:
    assert " ".join(clause.owner for clause in clauses_of(text)) == owners
