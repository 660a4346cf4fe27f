"""What an alert says, in both languages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from config.edit import EXAMPLE
from listener.cases import steps as cases
from listener.text import faces, hook, phrases, quotes
from listener.text.chat import chat_of
from listener.text.story import LADDERS, MOST_QUOTES, story_of
from listener.text.views import AlertView, Quote, evidence_of, view_of
from storage.records import Koc, PostKey
from tests.alerted import BAD, GOOD, HOSTILE, KOC, NOW, case, history, letter, many, mention, stored, view


def test_an_alert_says_in_words_what_was_seen() -> None:
    told = faces.letter_text(letter(view()))
    for sentence in (
        "红色预警 · 重要",
        "星澜｜小鹿爱洗头",
        "近 10 条中 7 条转为负面",
        "约九成可能是真转变",
        "此前：11 条提及以支持为主（平均态度 +0.75）",
        "以来 10 条以负面为主（平均 −0.39），其中 7 条为负面",
        "八成把握在",
        "只是热情减退，并没有转为批评",
        "每 1000 KOC·年误报不超过 1 次",
        "下一步：公开致谢",
        "公开致谢 → 转责任部门 → 内部核实 → 解决问题 → 公开跟进 → 结案",
        "证据比，对「仍是支持者」：14 000 : 1",
        "预警键：" + "a" * 32,
        "对接人：王敏",
    ):
        assert sentence in told, sentence


def test_an_alert_says_the_same_in_english() -> None:
    told = faces.letter_text(letter(view("en")))
    for sentence in (
        "Red alert · important",
        "7 of the last 10 posts are negative",
        "About nine in ten that this is a true turn",
        "Before: 11 mentions, mostly in favor (mean stance +0.75)",
        "has merely cooled",
        "at most 1 false alarm per 1000 KOC-years",
        "Next step: thank in public",
        "14 000 : 1",
    ):
        assert sentence in told, sentence
    assert not re.search("[\u4e00-\u9fff]", re.sub("星澜|小鹿爱洗头|王敏|“.*”|邮件", "", told))


def test_words_describe_posts_and_never_brand_a_person_nor_propose_pressure() -> None:
    for language in ("zh-CN", "en"):
        for kind in ("alert", "summary", "correction", "test"):
            told = faces.letter_text(letter(view(language), kind=kind))
            assert not re.search("黑粉|水军|叛徒|hater|troll|traitor", told)
            for found in re.finditer("施压|删帖|终止合作|pressing|deleting|ending the coop", told):
                line = told[: found.end()].rsplit("\n", 1)[-1]
                assert "不" in line or "never" in line


def test_quotes_stand_in_order_with_date_and_link_and_name_nobody() -> None:
    story = story_of(view())
    assert [each.at for each in story.quotes] == sorted(each.at for each in story.quotes)
    assert all(each.url.startswith("https://m.weibo.cn/status/") for each in story.quotes)
    assert all("@~" not in each.text for each in (*story.before, *story.quotes))
    assert "@用户" in story.before[0].text
    assert [each.stance for each in story.before] == ["favor", "favor"]


def test_of_many_posts_the_strongest_and_the_one_that_tipped_are_quoted_and_the_rest_is_counted() -> None:
    story = story_of(view())
    assert len(story.quotes) == MOST_QUOTES
    assert story.quotes[-1].is_tip
    assert [each.is_tip for each in story.quotes].count(True) == 1
    assert story.more_quotes == "另有 2 条未列出，查看全部：listener explain K017"
    assert story_of(view("en")).more_quotes.startswith("2 more")
    few = replace(view(), quotes=view().quotes[-3:])
    assert story_of(few).more_quotes == ""
    assert len(story_of(few).quotes) == 3


def test_a_post_that_was_not_read_is_called_so_and_never_neutral() -> None:
    unread = Quote(PostKey("bilibili", "1"), "comment", "", NOW, "", 0.3, 0.3, 0.4, unread="media-only")
    line = story_of(replace(view(), quotes=(unread,))).quotes[0]
    assert line.stance_words == "只有图片或视频，未读"
    assert line.where == "哔哩哔哩 · 评论"
    assert line.text == "（没有文字）"
    assert line.url == ""


def test_the_case_shows_where_it_stands() -> None:
    seen = view()
    assert seen.case
    story = story_of(replace(seen, case=replace(seen.case, next_step="verify"), case_url="https://desk.example/c/1"))
    assert [each.place for each in story.steps] == ["done", "done", "due", "later", "later", "later"]
    assert story.next_word == "内部核实"
    assert "处置单 cccccccccccc · 公开回应 · 处理中" in faces.letter_text(letter(seen))
    assert story.case_url == "https://desk.example/c/1"


def test_without_a_case_the_first_step_follows_from_the_level() -> None:
    assert story_of(replace(view(), case=None)).next_word == "公开致谢"
    assert story_of(replace(view(level="amber"), case=None)).next_word == "关怀回访"
    assert story_of(replace(view(), case=None)).case_line == ""


def test_a_step_nobody_knows_yet_is_shown_as_its_code() -> None:
    seen = view()
    assert seen.case
    story = story_of(replace(seen, case=replace(seen.case, next_step="new-step")))
    assert (story.next_word, story.hint) == ("new-step", "")
    assert {each.place for each in story.steps} == {"later"}


def test_the_ladders_are_those_of_the_cases() -> None:
    assert dict(cases.STEPS) == LADDERS


def test_an_alert_of_another_kind_counts_what_it_quotes() -> None:
    told = history()
    plain = stored(told.mentions, level=None, evidence=False)
    seen = view_of(plain, told, koc=None, case=None)
    story = story_of(seen)
    assert story.headline == "近 10 条中 7 条转为负面"
    assert (story.badge, story.tone, story.chance, story.facts) == ("态度转变", "calm", "", ())
    assert story.name == "K017"
    assert "证据比" not in faces.letter_text(letter(seen))
    assert story_of(replace(seen, quotes=())).headline == "态度转变"


def test_nothing_is_said_of_a_time_without_mentions() -> None:
    seen = view()
    bare = replace(seen, alert=replace(seen.alert, evidence={**seen.alert.evidence, "before_n": 0}))
    assert "此前：" not in faces.letter_text(letter(bare))
    assert "此后：" in faces.letter_text(letter(bare))


def test_when_all_posts_are_negative_the_words_say_all() -> None:
    for language, words in (("zh-CN", "近 10 条全部转为负面"), ("en", "All of the last 10 posts are negative")):
        seen = view(language)  # type: ignore[arg-type]
        told = faces.letter_text(
            letter(replace(seen, alert=replace(seen.alert, evidence={**seen.alert.evidence, "after_against": 10})))
        )
        assert words in told
    assert phrases.turned_share(1, 1, "en") == "1 of the last 1 posts are negative"


def test_a_view_leaves_out_posts_that_are_no_longer_stored() -> None:
    told = history()
    alert = stored(told.mentions)
    seen = view_of(alert, replace(told, mentions=told.mentions[:-2]), koc=KOC)
    assert len(seen.quotes) == 8
    assert not any(each.is_tip for each in story_of(seen).quotes)


def test_a_view_without_a_turn_point_quotes_nothing_from_before() -> None:
    told = history()
    alert = stored(told.mentions)
    seen = view_of(replace(alert, alert=replace(alert.alert, turned_at=None)), told, koc=KOC)
    assert seen.before == ()
    assert "转折点" in faces.letter_text(letter(seen))


def test_the_case_address_is_made_from_the_setting() -> None:
    told = history()
    alert = stored(told.mentions)
    (line,) = (each for each in EXAMPLE.read_text("utf-8").splitlines() if each.startswith("#case_url"))
    placeholders = set(re.findall(r"\{\w+\}", line))  # as people are told to write them
    assert placeholders == {"{key}", "{id}"}
    for placeholder in placeholders:
        seen = view_of(alert, told, koc=KOC, case=case(alert.alert), case_url=f"https://desk.example/{placeholder}?a=1")
        assert seen.case_url == f"https://desk.example/{'c' * 32}?a=1"
        assert view_of(alert, told, koc=KOC, case_url=f"https://desk.example/{placeholder}").case_url == ""


def test_evidence_reads_times_with_and_without_zone() -> None:
    json = dict(stored(history().mentions).alert.evidence)
    json["turn_low"] = json["turn_low"].removesuffix("+00:00")
    found = evidence_of(json)
    assert found
    assert found.turn_low.tzinfo is not None
    assert evidence_of({"n": 3}) is None


def test_a_mention_that_could_not_be_scored_makes_no_dot() -> None:
    told = history()
    last = told.mentions[-1]
    blind = replace(last, mention=replace(last.mention, unscored="empty"))
    seen = view_of(stored(told.mentions), replace(told, mentions=(*told.mentions[:-1], blind)), koc=KOC)
    assert len(seen.dots) == 20
    assert seen.quotes[-1].unread == "empty"


# ---------------------------------------------------------------------------------------------------------- phrases


@pytest.mark.parametrize(
    ("posterior", "zh"),
    [
        (1.0, "几乎可以确定"),
        (0.95, "约九成五"),
        (0.9, "约九成"),
        (0.8, "约八成"),
        (0.5, "约一半"),
        (0.2, "约两成"),
        (0.0, "不到两成"),
    ],
)
def test_a_chance_in_words(posterior: float, zh: str) -> None:
    assert phrases.chance(posterior, "zh-CN").startswith(zh)
    assert phrases.chance(posterior, "en").endswith("that this is a true turn")


def test_dates_carry_their_year_where_it_is_another() -> None:
    assert phrases.day(date(2025, 12, 30), "zh-CN", like=date(2026, 1, 2)) == "2025年12月30日"
    assert phrases.turn_point(date(2026, 1, 2), date(2025, 12, 30), date(2026, 1, 5), "en").endswith("30 Dec 2025 and 5 Jan)")


def test_odds_have_two_digits_and_a_ceiling() -> None:
    assert phrases.odds(0, "en") == "1 : 1"
    assert phrases.odds(-20, "en") == "1 : over 1 000 000"
    assert phrases.odds(-9.55, "zh-CN") == "1 : 14 000"


def test_a_promise_of_ten_has_a_plural() -> None:
    assert phrases.promise(10, "en") == "at most 10 false alarms per 1000 KOC-years"
    assert phrases.promise(0.5, "zh-CN") == "每 1000 KOC·年误报不超过 0.5 次"


# ----------------------------------------------------------------------------------------------------------- quotes


def test_a_quote_is_cut_at_the_end_of_a_sentence() -> None:
    long = "第一句话说了很多。" * 30
    shown = quotes.quote_of(long, "zh-CN")
    assert shown.endswith("。……")
    assert len(shown) <= 142
    assert quotes.cut("没有句号，只有逗号，" + "长" * 30, 15) == "没有句号，只有逗号……"
    assert quotes.cut("Version 3.14 is bad. I am gone. " * 3, 50) == "Version 3.14 is bad. I am gone.……"


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "data:text/html,x", "//a.b", "http://", "https://[x", "http://a/" + "x" * 2000]
)
def test_an_unsafe_address_is_no_link(url: str) -> None:
    assert quotes.link_of(url) == ""


def test_a_link_holds_nothing_that_could_leave_its_attribute() -> None:
    assert quotes.link_of('https://a.b/"><script>\u202e') == "https://a.b/%22%3E%3Cscript%3E"


def test_half_of_a_surrogate_pair_can_be_sent() -> None:
    assert quotes.line_of("a\ud83d").encode() == b"a?"


# ------------------------------------------------------------------------------------------------------------ faces


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


def test_hostile_texts_and_names_are_shown_as_text() -> None:
    evil = Koc(HOSTILE, HOSTILE, (), owner=HOSTILE)
    seen = replace(view(bad=HOSTILE, koc=evil), case_url="javascript:alert(1)")
    seen = replace(seen, alert=replace(seen.alert, brand=HOSTILE, koc_id=HOSTILE))
    for kind in ("alert", "summary", "correction"):
        html = parsed(faces.letter_html(letter(seen, kind=kind)))
        assert "script" not in html.tags
        assert "b" not in html.tags or kind != "alert" or "<b>粗</b>" in html.text
        assert "<script>alert('x')</script>" in html.text
        assert "{{7*7}}" in html.text
        assert not any(name.startswith("on") or (value or "").startswith("javascript") for name, value in html.attributes)
        for told in (html.text, faces.letter_text(letter(seen, kind=kind)), faces.subject_of(letter(seen, kind=kind))):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", told)
    assert "\n" not in faces.subject_of(letter(seen))


def test_subjects_are_one_short_line_with_the_most_important_first() -> None:
    assert faces.subject_of(letter(view())) == "【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面"
    assert faces.subject_of(letter(view("en"))).startswith("[Red alert, important] 星澜: 小鹿爱洗头, 7 of")
    assert faces.subject_of(letter(*many(3), kind="summary")) == "【汇总】星澜：3 位 KOC 较早的态度转变"
    assert faces.subject_of(letter(view(), kind="correction")) == "【更正】星澜｜小鹿爱洗头：先前的预警不再成立"
    assert faces.subject_of(letter(kind="test")) == "【测试】渠道「邮件」可用"
    assert len(faces.subject_of(letter(*many(200), kind="correction"))) <= 80
    long = replace(KOC, name="很长" * 60)
    assert len(faces.subject_of(letter(view(koc=long)))) <= 80


def test_two_alerts_of_one_koc_share_a_letter_that_is_about_the_stronger() -> None:
    amber = view(level="amber", key="b" * 32)
    both = letter(amber, view())
    assert faces.main_view(both).alert.key == "a" * 32
    for told in (faces.letter_text(both), faces.letter_html(both)):
        assert "同一位 KOC 的其他预警" in told
        assert "黄色预警" in told
        assert "a" * 32 in told
        assert "b" * 32 in told


def test_a_summary_tells_every_alert_once_with_its_key() -> None:
    told = faces.letter_text(letter(*many(205), kind="summary"))
    assert told.count("红色预警") == 200
    assert "另有 5 条，见 listener alerts" in told
    assert all(each.alert.key in told for each in many(205))
    assert "只汇总一次" in told
    html = faces.letter_html(letter(*many(205), kind="summary"))
    assert "另有 5 条" in html
    assert all(each.alert.key in html for each in many(205))


def test_english_summaries_corrections_and_tests_hold_no_chinese() -> None:
    views = [replace(each, language="en") for each in many(201)]
    for kind in ("summary", "correction"):
        for told in (faces.letter_text(letter(*views, kind=kind)), faces.letter_html(letter(*views, kind=kind))):
            assert not re.search("[\u4e00-\u9fff]", re.sub("星澜|听众|Hiragino.*?serif", "", told).replace("、", ", "))
    assert faces.subject_of(replace(letter(kind="test"), language="en")) == "[Test] channel “邮件” works"


def test_a_page_needs_nothing_else_and_may_hold_several_alerts() -> None:
    html = parsed(faces.page_of(view(), view(level="amber")))
    sources = [value for name, value in html.attributes if name == "src"]
    assert len(sources) == 2
    assert all(each and each.startswith("data:image/svg+xml;base64,") for each in sources)
    assert "link" not in html.tags
    assert html.tags.count("details") == 2
    assert ("name", "viewport") in html.attributes
    assert faces.page_of(view()) == faces.page_of(view())


def test_a_page_without_a_chart_shows_none() -> None:
    assert "<img" not in faces.page_of(replace(view(), dots=()))


def test_the_mail_has_room_on_a_phone() -> None:
    html = faces.letter_html(letter(view()), "cid:x")
    assert "max-width:600px" in html
    assert "width=device-width" in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<(div|td|table|span)[^>]*\swidth=\"\d{3,}\"", html)
    assert len(html.encode()) < 100_000  # some mail programs cut what is longer


# ---------------------------------------------------------------------------------------------------------- webhook


def complaints(schema: Any, value: Any, at: str = "$", root: Any = None) -> list[str]:
    """Where a value is not what a JSON Schema says, as far as ours uses the language."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    found: list[str] = []
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "null": type(None),
    }
    if "anyOf" in schema:
        return [] if any(not complaints(each, value, at, root) for each in schema["anyOf"]) else [f"{at}: none of anyOf"]
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(value, kinds[each]) and not isinstance(value, bool) for each in wanted):
        found.append(f"{at}: not {wanted}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} not in enum")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} against pattern")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}: lacks {each}" for each in schema.get("required", []) if each not in value]
        for key, each in value.items():
            if key in known:
                found += complaints(known[key], each, f"{at}.{key}", root)
            elif schema.get("additionalProperties") is False:
                found.append(f"{at}: {key} is not described")
    if isinstance(value, list):
        for place, each in enumerate(value):
            found += complaints(schema.get("items", {}), each, f"{at}[{place}]", root)
    return found


def test_every_payload_is_as_the_schema_says() -> None:
    plain = view_of(stored(history().mentions, level=None, evidence=False), history(), koc=None)
    letters = [
        letter(view()),
        letter(view("en"), view(level="amber", key="b" * 32)),
        letter(*many(3), kind="summary"),
        letter(view(), kind="correction"),
        letter(kind="test"),
        letter(plain),
    ]
    for each in letters:
        payload = hook.payload_of(each)
        assert complaints(hook.schema(), payload) == []
        assert json.loads(hook.body_of(each)) == payload
    assert complaints(hook.schema(), {"type": "x"})


def test_the_payload_carries_codes_words_quotes_and_all_keys() -> None:
    told = letter(view(level="amber", key="b" * 32), view())
    data = hook.payload_of(told)["data"]
    assert data["alert_keys"] == ["b" * 32, "a" * 32]
    assert data["delivery_keys"] == ["d" + "b" * 31, "d" + "a" * 31]
    alert = data["alerts"][1]
    assert alert["level"] == "red"
    assert alert["words"]["chance"] == "约九成可能是真转变"
    assert alert["koc"] == {"id": "K017", "name": "小鹿爱洗头", "owner": "王敏", "tier": "A"}
    assert alert["posts"][0]["stance"] == "against"
    assert alert["posts"][0]["text"] == BAD
    assert alert["case"]["next_step"] == "acknowledge"
    assert "@~" not in json.dumps(data)


def test_the_same_letter_makes_the_same_bytes_at_every_try() -> None:
    assert hook.body_of(letter(view())) == hook.body_of(letter(view()))
    assert letter(view()).key == letter(view()).key == "d" + "a" * 31
    assert letter(*many(2), kind="summary").key != letter(*many(3), kind="summary").key
    assert len(letter(kind="test").key) == 32


def test_stances_and_mentions_read_as_they_should() -> None:
    assert mention(0, GOOD, 0.9, 0.03).mention.none == 0.07
    seen: AlertView = view()
    assert seen.quotes[0].probability == 0.9
    assert seen.dots[0].stance == pytest.approx(0.87)
    assert not seen.dots[3].own_words
    assert seen.before[-1].posted_at < seen.quotes[0].posted_at - timedelta(days=8)


def test_escalations_of_many_kocs_in_one_letter_name_each_of_them() -> None:
    whole = letter(*many(25), kind="escalation")
    assert faces.subject_of(whole).endswith("25 条预警到时无人接手")
    for words in (faces.letter_text(whole), faces.letter_html(whole), chat_of(whole).text):
        assert all(f"听众{at}" in words for at in range(25))
        assert "同一位 KOC" not in words
