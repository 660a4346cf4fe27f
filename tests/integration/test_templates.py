"""A team's own message templates: taken one by one, in a sandbox, and never silently left."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from listener.text.chat import chat_of
from listener.text.faces import letter_html, letter_text, subject_of
from listener.text.samples import letters, template_faults
from listener.text.templates import OWN
from listener.text.views import Language, Letter
from tests.alerted import HOSTILE, letter, view


def own(folder: Path, language: Language = "zh-CN", **files: str) -> Letter:
    """A letter that is written with these templates of a team; ``__`` stands for a dot, ``_in_en`` for the folder en."""
    for name, text in files.items():
        path = folder / (name.replace("__", ".") + ".j2")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return replace(letter(view(language)), templates=str(folder))


def test_one_template_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    one = own(tmp_path, alert__txt="品牌部提醒：{{ story.name }} {{ story.headline }}\n")
    assert letter_text(one) == "品牌部提醒：小鹿爱洗头 近 10 条中 7 条转为负面\n"
    assert letter_html(one) == letter_html(replace(one, templates=""))
    assert template_faults(str(tmp_path)) == []


def test_a_folder_of_a_language_holds_for_that_language_alone(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "alert.txt.j2").write_text("Dear team: {{ story.name }}")
    assert letter_text(replace(letter(view("en")), templates=str(tmp_path))) == "Dear team: 小鹿爱洗头"
    assert "近 10 条" in letter_text(replace(letter(view()), templates=str(tmp_path)))


def test_the_programs_own_can_be_built_upon(tmp_path: Path) -> None:
    one = own(
        tmp_path,
        alert__html='{% extends "builtin/alert.html.j2" %}{% block cards %}<p>值班电话 123</p>{{ super() }}{% endblock %}',
    )
    html = letter_html(one)
    assert "值班电话 123" in html
    assert "近 10 条中 7 条转为负面" in html


def test_a_subject_of_the_teams_own_is_one_harmless_line(tmp_path: Path) -> None:
    one = own(tmp_path, subject__txt="[PR] {{ subject }}\r\nBcc: evil@example.com\n")
    assert subject_of(one) == "[PR] 【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面 Bcc: evil@example.com"


def test_values_are_escaped_in_the_teams_html_and_made_harmless_in_its_chats(tmp_path: Path) -> None:
    one = replace(letter(view(bad=HOSTILE + "<@all>")), templates=str(tmp_path))
    (tmp_path / "alert.html.j2").write_text("{% for q in story.quotes %}{{ q.text }}{% endfor %}")
    (tmp_path / "alert.chat.j2").write_text("{% for q in story.quotes %}{{ q.text }} {{ link('x', q.url) }}\n{% endfor %}")
    assert "<script" not in letter_html(one)
    assert "<" not in chat_of(one).text
    assert "[x](https://m.weibo.cn" in chat_of(one).text


@pytest.mark.parametrize(
    "bad",
    [
        "{{ story.nothing }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ letter.views.append(1) }}",
        "{% for x in range(999999999) %}{% endfor %}",
        "{{ story.quotes[99].text }}",
        "{% include 'nosuch.j2' %}",
        "{% if %}",
        "{{ 'a' + 1 }}",
    ],
)
def test_a_template_that_fails_gives_way_to_the_programs_own_and_says_so(
    tmp_path: Path, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = own(tmp_path, alert__txt=f"好\n{bad}\n", alert__html=f"好\n{bad}\n")
    with caplog.at_level(logging.ERROR):
        text, html = letter_text(one), letter_html(one)
    assert text.startswith("团队模板有错，本条用内置模板：")
    assert "alert.txt.j2:2" in text.splitlines()[0] or "nosuch" in text.splitlines()[0]
    assert "近 10 条中 7 条转为负面" in text
    assert "团队模板有错" in html
    assert "近 10 条中 7 条转为负面" in html
    assert "alert.txt.j2" in caplog.text
    assert template_faults(str(tmp_path)), "listener check finds it before"


def test_check_names_files_that_mean_nothing_and_lines_of_mistakes(tmp_path: Path) -> None:
    (tmp_path / "alarm.txt.j2").write_text("x")
    (tmp_path / "alert.txt.j2").write_text("a\nb\n{{ x }\n")
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "alert.txt.j2").write_text("x")
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "test.html.j2").write_bytes(b"\xff\xfe")
    faults = {(Path(one.file).name, one.line) for one in template_faults(str(tmp_path))}
    assert faults == {("alarm.txt.j2", None), ("alert.txt.j2", 3), ("test.html.j2", None)} | {("alert.txt.j2", None)}
    assert template_faults(str(tmp_path / "gone"))


def test_every_sample_is_written_by_the_programs_own_templates() -> None:
    for language in ("zh-CN", "en"):
        for one in letters(language):
            assert letter_text(one)
            assert letter_html(one)
            assert chat_of(one).text


def test_every_template_of_letters_stands_in_the_package() -> None:
    import listener.text

    (folder,) = listener.text.__path__
    assert {path.name for path in Path(folder).glob("*.j2")} >= OWN
