"""listener nlp: train, evaluate, explain, on real files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from listener.commands.nlp import app

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


def test_the_weights_of_an_explanation_add_up() -> None:
    told = RUN.invoke(app, ["explain", "墨羽头皮痒，星澜很好用", "--target", "星澜", "--rival", "墨羽", "--format", "jsonl"])
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    parts = sum(row["weight"] for row in rows if row["part"].endswith(("word", "rest")))
    assert abs(parts - rows[-1]["weight"]) < 0.01
    assert {row["owner"] for row in rows if row["part"].endswith("clause")} == {"rival", "target"}


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
