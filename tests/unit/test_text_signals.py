"""What alerts say that are of no drift, in both languages, on every face."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from listener.drift import detect
from listener.signals import first_negatives
from listener.text import faces, hook
from listener.text.chart import svg_of
from listener.text.signals.tellers import told_of
from listener.text.story import story_of
from listener.text.views import Language
from listener.text.words import WORDS
from tests.alerted import case, letter, view
from tests.signalled import SEEN, signal_view
from tests.unit.test_text import complaints

LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
HEADLINES = {
    "first-negative": ("首次出现明确的负面内容", "The first post clearly against the brand"),
    "silence": ("已 60 天没有提及本品牌", "No mention of the brand for 60 days"),
    "praise-withdrawal": ("近 5 条提及都没有称赞", "The last 5 mentions hold no praise"),
    "grave-post": ("发布有凭据的长篇投诉", "A long complaint with evidence"),
    "defection": ("表示离开，并称赞Moyu", "Says it leaves, and praises Moyu"),
    "unresolved-feedback": ("第 2 次反映售后问题", "After-sales raised 2 times"),
    "accusation": ("2 人质疑其收钱发帖", "2 people accuse the KOC of being paid"),
    "brand-shift": ("公众口碑整体转差", "The public's mood has fallen"),
}


@pytest.mark.parametrize("kind", SEEN)
def test_each_kind_has_its_own_words_in_both_languages(kind: str) -> None:
    for number, language in enumerate(LANGUAGES):
        story = story_of(signal_view(kind, language))
        assert story.headline == HEADLINES[kind][number]
        assert story.badge == WORDS["alert-kind"][kind][number]
        assert len(story.facts) >= 3
        assert story.quotes, "no sentence without a post behind it"
        assert story.chart_note
        if language == "en":
            texts = [story.headline, story.badge, story.quotes_title, story.before_title, story.chart_note]
            texts += [part for fact in story.facts for part in fact]
            assert not [text for text in texts if re.search("[\u4e00-\u9fff]", text)]


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("is_over", [False, True])
def test_every_face_can_be_made_and_the_payload_is_as_the_schema_says(kind: str, is_over: bool) -> None:
    for language in LANGUAGES:
        one = letter(signal_view(kind, language, is_over=is_over))
        assert story_of(one.views[0]).headline in faces.letter_text(one)
        html = faces.letter_html(one)
        assert "{{" not in html
        assert len(faces.subject_of(one)) <= 120
        payload = hook.payload_of(one)
        assert complaints(hook.schema(), payload) == []
        (told,) = payload["data"]["alerts"]
        assert told["kind"] == kind
        assert told["level"] is None
        assert told["evidence"] == dict(one.views[0].alert.evidence)
        assert told["posts"]


def test_the_notice_of_a_first_negative_is_quiet_and_names_owner_quote_baseline_and_promise() -> None:
    told = faces.letter_text(letter(signal_view("first-negative")))
    for sentence in (
        "首条负面 · 提示",
        "星澜｜小鹿爱洗头",
        "此前：9 条提及以支持为主（平均态度 +0.87）",
        "判断为负面的把握 93%",
        "一条负面不等于态度转变",
        "每 1000 KOC·年，忠实者的此类提示不超过 1000 条",
        "新批次的星澜控油洗发水，用完头皮又痒又起屑。",
        "下一步：关怀回访",
        "对接人：王敏",
    ):
        assert sentence in told
    assert "公开致谢" not in told
    assert (
        faces.subject_of(letter(signal_view("first-negative"))) == "【首条负面·提示】星澜｜小鹿爱洗头：首次出现明确的负面内容"
    )


@pytest.mark.parametrize("kind", ["first-negative", "silence", "praise-withdrawal"])
def test_a_quiet_notice_calls_for_no_public_answer_though_a_graver_alert_has_a_case(kind: str) -> None:
    public = case(signal_view(kind).alert)
    told = story_of(replace(signal_view(kind), case=public))
    assert (told.next_word, told.steps) == ("看处置单", ())
    assert "不用公开回应" in told.hint
    assert "「公开回应」的处置单答复，现在该做「公开致谢」" in told.hint
    assert told.case_line
    done = story_of(replace(signal_view(kind, "en"), case=replace(public, next_step="", state="closed")))
    assert "it is closed" in done.hint
    assert not re.search("[\u4e00-\u9fff]", done.hint)
    care = story_of(replace(signal_view(kind), case=replace(public, variant="care", next_step="contact")))
    assert care.next_word == "关怀回访"


def test_a_cue_and_an_earlier_hard_post_change_the_headline() -> None:
    leaves = story_of(signal_view("first-negative", cue="defection"))
    assert leaves.headline == "首次出现明确的负面内容，明说不再购买或离开"
    later = story_of(signal_view("first-negative", since_last=7, before_n=30))
    assert later.headline == "7 条提及以来第一条明确的负面"
    assert story_of(signal_view("first-negative", "en", since_last=7, before_n=30)).headline.startswith("The first clearly")
    leaned = story_of(signal_view("first-negative", since_last=7, before_n=7, leaning=2))
    assert leaned.headline == "写下明确的负面内容；此前 7 条提及中有 2 条偏负面"
    assert "2 leaned that way" in story_of(signal_view("first-negative", "en", leaning=2)).headline


def test_what_is_over_says_so() -> None:
    assert ("后来", "2026年7月7日 又连续称赞") in story_of(signal_view("first-negative", is_over=True)).facts
    assert ("后来", "2026年7月7日 再次提及") in story_of(signal_view("silence", is_over=True)).facts
    assert ("Then", "praised it again on 7 Jul 2026") in story_of(signal_view("praise-withdrawal", "en", is_over=True)).facts
    assert story_of(signal_view("brand-shift", is_over=True)).headline == "公众口碑整体转差，8 天后恢复"


def test_a_silence_says_that_somebody_listened() -> None:
    facts = dict(story_of(signal_view("silence")).facts)
    assert facts["节奏"] == "此前平均每 9 天提及一次"
    assert "是没说，不是没听到" in facts["依据"]


def test_what_a_few_posts_say_is_told_with_its_words_and_what_to_mind() -> None:
    grave = story_of(signal_view("grave-post"))
    assert (grave.tone, grave.badge) == ("red", "严重负面内容")
    assert dict(grave.facts)["线索"] == "有凭有据的长篇投诉：「截图、3月12日」"
    assert "先核实事实" in dict(grave.facts)["说明"]
    assert story_of(signal_view("grave-post", cue="expose")).headline == "发布爆料内容"
    assert story_of(signal_view("grave-post", "en", cue="expose")).headline == "An exposé"
    assert dict(story_of(signal_view("defection")).facts)["依据"] == "「再也不买」，并在 14 天内称赞Moyu"
    moves = signal_view("defection", cue="switch", words="换成Moyu")
    assert (story_of(moves).headline, dict(story_of(moves).facts)["依据"]) == ("表示改用Moyu", "「换成Moyu」")
    assert story_of(signal_view("defection", "en", cue="switch")).headline == "Moves to Moyu"
    shown = story_of(signal_view("defection", row_n=5, words=""))
    assert shown.headline == "近 5 条称赞都给了Moyu"
    assert "时间线都读到了底" in dict(shown.facts)["依据"]
    assert story_of(signal_view("defection", "en", row_n=5, words="")).headline == "The last 5 praises all went to Moyu"
    again = dict(story_of(signal_view("unresolved-feedback")).facts)
    assert again["首次反映"].endswith("到最近一次已过 9 天")
    assert again["自述"] == "「至今没解决」"
    assert "自述" not in dict(story_of(signal_view("unresolved-feedback", unsolved=None)).facts)


def test_an_accusation_quotes_others_and_the_post_they_answered_and_blames_nobody() -> None:
    story = story_of(signal_view("accusation"))
    assert [line.text for line in story.quotes] == ["收了多少钱？"] * 2
    assert (story.before_title, len(story.before)) == ("被质疑的内容", 1)
    facts = dict(story.facts)
    assert facts["原话"] == "「收了多少钱」、「报喜不报忧」"
    assert "不是 KOC 的态度" in facts["说明"]
    assert story_of(signal_view("accusation", paid=False)).headline == "2 人质疑其只说好话"
    assert story_of(signal_view("accusation", "en", authors_n=1, paid=False)).headline.startswith("1 person accuses")


def test_a_shift_of_the_whole_brand_names_no_koc_and_asks_for_a_public_answer() -> None:
    one = signal_view("brand-shift")
    story = story_of(one)
    assert (story.name, story.tone, story.next_word) == ("整个品牌", "amber", "公开致谢")
    assert story_of(replace(one, case=None)).next_word == "公开致谢"
    assert "KOC 编号" not in dict(story.details)
    assert "黄色预警暂缓" in dict(story.facts)["同时"]
    assert one.before == ()
    assert len(one.dots) == 45
    assert svg_of(one)


def test_evidence_of_another_version_and_unknown_kinds_are_told_by_their_posts() -> None:
    one = signal_view("first-negative")
    bare = replace(one, alert=replace(one.alert, evidence={}))
    assert told_of(bare) is None
    assert story_of(bare).headline == "近 1 条中 1 条转为负面"
    assert told_of(replace(one, alert=replace(one.alert, kind="brand-new"))) is None
    assert hook.payload_of(letter(bare))["data"]["alerts"][0]["evidence"] == {}


def test_a_summary_of_several_kinds_speaks_of_alerts_and_one_of_drifts_of_turns() -> None:
    mixed = letter(view(), signal_view("silence"), kind="summary")
    assert faces.subject_of(mixed) == "【汇总】星澜：2 条较早的预警"
    assert "久未提及" in faces.letter_text(mixed)
    assert "较早的态度转变" in faces.subject_of(letter(view(), kind="summary"))


def test_what_was_held_back_has_words_for_every_reason() -> None:
    source = inspect.getsource(first_negatives) + inspect.getsource(detect)
    reasons = set(re.findall(r'return "([a-z-]+)"|reason="([a-z-]+)"', source))
    codes = {one or other for one, other in reasons} | {"brand-shift", "usual-for-this-koc"}
    assert len(codes) >= 6
    assert codes <= set(WORDS["held-back"])
