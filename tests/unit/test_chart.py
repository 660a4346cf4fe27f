"""The chart of a KOC's stance."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

from listener.text import chart
from listener.text.chart import png_of, svg_of
from listener.text.views import Dot
from tests.alerted import NOW, view


def test_a_chart_is_small_sharp_and_the_same_at_every_try() -> None:
    png = png_of(view())
    assert png
    assert struct.unpack(">II", png[16:24]) == (1128, 540)
    assert len(png) <= 60_000
    assert png == png_of(view())


def test_a_page_gets_the_chart_as_svg_without_a_date() -> None:
    svg = svg_of(view())
    assert svg
    assert svg == svg_of(view())
    assert b"<svg" in svg
    assert b"dc:date" not in svg
    assert b"<text" not in svg


def test_fewer_than_two_mentions_make_no_chart() -> None:
    assert png_of(replace(view(), dots=view().dots[:1])) is None
    assert svg_of(replace(view(), dots=())) is None


def test_a_thousand_mentions_stay_below_the_limit_of_a_mail() -> None:
    dots = tuple(Dot(NOW - timedelta(hours=9 * at), (at * 37 % 200) / 100 - 1, at % 3 > 0) for at in range(1000, 0, -1))
    png = png_of(replace(view(), dots=dots))
    assert png
    assert len(png) <= 60_000


def test_a_chart_is_drawn_for_every_odd_history() -> None:
    seen = view()
    day = timedelta(days=1)
    same_time = (Dot(NOW, 0.5), Dot(NOW, -0.5))
    assert png_of(replace(seen, dots=same_time))
    turned_first = replace(seen.alert, turned_at=seen.dots[0].posted_at - day)
    assert png_of(replace(seen, alert=turned_first))
    turned_last = replace(seen.alert, turned_at=seen.dots[-1].posted_at, fired_at=NOW + day)
    assert png_of(replace(seen, alert=turned_last))
    assert png_of(replace(seen, alert=replace(seen.alert, evidence={}, turned_at=None)))


def test_who_draws_nothing_does_not_load_matplotlib() -> None:
    doors = "listener.channels.mail, listener.channels.webhook, listener.text.faces"
    code = f"import {doors}, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_young_turn_keeps_its_room_beside_a_long_past() -> None:
    seen = view()
    assert seen.alert.turned_at
    long_ago = tuple(Dot(seen.dots[0].posted_at - timedelta(days=at), 0.8) for at in range(900, 0, -1))
    drawn = chart._seen(replace(seen, dots=long_ago + seen.dots))
    assert drawn.dots[-21:] == seen.dots
    assert len(drawn.dots) < 400
    assert chart._seen(seen) == seen
