"""The guard rail, measured on phrases: those that it was written after, and those that it learnt later."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from listener import text as faces
from listener.cases.accidents import accident_in
from listener.cases.guard import RULES, refusal_by_rule, refusal_of
from listener.cases.meanings import MEANINGS
from listener.text.refusals import CODES, refusal
from tests import guard_phrases as phrases

LISTS = {
    "first": (phrases.FIRST_REFUSED, phrases.FIRST_PASSED),
    "later": (phrases.LATER_REFUSED, phrases.LATER_PASSED),
    "last": (phrases.LAST_REFUSED, phrases.LAST_PASSED),
    "held": (phrases.HELD_REFUSED, phrases.HELD_PASSED),
    "wide": (phrases.WIDE_REFUSED, phrases.WIDE_PASSED),
    "near": (phrases.NEAR_REFUSED, phrases.NEAR_PASSED),
    "sealed": (phrases.SEALED_REFUSED, phrases.SEALED_PASSED),  # never learnt
}
FLOORS = {
    "first": (0.99, 0.99),
    "later": (0.98, 0.99),
    "last": (0.97, 0.98),
    "held": (0.99, 0.99),
    "wide": (0.97, 0.97),
    "near": (0.88, 0.95),
    "sealed": (0.5, 0.99),
}  # recall, precision: never lowered by accident


@pytest.mark.parametrize("name", LISTS)
def test_the_guard_rail_keeps_its_floors(name: str) -> None:
    refused, passed = LISTS[name]
    assert len(refused) >= 20
    assert len(passed) >= 30
    caught = sum(refusal_of(phrase) is not None for phrase in refused)
    wrong = [phrase for phrase in passed if refusal_of(phrase)]
    recall, precision = FLOORS[name]
    assert caught / len(refused) >= recall, [phrase for phrase in refused if not refusal_of(phrase)]
    assert caught / (caught + len(wrong)) >= precision, wrong


def test_the_guard_rail_keeps_what_it_learnt_of_a_reader() -> None:
    assert sum(refusal_of(phrase) is not None for phrase in phrases.READ_REFUSED) >= 23
    assert [phrase for phrase in phrases.READ_PASSED if refusal_of(phrase)] == []


@pytest.mark.parametrize(
    "word", ["施压", "删帖", "删除评论", "终止合作", "解约", "起诉他", "发律师函", "控评", "拉黑他", "举报他"]
)
def test_the_plain_words_are_refused_bare_ordered_spaced_and_in_traditional_characters(word: str) -> None:
    for text in (word, f"安排{word}", f"建议{word}，尽快", " ".join(word), f"已感谢。{word}"):
        assert refusal_of(text), text
    for text in (f"不{word}", f"绝不{word}", f"没有{word}", f"请勿{word}"):
        assert refusal_of(text) is None, text


def test_traditional_characters_and_full_width_letters_are_read() -> None:
    assert refusal_of("請他刪除評論")
    assert refusal_of("Ｐｌｅａｓｅ ｄｅｌｅｔｅ ｙｏｕｒ ｃｏｍｍｅｎｔ")
    assert refusal_of("删\u200b帖")


def test_a_lawyers_letter_may_be_spoken_of_after_verifying_and_reporting_once_legal_has_the_case() -> None:
    assert refusal_of("发律师函")
    assert refusal_of("发律师函", is_verified=True) is None
    assert refusal_of("举报冒充我们的账号", is_verified=True)
    assert refusal_of("举报冒充我们的账号", is_verified=True, is_legal=True) is None
    assert refusal_of("让他删帖", is_verified=True, is_legal=True), "deleting is never an answer"


def test_a_refusal_names_the_clause_the_reason_and_the_better_step_in_both_languages() -> None:
    found = refusal_of("感谢反馈，另外让他把帖子删掉，谢谢")
    assert found
    assert found.words == "另外让他把帖子删掉"
    assert refusal(found.code, found.words) == (
        "不能写：「另外让他把帖子删掉」是要求删除、隐藏或压下别人的内容。换成：原帖留着，在它下面公开致谢、说明核实进度和结果"
        " / refused: “另外让他把帖子删掉” asks for words to be taken away."
        " Better: leave the post, thank under it and say there what is found and done"
    )


def test_every_rule_has_its_words() -> None:
    assert {rule.code for rule in (*RULES, *MEANINGS)} | {"cites-monitoring", "likeness"} == CODES


ACCIDENTS = (
    "充电的时候冒烟了", "吹风机用着用着起火", "孩子用了过敏送医院", "漏电，手麻了一下", "电池鼓包了",
    "吃完全家拉肚子住院", "锅盖爆炸，人没事",
    "杯子里有异物", "面霜发霉了", "脸上红肿起疹，去看了急诊", "插头短路烧坏了插座",
    "my daughter was hospitalized", "it caught fire",
    "got an electric shock from the kettle", "检测甲醛超标", "刹车失灵差点出事",
)  # fmt: skip
HARMLESS = (
    "用了半年没有过敏", "颜值炸了", "这首歌我中毒了一样地循环", "敏感肌用着不过敏", "防止触电的设计很好", "评论区炸了",
    "医院门口买的", "我在医院上班", "不会漏电", "好用到爆炸", "避免烫伤的隔热层", "no allergic reaction at all",
    "质量一般，客服态度差",
    "断货了，求补货",
    "味道怪，不会再买", "抗过敏配方", "气炸了，再也不买", "你有毒吧", "原地爆炸", "爆炸头",
)  # fmt: skip


@pytest.mark.parametrize("text", ACCIDENTS)
def test_an_accident_is_heard(text: str) -> None:
    assert accident_in(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_accident_is_none(text: str) -> None:
    assert accident_in(text) == ""


LONG = (
    "我们查了 3 月 12 日那一批的出厂记录，确认漏液属实，已停止发货，4 月 15 日前为买到的顾客更换，您的帖子会一直保留",
    "老板问要不要让他删，我们说明了政策：不删、不压，公开回应",
    "竞品的水军在带节奏，我们不跟，只公开检测数据",
    "平台通知该笔记因举报被隐藏，不是我们发起的，已向平台说明我们不反对该内容展示",
    "给他发了补偿 200 元，按三包规定，没有附带任何要求，他的视频保留",
    "问题批次下架后就给买家退款",
    "我们已封存该批号送检",
    "因为多人举报被下架了",
    "我们已冻结该批号库存",
    "请质检把同批号产品封样",
    "退款先到账，再请他确认，不要公开他的个人信息",
    "补偿方案下周给，先不对外公布细节",
    "合作合同 6 月到期，和他确认过会续签，条件不变；也说明了批评内容不影响续约",
)


def test_what_teams_write_every_day_stands() -> None:
    assert [note for note in phrases.ORDINARY if refusal_of(note)] == []


@pytest.mark.parametrize("note", LONG)
def test_notes_as_people_write_them_at_length_stand(note: str) -> None:
    assert refusal_of(note) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("封了他的号", "ban"),
        ("把差评申诉掉", "removal"),
        ("跟他讲清楚，继续这么写就别想拿到邀请", "pressure"),
        ("答应给代金券，前提是笔记隐藏", "paid-removal"),
        ("请版主打个招呼把楼沉了", "removal"),
        ("把他从年会嘉宾里划掉", "end-cooperation"),
        ("把她的身份证信息放出去", "dox"),
    ],
)
def test_an_act_is_known_by_what_it_is_made_of(text: str, code: str) -> None:
    found = refusal_of(text)
    assert found
    assert found.code == code


def test_what_reads_like_pressing_is_refused_though_no_rule_knows_it_and_says_that_it_may_err() -> None:
    found = refusal_of("提醒她合同还在我们手里")
    assert found
    assert refusal_by_rule("提醒她合同还在我们手里") is None
    assert found.code == "likeness"
    assert "可能误判" in refusal(found.code, found.words)
    assert refusal_of("请法务准备律师函，提醒她合同还在我们手里", is_legal=True) is None


@pytest.mark.parametrize("draft", sorted(Path(faces.__file__).parent.glob("draft.*.j2")), ids=lambda path: path.name)
def test_every_draft_that_is_shipped_stands(draft: Path) -> None:
    words = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", draft.read_text(encoding="utf-8"), flags=re.DOTALL)
    words = re.sub(r"\{\{.*?\}\}", "阿澜", words, flags=re.DOTALL)
    assert len(words) > 40
    assert refusal_of(words) is None
