"""listener nlp: train, evaluate, explain, on real files."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from listener.commands.nlp import app
from listener.scoring import answers
from nlp.corpora import TEST, fold_of, read_corpus

RUN = CliRunner()
WORDS = {"pos": ["好用", "喜欢", "满意"], "neg": ["难用", "垃圾", "失望"], "neu": ["请问", "通知", "公告"]}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    things = ["洗发水", "手机", "酒店", "外卖", "衣服", "苹果", "面膜", "耳机"]
    lines = [f"{t}{i}{w},{label},made" for label, words in WORDS.items() for w in words for t in things for i in range(8)]
    path = tmp_path / "tone.csv"
    path.write_text("text,label,domain\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_model_is_trained_judged_and_asked_why(corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    out = tmp_path / "own.npz"
    trained = RUN.invoke(app, ["train", str(corpus), "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    assert "accuracy" in trained.output, "how good it is on what it did not learn from"
    judged = RUN.invoke(app, ["evaluate", str(corpus), "--model", str(out), "--format", "jsonl"])
    assert judged.exit_code == 0
    assert json.loads(judged.stdout.splitlines()[0])["accuracy"] > 0.9
    fast = RUN.invoke(app, ["evaluate", str(corpus), "--model", str(out), "--fast", "--all", "--format", "json"])
    assert json.loads(fast.stdout)[0]["posts"] == 576


def test_evaluate_says_which_rows_it_judges_and_how_to_judge_all(corpus: Path) -> None:
    tenth = RUN.invoke(app, ["evaluate", str(corpus)])
    held = sum(fold_of(row.text) == TEST for row in read_corpus(corpus))
    assert f"评测 576 条中留出的 {held} 条" in tenth.stdout
    assert "--all" in tenth.stdout
    assert "太少" in tenth.stdout
    assert tenth.stdout.index("留出") < tenth.stdout.index("accuracy")
    everything = RUN.invoke(app, ["evaluate", str(corpus), "--all", "--format", "json"])
    assert "评测全部 576 条" in everything.stderr
    assert "偏高" in everything.stderr
    assert json.loads(everything.stdout)[0]["posts"] == 576


def test_evaluate_of_a_few_rows_of_ones_own_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text,label\n很好,pos\n很差,neg\n", encoding="utf-8")
    told = RUN.invoke(app, ["evaluate", str(tmp_path / "mine.csv")])
    assert "没有可评测的行" in told.stdout
    assert "--all" in told.stdout


def test_the_fast_mode_says_that_it_judges_no_stance(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text,stance,target\n星澜很好,favor,星澜\n星澜很差,against,星澜\n", encoding="utf-8")
    told = RUN.invoke(app, ["evaluate", str(tmp_path / "mine.csv"), "--all", "--fast"])
    assert "2 条态度没有评" in told.stderr
    assert "态度没有评" not in RUN.invoke(app, ["evaluate", str(tmp_path / "mine.csv"), "--all"]).output


def explained(*words: str) -> dict[str, Any]:
    told = RUN.invoke(app, ["explain", *words, "--format", "jsonl"])
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_the_weights_of_an_explanation_add_up() -> None:
    told = explained("墨羽头皮痒，星澜很好用", "--target", "星澜", "--rival", "墨羽")
    assert [why["of"] for why in told["reasons"]] == ["stance", "none", "tone", "neutral"]
    for why in told["reasons"]:
        for parts in ("words", "clauses"):
            assert abs(sum(part["weight"] for part in why[parts]) + why["rest"] - why["log_odds"]) < 1e-3
        assert abs(sum(why["rests"].values()) - why["rest"]) < 1e-3
    assert [part["owner"] for part in told["reasons"][0]["clauses"]] == ["rival", "target"]


def test_an_explanation_tells_the_probabilities_that_score_gives() -> None:
    line: dict[str, Any] = {"text": "墨羽头皮痒，星澜很好用", "target": "星澜", "rivals": ["墨羽"]}
    (answer,) = answers([json.dumps(line).encode()], ())
    assert explained(line["text"], "--target", "星澜", "--rival", "墨羽")["score"] == json.loads(answer)


def test_an_explanation_knows_the_workspace_as_score_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("listener.toml").write_text('[[brands]]\nname = "星澜"\nnicknames = ["澜澜"]\nrivals = [{ name = "墨羽" }]\n', "utf-8")
    told = explained("墨羽太油了，澜澜好用", "--target", "星澜")
    assert [part["owner"] for part in told["reasons"][0]["clauses"]] == ["rival", "target"]
    assert "".join(part["words"] for part in told["reasons"][0]["words"]) == "墨羽太油了，澜澜好用"


def test_an_explanation_is_a_table_for_people() -> None:
    told = RUN.invoke(app, ["explain", "用了星澜三个月，客服踢皮球，再也不买了", "--target", "星澜"]).stdout
    for words in ("不表态", "客服踢皮球", "主要依据", "合计 / sum", "线索 / cues", "原因 / causes", "星澜三个月"):
        assert words in told
    asked = RUN.invoke(app, ["explain", "求问星澜和墨羽哪个好？", "--target", "星澜", "--rival", "墨羽"]).stdout
    assert "求助" in asked
    assert "--target" in RUN.invoke(app, ["explain", "很好用"]).stdout


@pytest.mark.parametrize(
    ("text", "reason"), [("", "没有文字"), ("Great shampoo, love it", "其他语言"), ("转发微博", "没有可读的词")]
)
def test_what_is_not_read_is_not_explained_but_told(text: str, reason: str) -> None:
    told = RUN.invoke(app, ["explain", text, "--target", "星澜"])
    assert told.exit_code == 0
    assert "没有评分" in told.stdout
    assert reason in told.stdout
    score = explained(text)["score"]
    assert "哪边都不偏" in told.stdout
    assert score["neg"] == score["pos"]
    assert explained(text, "--target", "星澜")["reasons"] == []
    assert explained(text)["score"]["unscored"]


def test_a_bad_corpus_is_wrong_use(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n", encoding="utf-8")
    for command in ("train", "evaluate"):
        assert RUN.invoke(app, [command, str(bad)]).exit_code == 2


@pytest.mark.parametrize(
    "rows",
    [
        "text,label\n",
        "text,label\n很好,pos\n很差,neg\n",
        "text,stance,target\n" + "".join(f"第{n}次买甲很好,favor,甲\n" for n in range(60)),
    ],
    ids=["no rows", "two rows", "stance alone"],
)
def test_too_few_texts_of_tone_make_no_model(rows: str, tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    (tmp_path / "mine.csv").write_text(rows, encoding="utf-8")
    refused = RUN.invoke(app, ["train", str(tmp_path / "mine.csv"), "--out", str(tmp_path / "m.npz")])
    assert refused.exit_code == 2
    assert "text,label" in refused.output.replace("\n", "")
    assert not (tmp_path / "m.npz").exists()


def test_what_is_no_model_is_told_without_words_of_pickles(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("text,label\n很好,pos\n", encoding="utf-8")
    refused = RUN.invoke(app, ["evaluate", str(tmp_path / "c.csv"), "--model", str(tmp_path / "c.csv")])
    assert refused.exit_code == 2
    assert "模型读不了" in refused.output.replace("\n", "")
    assert "pickle" not in refused.output
