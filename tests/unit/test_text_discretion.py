"""What may be shown where: abroad counts alone, words of the private domain to who handles the case."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from listener.text.chat import Chat, chat_of, parts_of, plain_lines
from listener.text.discretion import Discretion, alias_of, shown
from listener.text.faces import letter_html, letter_text, subject_of
from listener.text.hook import payload_of, schema
from listener.text.views import AlertView, Language
from storage.records import PostKey
from tests.alerted import KOC, letter, many, view
from tests.signalled import SEEN, signal_view
from tests.unit.test_text import complaints

ABROAD, GROUP = Discretion(is_abroad=True), Discretion(is_group=True)
PRIVATE = replace(KOC, domain="私域")
NAMES = ("小鹿爱洗头", "王敏", "头皮", "weibo.cn", "客服")


def told(one: AlertView) -> str:
    """Everything that any face says of it."""
    whole = letter(one)
    faces = [subject_of(whole), letter_text(whole), letter_html(whole), chat_of(whole).text]
    return "\n".join([*faces, json.dumps(payload_of(whole), ensure_ascii=False)])


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_abroad_no_face_tells_a_word_a_link_or_a_name(language: Language) -> None:
    words = told(shown(view(language), ABROAD))
    assert not [name for name in NAMES if name in words]
    assert "K017" not in words, "an id may be made from an account or a number"
    assert alias_of(b"", "K017") in words
    assert ("10 条内容" if language == "zh-CN" else "10 posts") in words
    assert "listener cases show cccccccccccc" in words


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_abroad_every_kind_of_signal_is_told_by_its_kind_and_counts(kind: str) -> None:
    one = signal_view(kind)
    words = told(shown(one, ABROAD))
    quoted = [each.text[:12] for each in (*one.quotes, *one.before) if each.text]
    assert not [
        each for each in (*quoted, one.koc.name if one.koc else "小鹿爱洗头", one.alert.koc_id) if each and each in words
    ]
    payload = payload_of(letter(shown(one, ABROAD)))["data"]["alerts"][0]
    assert (payload["evidence"], payload["posts"], payload["post_count"]) == ({}, [], len(one.quotes))
    assert payload["withheld"] == "abroad"


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_a_webhook_that_is_not_to_know_private_words_gets_no_evidence_either(kind: str) -> None:
    one = signal_view(kind)
    one = replace(one, koc=replace(one.koc or KOC, domain="私域"))
    payload = payload_of(letter(shown(one, GROUP)))["data"]["alerts"][0]
    if one.quotes:
        assert (payload["withheld"], payload["evidence"]) == ("private", {})
        assert {each["text"] + each["url"] for each in payload["posts"]} == {""}


def test_a_group_sees_when_and_how_of_private_posts_but_no_word_and_no_link() -> None:
    one = shown(view(koc=PRIVATE), GROUP)
    words = told(one)
    assert "头皮" not in words
    assert "weibo.cn" not in words
    assert "小鹿爱洗头" in words
    assert "私域内容" in words
    assert payload_of(letter(one))["data"]["alerts"][0]["posts"][0]["withheld"] == "private"


def test_posts_of_an_imported_chat_are_private_whoever_wrote_them() -> None:
    mixed = view()
    chat = replace(mixed.quotes[0], key=PostKey("group", "1"), text="群里的话")
    one = shown(replace(mixed, quotes=(chat, *mixed.quotes[1:])), GROUP)
    words = told(one)
    assert "群里的话" not in words
    assert "头皮" in words, "what was said in public is shown"


def test_who_handles_the_case_sees_all_in_a_place_of_their_own_and_nobody_else_does() -> None:
    one = view(koc=PRIVATE)
    assert one.case
    taken = replace(one, case=replace(one.case, owner="李雷", members=("韩梅",)))
    for people, is_shown in [
        ((), True),
        (("王敏",), True),
        (("李雷",), True),
        (("韩梅", "王敏"), True),
        (("别人",), False),
        (("王敏", "别人"), False),
    ]:
        place = Discretion(people=frozenset(people))
        assert ("头皮" in told(shown(taken, place))) is is_shown, people
    assert "头皮" not in told(shown(taken, Discretion(is_group=True, people=frozenset({"王敏"}))))


def test_what_is_public_is_left_as_it_is() -> None:
    assert shown(view(), GROUP) == view()


# -------------------------------------------------------------------------------------------------------- chats


def test_parts_keep_every_line_and_every_link_in_order() -> None:
    chat = chat_of(letter(*many(60), kind="summary"))
    parts = parts_of(chat, 1500, 99, "zh-CN")
    assert "\n".join(part.text for part in parts).replace("\n", "") == chat.text.replace("\n", "")
    assert all(len(f"{part.title}{part.text}".encode()) <= 1500 for part in parts)


def test_a_line_that_is_too_long_is_cut_at_a_sentence_with_its_link() -> None:
    line = "第一句话说完了。" * 40 + "[原文](https://a.cn/1)"
    (part,) = parts_of(Chat("题", line), 400, 1, "zh-CN")
    assert part.text.split("\n")[0].endswith("。…… [原文](https://a.cn/1)")
    assert len(part.text.split("\n")[0].encode()) < 300


def test_what_does_not_fit_is_told() -> None:
    parts = parts_of(Chat("t", "line\n" * 500), 300, 2, "en")
    assert len(parts) == 2
    assert "(cut here" in parts[-1].text


def test_links_are_pieces_of_their_own() -> None:
    assert plain_lines("a [b](https://c.cn) d\n\n**e**") == [
        [("a ", ""), ("b", "https://c.cn"), (" d", "")],
        [(" ", "")],
        [("e", "")],
    ]


# ------------------------------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize("kind", ["digest", "storm", "escalation"])
@pytest.mark.parametrize("place", [Discretion(), GROUP, ABROAD])
def test_payloads_of_the_new_kinds_and_of_what_is_withheld_are_as_the_schema_says(kind: str, place: Discretion) -> None:
    views = [shown(replace(each, koc=replace(PRIVATE, koc_id=each.alert.koc_id)), place) for each in many(2)]
    payload = payload_of(letter(*views, kind=kind))  # type: ignore[arg-type]
    assert complaints(schema(), payload) == []
    assert payload["data"]["schema_version"] == 2
    assert payload["type"] in ("alert.digested", "alert.stormed", "alert.escalated")


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_payloads_of_every_signal_are_as_the_schema_says_wherever_they_go(kind: str) -> None:
    for place in (Discretion(), GROUP, ABROAD):
        assert complaints(schema(), payload_of(letter(shown(signal_view(kind), place)))) == []


def test_a_correction_says_no_chance_of_what_does_not_stand() -> None:
    correction = letter(*many(2), kind="correction")
    assert "可能是真转变" not in letter_text(correction) + letter_html(correction) + chat_of(correction).text
    assert "可能是真转变" in letter_html(letter(*many(2), kind="summary"))
