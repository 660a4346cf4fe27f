"""Who needs how many more posts: for a baseline, and until an alert if the KOC turned; the nearest ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from listener.app import App
from listener.explain import MOST_AHEAD, needs_of
from listener.overview import judge_of
from listener.text.quotes import line_of
from storage.records import Koc

MOST_ROWS = 12
MOST_NAMES = 8
LATE = MOST_AHEAD + 1  # later than anything that was tried


@dataclass(frozen=True, slots=True)
class Lack:
    """What one KOC lacks. posts: until there is a baseline, 0 where there is one; need: further clearly negative posts until
    an alert of each level, as `listener.explain.needs_of` gives it: empty where red was raised, or without a baseline."""

    koc: Koc
    mentions: int
    posts: int
    need: Mapping[str, int | None]

    @property
    def distance(self) -> tuple[int, int]:
        """How near an alert is: posts until red, then until amber."""
        return self.need.get("red") or LATE, 0 if "amber" not in self.need else self.need["amber"] or LATE


def lacks_of(app: App, brand: str, kocs: Sequence[Koc]) -> list[Lack]:
    """What each KOC lacks, all tried by the detector in one go."""
    states = {state.koc_id: state for state in app.store.states(brand)}
    least = app.settings.rules.min_mentions
    ready = [koc for koc in kocs if koc.koc_id in states and states[koc.koc_id].mentions >= least]
    histories = [app.store.history(koc.koc_id, brand) for koc in ready]
    found = needs_of(histories, [states[koc.koc_id] for koc in ready], judge_of(app, brand).replay)
    needs = {koc.koc_id: need for koc, need in zip(ready, found, strict=True)}
    lacks = []
    for koc in kocs:
        mentions = states[koc.koc_id].mentions if koc.koc_id in states else 0
        lacks.append(Lack(koc, mentions, max(0, least - mentions), needs.get(koc.koc_id, {})))
    return lacks


def lacking(app: App, brand: str, kocs: Sequence[Koc]) -> RenderableType:
    """The KOCs of whom it is worth knowing, a line each, and a line for each kind of the others."""
    lacks = lacks_of(app, brand, kocs)
    silent = [one for one in lacks if not one.mentions]
    without = sorted((one for one in lacks if one.mentions and one.posts), key=lambda one: (one.posts, one.koc.koc_id))
    near = sorted((one for one in lacks if one.need), key=lambda one: (one.distance, one.koc.koc_id))
    few = without[: max(MOST_ROWS // 3, MOST_ROWS - len(near))]
    shown = [*near[: MOST_ROWS - len(few)], *few]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", style="dim")
    table.add_column(overflow="fold")
    for one in shown:
        table.add_row(Text(line_of(one.koc.name)), f"{one.mentions} 条", words_of(one))
    told = {one.koc.koc_id for one in shown}
    rest = [one for one in (*near, *without) if one.koc.koc_id not in told]
    turned = sum(1 for one in lacks if not one.posts and not one.need)
    return Group(table, *(Text(line, "dim") for line in (*_summary(rest), *_unheard(silent), *_turned(turned))))


def words_of(lack: Lack) -> str:
    """What one KOC lacks, in words.

    >>> words_of(Lack(Koc("K1", "小满", ()), 20, 0, {"amber": 3, "red": 5}))
    '若转为负面，约 3 条后会有黄色、5 条后红色预警'
    >>> words_of(Lack(Koc("K1", "小满", ()), 1, 2, {}))
    '基线还差 2 条'
    """
    if lack.posts:
        return f"基线还差 {lack.posts} 条"
    amber, red = lack.need.get("amber"), lack.need.get("red")
    if "amber" not in lack.need:
        return f"已报黄色；再有约 {red} 条负面会有红色预警" if red else f"已报黄色；再有 {MOST_AHEAD} 条负面也不会有红色预警"
    if amber is None:
        return f"若转为负面，{MOST_AHEAD} 条以内不会有预警"
    if red is None:
        return f"若转为负面，约 {amber} 条后会有黄色预警，{MOST_AHEAD} 条以内不会有红色"
    if amber == red:
        return f"若转为负面，约 {red} 条后会有红色预警"
    return f"若转为负面，约 {amber} 条后会有黄色、{red} 条后红色预警"


def _summary(rest: Sequence[Lack]) -> list[str]:
    """The ones who are not shown, by kind."""
    if not rest:
        return []
    parts = []
    if without := [one.posts for one in rest if one.posts]:
        parts.append(f"{len(without)} 位基线还差 {_span(without)} 条")
    if reds := [red for one in rest if (red := one.need.get("red"))]:
        parts.append(f"{len(reds)} 位若转为负面，约 {_span(reds)} 条后会有红色预警")
    if late := len(rest) - len(without) - len(reds):
        parts.append(f"{late} 位 {MOST_AHEAD} 条以内不会有红色预警")
    return [f"其余 {len(rest)} 位：{'；'.join(parts)}"]


def _unheard(silent: Sequence[Lack]) -> list[str]:
    if not silent:
        return []
    names = "、".join(line_of(one.koc.name) for one in silent[:MOST_NAMES])
    more = f" 等 {len(silent)} 位" if len(silent) > MOST_NAMES else ""
    return [f"还没有说起品牌，基线还差 {silent[0].posts} 条：{names}{more}"]


def _turned(count: int) -> list[str]:
    return [f"{count} 位已有红色预警，见上"] if count else []


def _span(numbers: Sequence[int]) -> str:
    """
    >>> _span([3, 9, 4]), _span([2, 2])
    ('3–9', '2')
    """
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least}–{most}"
