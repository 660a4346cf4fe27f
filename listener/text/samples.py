"""Letters of every kind about nobody: what templates are tried with before an alert has to go through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from listener.text.faces import values_of
from listener.text.templates import KINDS, PARTS, Fault, fault_in, faults_of, names_in
from listener.text.views import AlertView, Language, Letter, Quote
from storage.records import Alert, Case, Delivery, Koc, PostKey

AT = datetime(2026, 1, 5, 4, tzinfo=UTC)


def template_faults(folder: str) -> list[Fault]:
    """What is wrong with a team's templates: names, syntax, and what goes wrong when a letter of each kind is written."""
    found = list(faults_of(folder))
    if found:
        return found
    for language, name in names_in(folder):
        for letter in _letters_for(name, language):
            if fault := fault_in(_filled_by(name, letter), values_of(letter), language, folder):
                found.append(fault)
                break
    return list(dict.fromkeys(found))


def letters(language: Language) -> Iterator[Letter]:
    """A letter of each kind, and of kinds with little to tell."""
    full, bare = _view(language), replace(_view(language), koc=None, quotes=(), before=(), case=None)
    mild = replace(bare, alert=replace(bare.alert, kind="silence", level=None, evidence={}))
    for kind in KINDS:
        if kind == "test":
            yield Letter("test", "mail", (), (), AT, language)
            continue
        for views in ((full,), (full, bare), (mild,)):
            rows = tuple(_delivery(view) for view in views)
            yield Letter(kind, "mail", rows, views, AT, language)


def _letters_for(name: str, language: Language) -> list[Letter]:
    kind = name.split(".")[0]
    return [letter for letter in letters(language) if letter.kind == kind or name in PARTS]


def _filled_by(name: str, letter: Letter) -> str:
    """The template that fills a part, which fills nothing by itself."""
    if name == "subject.txt.j2" or name not in PARTS:
        return name
    form = "html" if ".html" in name else "txt"
    return f"{letter.kind}.{form}.j2"


def _view(language: Language) -> AlertView:
    evidence = {
        "before_n": 11,
        "before_mean": 0.75,
        "after_n": 3,
        "after_mean": -0.8,
        "after_against": 3,
        "log_odds_advocate": 9.5,
        "log_odds_never": 7.2,
        "log_odds_cooled": 6.4,
        "posterior": 0.9,
        "closest": "cooled",
        "turn_low": AT.isoformat(),
        "turn_high": AT.isoformat(),
        "shares": [],
        "promise_per_1000_koc_years": 1.0,
        "calibration": "sample",
    }
    posts = tuple(PostKey("weibo", str(n)) for n in range(3))
    alert = Alert("0" * 32, "drift", "red", "important", "K000", "示例品牌", AT, AT, evidence, posts)
    quotes = tuple(_quote(key, n) for n, key in enumerate(posts))
    case = Case("1" * 32, "示例品牌", "K000", "public", "open", AT, alert.key, "acknowledge", (alert.key,))
    koc = Koc("K000", "示例用户", (), owner="示例对接人", tier="A")
    return AlertView(alert, koc, quotes, quotes[:1], (), case, language=language, case_url="https://example.com/case")


def _quote(key: PostKey, n: int) -> Quote:
    url = "" if n == 1 else "https://example.com/post"
    return Quote(key, "post", url, AT - timedelta(days=n), "示例内容。", 0.05, 0.9, 0.05)


def _delivery(view: AlertView) -> Delivery:
    return Delivery("2" * 32, view.alert.key, "mail", "alert", "sending", AT)
