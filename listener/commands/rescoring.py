"""rescore: what is stored, scored again by the model of today, and every KOC it touches judged again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from listener.pipeline import Report


def rescore(
    context: typer.Context,
    status: Annotated[
        bool, typer.Option("--status", help="只看还剩多少，什么都不做 / tell how many are left, do nothing")
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """用现在的模型把已存内容重新评分，并重看相关 KOC；可中断，再次运行会继续 / score what is stored again; resumable"""
    from listener.commands import promising

    with opened(context) as app:
        if status:
            _tell(_state_of(app), form)
            return
        stop = threading.Event()
        app.stop_on(stop)
        with _signals_set(stop), output.reporting() as report:
            left, before = app.prepare(), {one.alert.key for one in app.store.alerts()}
            made, watched = app.catch_up(_of(left, report))
        state, after = _state_of(app), {one.alert.key for one in app.store.alerts()}
    output.say(f"评分 {made} 条，重看 {watched} 位 KOC / scored {made} posts, replayed {watched} KOCs")
    output.say(promising.moved(before, after))
    if state["left"] or state["to_replay"]:
        _tell(state, form)
        raise typer.Exit(FAILED)


def _of(left: int, report: Report) -> Report:
    """Progress of the scoring out of how many there are; the replay knows its own sum."""

    def told(step: str, done: int, total: int | None) -> None:
        report(step, done, max(left, done) if total is None else total)

    return told


def _state_of(app: App) -> dict[str, Any]:
    """Which model scored, which scores now, and how much of the change is still to do. Raises ScoreError."""
    from listener.overview import scorer_of
    from nlp.results import ScoreError

    state = asdict(scorer_of(app))
    if error := state.pop("error"):
        raise ScoreError(error)
    return state


def _tell(state: dict[str, Any], form: Format) -> None:
    if form is not Format.table:
        output.write_rows([state], form, columns=(), empty="")
        return
    output.say(f"模型 / model: {state['model']}（已存内容所用 / of what is stored: {state['stored_model'] or '-'}）")
    output.say(
        f"还剩 {state['left']} / {state['posts']} 条待评分，{state['to_replay']} 位 KOC 待重看；运行 listener rescore 继续"
        f" / {state['left']} of {state['posts']} posts and {state['to_replay']} KOCs are left: `listener rescore` goes on"
        if state["left"] or state["to_replay"]
        else f"没有待重新评分的内容（共 {state['posts']} 条）/ nothing is left to score again ({state['posts']} posts)"
    )


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the work between two batches; what is made stays made."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
