"""A KOC's stance over time → a picture: PNG for e-mail, SVG for pages; the same values give the same bytes.

No words but ASCII stand in it, since no machine is sure to have a Chinese font: the legend stands in the text around it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from listener.text.views import AlertView, Dot, evidence_of
from storage.records import Evidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

# Okabe and Ito's colors, told apart by the color-blind too; and height says the same as color.
FAVOR, NONE, AGAINST, INK, FAINT = "#0072B2", "#7A828C", "#D55E00", "#3C434B", "#D9DDE2"
SIZE: Final = (5.64, 2.7)  # inches, at 100 dots each the width of the mail's column
LEAST_BEFORE: Final = 12
_DRAWING = threading.Lock()  # matplotlib's settings are the process's


def png_of(view: AlertView) -> bytes | None:
    """The chart at twice its printed size, 1128 × 540 px; None where there are not two mentions to draw."""
    return _picture(view, "png")


def svg_of(view: AlertView) -> bytes | None:
    """The chart as SVG, its letters as outlines; None where there are not two mentions to draw."""
    return _picture(view, "svg")


def _picture(view: AlertView, kind: Literal["png", "svg"]) -> bytes | None:
    if len(view.dots) < 2:
        return None
    import matplotlib  # half a second, for those who draw
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    out = BytesIO()
    with (
        _DRAWING,
        matplotlib.rc_context({"svg.hashsalt": "koc-listener", "svg.fonttype": "path", "font.family": "DejaVu Sans"}),
    ):
        figure = Figure(figsize=SIZE, dpi=200, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        _draw(figure, view)
        if kind == "svg":
            figure.savefig(out, format=kind, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        else:
            canvas.draw()  # type: ignore[no-untyped-call]
            _pack(canvas, out)
    return out.getvalue()


def _pack(canvas: FigureCanvasAgg, out: BytesIO) -> None:
    """The drawing as a PNG of 64 colors, which is all it has: a fifth of the size."""
    from PIL import Image  # comes with matplotlib

    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.fromarray(pixels).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(out, format="PNG", optimize=True)


def _seen(view: AlertView) -> AlertView:
    """The view with the mentions that fit: where the turn is young, a long time before it would leave it no room.

    At least the last twelve mentions before the turn, and four times as long before it as since."""
    turned = view.alert.turned_at
    before = [each for each in view.dots if turned and each.posted_at < turned]
    if turned is None or len(before) <= LEAST_BEFORE:
        return view
    since = max(view.dots[-1].posted_at, turned) - turned
    start = min(before[-LEAST_BEFORE].posted_at, turned - 4 * since)
    return replace(view, dots=tuple(each for each in view.dots if each.posted_at >= start))


def _draw(figure: Figure, view: AlertView) -> None:
    view = _seen(view)
    axes = figure.add_axes((0.085, 0.135, 0.865, 0.855))
    axes.set_ylim(-1.12, 1.12)
    axes.axhspan(0, 1.12, color=FAVOR, alpha=0.05, lw=0)
    axes.axhspan(-1.12, 0, color=AGAINST, alpha=0.06, lw=0)
    axes.axhline(0, color=FAINT, lw=1, zorder=1)
    evidence = evidence_of(view.alert.evidence)
    if evidence and view.alert.turned_at:
        _draw_turn(axes, view, view.alert.turned_at, evidence)
    _draw_dots(axes, view.dots)
    tip = [each for each in view.dots if each.posted_at == view.alert.fired_at]
    if tip:
        axes.plot([_x(tip[-1].posted_at)], [tip[-1].stance], "o", ms=14, mfc="none", mec=INK, mew=1.6, zorder=5)
    _dress(axes, ZoneInfo(view.timezone))


def _draw_dots(axes: Axes, dots: Sequence[Dot]) -> None:
    area = 52.0 * min(1.0, max(0.15, 60 / len(dots)))  # points²; small where they would cover each other
    for own in (False, True):
        some = [each for each in dots if each.own_words is own]
        colors = [FAVOR if each.stance > 0.2 else AGAINST if each.stance < -0.2 else NONE for each in some]
        axes.scatter(
            [_x(each.posted_at) for each in some],
            [each.stance for each in some],
            s=area if own else area * 0.8,
            c=colors if own else "white",
            edgecolors="white" if own else colors,
            linewidths=0.8 if own else 1.5,
            zorder=4 if own else 3,
        )


def _draw_turn(axes: Axes, view: AlertView, turned_at: datetime, evidence: Evidence) -> None:
    first, last, turned = _x(view.dots[0].posted_at), _x(view.dots[-1].posted_at), _x(turned_at)
    axes.axvspan(_x(evidence.turn_low), _x(evidence.turn_high), color="#8A929C", alpha=0.22, lw=0, zorder=1)
    axes.axvline(turned, color=INK, lw=1.2, ls=(0, (3, 2)), zorder=2)
    if evidence.before_n and first < turned:
        axes.plot([first, turned], [evidence.before_mean] * 2, color=FAVOR, lw=2.5, alpha=0.8, zorder=2)
    if turned < last:
        axes.plot([turned, last], [evidence.after_mean] * 2, color=AGAINST, lw=2.5, alpha=0.8, zorder=2)
    is_late = turned - first > (last - first) * 0.7
    axes.annotate(
        f"{turned_at.astimezone(ZoneInfo(view.timezone)):%Y-%m-%d}",
        (turned, -1.06 if is_late else 1.06),
        xytext=(-6 if is_late else 6, 0),
        textcoords="offset points",
        ha="right" if is_late else "left",
        va="bottom" if is_late else "top",
        fontsize=11,
        color=INK,
        fontweight="bold",
    )


def _dress(axes: Axes, zone: ZoneInfo) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=5)  # type: ignore[no-untyped-call]
    formatter = ConciseDateFormatter(locator, tz=zone, show_offset=False)  # type: ignore[no-untyped-call]
    formatter.formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S"]
    formatter.zero_formats = ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.set_yticks([-1, 0, 1], ["−1", "0", "+1"])
    axes.tick_params(labelsize=11, colors=INK, length=0, pad=4)
    axes.margins(x=0.03)
    for side in axes.spines.values():
        side.set_visible(False)


def _x(at: datetime) -> float:
    """A time as matplotlib counts it."""
    from matplotlib.dates import date2num

    return float(date2num(at))  # type: ignore[no-untyped-call]
