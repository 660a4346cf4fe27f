"""nlp train, evaluate, explain: the scorer made, judged and asked why."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.commands import output
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nlp.corpora import Labelled
    from nlp.judge import Verdict
    from nlp.score import Engine

app = typer.Typer(no_args_is_help=True, help="评分模型：训练、评测、解释 / the scorer: train, evaluate, explain")

FEW = 500  # rows left out, below which figures say little
Corpora = Annotated[
    list[Path],
    typer.Argument(
        help="CSV 或 .csv.gz：text,label[,domain]、text,polarity[,origin] 或 text,stance,target[,origin]",
        metavar="CORPUS...",
        exists=True,
    ),
]
ModelFile = Annotated[
    Path | None, typer.Option("--model", help="自己的模型文件（默认随附的） / a model of one's own", metavar="FILE")
]
Embeddings = Annotated[
    bool,
    typer.Option("--embeddings", help="拿不准的再用句向量读一遍（koc-listener[embeddings]） / read hard posts again"),
]


def _engine_of(model: Path | None, embeddings: bool) -> Engine:
    """Raises ScoreError."""
    from nlp.embeddings import embedder
    from nlp.score import load

    return load(model, embedder=embedder() if embeddings else None)


def _rows_of(paths: list[Path]) -> list[Labelled]:
    from nlp.corpora import read_corpus

    return [row for path in paths for row in read_corpus(path)]


@app.command(no_args_is_help=True)
def train(
    corpora: Corpora,
    out: Annotated[Path, typer.Option("--out", help="写到哪里 / where to write it", metavar="FILE")] = Path("model.npz"),
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="不用这个领域或来源，可多次 / leave out a domain or origin", metavar="NAME"),
    ] = None,
    embeddings: Annotated[
        bool,
        typer.Option("--embeddings", help="改为训练句向量的判别头，约一小时 / instead the heads over embeddings"),
    ] = False,
) -> None:
    """用带标签的 CSV 重新训练并校准（需要 scipy） / retrain and calibrate from labelled CSV (needs scipy)"""
    from nlp.model import write_model
    from nlp.results import ScoreError

    try:
        rows = [row for row in _rows_of(corpora) if not {row.domain, row.group} & set(without or ())]
        arrays = _trained(rows, embeddings=embeddings)
        write_model(out, arrays)
    except ImportError as error:
        output.err.print(f"训练需要 scipy：pip install 'koc-listener[train]' / training needs scipy ({error})", markup=False)
        raise typer.Exit(2) from error
    except ScoreError as error:
        output.warn(str(error))
        raise typer.Exit(2) from error
    output.out.print(f"已写入 / written: {out}（{out.stat().st_size / 1e6:.1f} MB）")
    if not embeddings:
        _judge_held_out(out, rows)


def _judge_held_out(model: Path, rows: list[Labelled]) -> None:
    """Show how good a new model is on the tenth of its rows that it never learnt from."""
    from nlp.corpora import TEST, fold_of
    from nlp.judge import judge

    held = [row for row in rows if fold_of(row.text) == TEST]
    _print_verdicts(judge(_engine_of(model, embeddings=False), held, by=lambda row: row.group), Format.table)
    if len(held) < FEW:
        words = f"留出评测的只有 {len(held)} 条，数字不可靠；语料太少的模型远不如随附的 / only {len(held)} rows were left out"
        output.warn(f"{words}: these figures say little, and a model of few texts is far worse than the one that ships")


def _print_verdicts(verdicts: list[Verdict], form: Format) -> None:
    found = [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(verdict).items()}
        | {"per_second": round(verdict.per_second)}
        for verdict in verdicts
    ]
    output.write_rows(
        found, form, columns=[(key, key) for key in found[0]] if found else (), empty="没有可评测的行 / no rows to judge"
    )


def _trained(rows: list[Labelled], *, embeddings: bool) -> dict[str, NDArray[np.generic]]:
    """The arrays of a model, or of the heads over sentence embeddings. Raises ScoreError; ImportError without SciPy."""
    from nlp.train import train as make

    if not embeddings:
        return make(rows, lambda line: output.err.print(line))
    from nlp.embeddings import embedder
    from nlp.second_fit import fit_second

    return fit_second(rows, embedder(), lambda line: output.err.print(line))


@app.command(no_args_is_help=True)
def evaluate(
    corpora: Corpora,
    model: ModelFile = None,
    embeddings: Embeddings = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="全部行（默认只用训练时留出的十分之一）；模型学过的会偏高 / every row; flattered by texts it learnt from",
        ),
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="只评情感的快速模式 / the fast mode, tone alone")] = False,
    form: FormatOption = Format.table,
) -> None:
    """按领域给出准确率、macro-F1、校准误差与速度 / accuracy, macro-F1, calibration and speed of each domain"""
    from nlp.corpora import TEST, fold_of
    from nlp.judge import judge
    from nlp.results import ScoreError

    try:
        given = _rows_of(corpora)
        rows = [row for row in given if not (fast and row.target)]
        judged = [row for row in rows if everything or fold_of(row.text) == TEST]
        engine = _engine_of(model, embeddings)
        (output.say if form is Format.table else output.warn)(_which(len(judged), len(rows), everything=everything))
        if left_out := len(given) - len(rows):
            output.warn(
                f"--fast 只评情感：{left_out} 条态度没有评 / --fast is tone alone: {left_out} rows of stance are left out"
            )
        with output.reporting() as report:
            told = partial(report, "评分 / scoring")
            verdicts = judge(engine, judged, by=lambda row: row.group, fast=fast, progress=told)
    except ScoreError as error:
        output.warn(str(error))
        raise typer.Exit(2) from error
    _print_verdicts(verdicts, form)


def _which(judged: int, of: int, *, everything: bool) -> str:
    """Which rows are judged, and why those."""
    if everything:
        return (
            f"评测全部 {of} 条。模型学过的文字会让数字偏高：只有它从没学过的语料，数字才可信\n"
            f"All {of} rows are judged. Texts that the model has learnt from flatter it: trust this of texts it never saw"
        )
    few = "" if judged >= FEW else "；太少，数字不可靠"
    few_en = "" if judged >= FEW else "; too few to say much"
    return (
        f"评测 {of} 条中留出的 {judged} 条：按文字分出、训练时从不使用的十分之一{few}。从没用来训练的语料，加 --all 评测全部\n"
        f"Judged: {judged} of {of} rows, the tenth that training never uses{few_en}. "
        "Of a CSV that was never trained on, --all judges every row"
    )


@app.command(no_args_is_help=True)
def explain(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="一条内容 / a post", metavar="TEXT")],
    target: Annotated[str | None, typer.Option(help="对哪个品牌 / toward which brand", metavar="NAME")] = None,
    rival: Annotated[list[str] | None, typer.Option(help="竞品，可多次 / a rival, may be repeated", metavar="NAME")] = None,
    model: ModelFile = None,
    embeddings: Embeddings = False,
    form: FormatOption = Format.table,
) -> None:
    """一条内容为什么这样评分：概率，以及加起来就是总分的权重 / why a post scores as it does, in weights that add up"""
    from listener.commands.context import scoring_of
    from listener.commands.explaining import print_explanation
    from listener.scoring import request_of
    from nlp.results import ScoreError

    brands, own_model, own_embeddings = scoring_of(context)
    request = request_of(text, target, rival or (), brands)
    try:
        engine = _engine_of(model or own_model, embeddings or own_embeddings)
    except ScoreError as error:
        output.warn(str(error))
        raise typer.Exit(2) from error
    print_explanation(request, engine.score([request])[0], engine.reasons(request), form)
