"""The robots of WeCom, DingTalk and Feishu: stand-ins on 127.0.0.1 that check what the platforms check."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.channels.door import ChannelError
from listener.channels.robots import PLATFORMS, Kind, Limits, RobotChannel
from listener.text.discretion import Discretion
from listener.text.views import AlertView
from storage.store import Store
from tests.alerted import HOSTILE, KOC, many, message, view
from tests.robots import Robot
from tests.servers import HttpServer, drip, free_port, hang, reset

KINDS: tuple[Kind, ...] = ("wecom", "dingtalk", "feishu")
SECRET = "SEC-canary-9911"
MENTIONS = {"王敏": "wangmin"}


def channel(kind: Kind, url: str, **more: object) -> RobotChannel:
    return RobotChannel(**({"kind": kind, "name": "群", "url": url, "timeout_seconds": 2.0} | more))  # type: ignore[arg-type]


def now() -> datetime:
    return datetime.now(UTC)


def send(to: RobotChannel, *views: AlertView, at: datetime | None = None) -> None:
    views = views or (view(),)
    to.send(message(*views), views, at or now())


def failure(to: RobotChannel, *views: AlertView) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(to, *views)
    assert "geheim" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


# ------------------------------------------------------------------------------------------------------- what arrives


@pytest.mark.parametrize("kind", KINDS)
def test_an_alert_arrives_whole_with_its_post_link_next_step_case_and_key(kind: Kind) -> None:
    with Robot(kind) as robot:
        send(channel(kind, robot.url))
    ((text, called),) = robot.taken
    assert called == []
    for words in (
        "【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面",
        "约九成可能是真转变",
        "用完头皮又痒又起屑",
        "公开致谢",
        "对接人：王敏",
        "listener cases show cccccccccccc",
        "a" * 12,
    ):
        assert words in text
    links = [p["href"] for line in _feishu_lines(robot) for p in line if p["tag"] == "a"] if kind == "feishu" else [text]
    assert any("https://m.weibo.cn/status/5020" in one for one in links)


def _feishu_lines(robot: Robot) -> list[list[dict[str, str]]]:
    return robot.bodies[-1]["content"]["post"]["zh_cn"]["content"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
def test_the_owner_is_called_where_the_platform_knows_them_and_nobody_else(kind: Kind) -> None:
    with Robot(kind) as robot:
        to = channel(kind, robot.url, mentions=MENTIONS)
        send(to)
        to.send(message(view(), kind="correction"), [view()], now())
        send(to, view(koc=replace(KOC, owner="别人")))
    assert [called for _, called in robot.taken] == [["wangmin"], [], []]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_posts_and_names_call_nobody_and_make_no_markup(kind: Kind) -> None:
    evil = replace(KOC, name='<@all> <at user_id="all"></at> [点我](http://evil.example) **粗**', owner="@所有人")
    with Robot(kind) as robot:
        send(channel(kind, robot.url), view(bad="<@all> @所有人 [x](http://evil.example/a) # 标题 " + HOSTILE, koc=evil))
    ((text, called),) = robot.taken
    assert called == []
    assert "<" not in text
    assert "](http://evil" not in text
    assert "@" not in text
    assert all(p["tag"] != "at" for line in (_feishu_lines(robot) if kind == "feishu" else []) for p in line)


@pytest.mark.parametrize("kind", KINDS)
def test_summaries_corrections_and_tests_arrive(kind: Kind) -> None:
    with Robot(kind) as robot:
        to = channel(kind, robot.url)
        for what in ("summary", "correction"):
            to.send(message(*many(3), kind=what), many(3), now())  # type: ignore[arg-type]
        to.test(now())
    assert ["【汇总】" in robot.taken[0][0], "【更正】" in robot.taken[1][0], "【测试】" in robot.taken[2][0]] == [True] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_too_long_for_one_message_comes_in_numbered_parts_within_the_limit(kind: Kind) -> None:
    with Robot(kind) as robot:
        send(channel(kind, robot.url), *[replace(each, quotes=each.quotes * 3) for each in many(120)])
    texts = [text for text, _ in robot.taken]
    assert len(texts) == {"wecom": 2, "dingtalk": 1, "feishu": 1}[kind] or len(texts) <= 4
    assert robot.asked == len(texts), "none was refused for its length"
    if len(texts) > 1:
        assert all(f"（{at}/{len(texts)}）" in text for at, text in enumerate(texts, 1))


def test_a_summary_of_hundreds_says_that_it_is_cut() -> None:
    with Robot("wecom") as robot:
        to = channel("wecom", robot.url)
        to.send(message(*many(300), kind="summary"), many(300), now())
    assert len(robot.taken) == 4
    assert "以下省略，完整内容：listener alerts --full" in robot.taken[-1][0]


# ---------------------------------------------------------------------------------------- signature, keyword, refusals


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_a_signed_message_is_taken_and_one_with_another_secret_is_not(kind: Kind) -> None:
    with Robot(kind, secret=SECRET) as robot:
        for _ in range(20 if kind == "feishu" else 10):  # signatures hold + and / now and then
            send(channel(kind, robot.url, secret=SECRET))
        error = failure(channel(kind, robot.url, secret="other"))
        late = failure_at(channel(kind, robot.url, secret=SECRET), now() - timedelta(hours=2))
        unsigned = failure(channel(kind, robot.url))
    for one in (error, late, unsigned):
        assert not one.permanent, "somebody can put it right, and then it goes out"
        assert "secret" in str(one)
    assert len(robot.taken) == (20 if kind == "feishu" else 10)


def failure_at(to: RobotChannel, at: datetime) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(to, at=at)
    return caught.value


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_the_keyword_stands_in_every_message_of_every_kind(kind: Kind) -> None:
    with Robot(kind, keyword="口碑提醒") as robot:
        to = channel(kind, robot.url, keyword="口碑提醒")
        send(to)
        to.test(now())
        to.send(message(*many(300), kind="summary"), many(300), now())
        lacking = failure(channel(kind, robot.url))
    assert len(robot.taken) >= 3
    assert "keyword" in str(lacking)
    assert not lacking.permanent


@pytest.mark.parametrize(
    ("kind", "code", "wait"),
    [("wecom", 45009, 60), ("dingtalk", 130101, 600), ("feishu", 11232, 60)],
)
def test_a_robot_that_is_sent_too_much_is_left_alone_as_long_as_it_wants(kind: Kind, code: int, wait: int) -> None:
    with Robot(kind) as robot:
        robot.answers = [(200, robot._said(code, "too fast"))]
        error = failure(channel(kind, robot.url))
    assert (error.permanent, error.retry_after) == (False, timedelta(seconds=wait))


@pytest.mark.parametrize(("kind", "code"), [("wecom", 40058), ("dingtalk", 430104), ("feishu", 9499)])
def test_a_message_that_is_to_blame_itself_is_given_up(kind: Kind, code: int) -> None:
    with Robot(kind) as robot:
        robot.answers = [(200, robot._said(code, "no"))]
        assert failure(channel(kind, robot.url)).permanent


def test_too_many_requests_in_feishus_words_is_no_bad_request() -> None:
    with Robot("feishu") as robot:
        robot.answers = [(200, {"code": 9499, "msg": "too many request", "data": {}})]
        error = failure(channel("feishu", robot.url))
    assert (error.permanent, error.retry_after) == (False, timedelta(minutes=1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_address_and_an_answer_without_a_code_are_told_and_tried_again(kind: Kind) -> None:
    with Robot(kind) as robot:
        wrong = failure(channel(kind, robot.url.replace("t0ken", "other")))
        robot.answers = [(200, {"hello": 1}), (500, {}), (404, {"x": robot.token}), (200, robot._said(-1, f"busy {robot.url}"))]
        others = [failure(channel(kind, robot.url)) for _ in range(4)]
    assert not any(one.permanent for one in (wrong, *others))
    assert "address" in str(wrong)
    assert "address" in str(others[0])
    assert robot.taken == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [hang, drip, reset])
def test_a_robot_that_hangs_drips_or_cuts_is_left_in_time(kind: Kind, fault: object) -> None:
    with HttpServer([fault]) as server:  # type: ignore[list-item]
        assert not failure(channel(kind, server.url, timeout_seconds=0.4)).permanent
    assert not failure(channel(kind, f"http://127.0.0.1:{free_port()}/geheim")).permanent


def test_what_is_no_address_and_what_wecom_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no http or https address"):
        channel("feishu", "t0ken")
    for more in ({"secret": "x"}, {"keyword": "x"}):
        with pytest.raises(ValueError, match="neither secret nor keyword"):
            channel("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", **more)


# --------------------------------------------------------------------------------------------------------------- rate


def test_two_processes_keep_a_robots_rate_between_them(tmp_path: Path) -> None:
    at = datetime(2026, 7, 8, 1, tzinfo=UTC)
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with Store.open(url) as one, Store.open(url) as other, Robot("dingtalk") as robot:
        clock = [at]
        robot.clock = lambda: clock[0].timestamp()
        waits: list[timedelta] = []
        for n in range(60):
            store = (one, other)[n % 2]

            def turn(limits: Limits, n: int, now: datetime, store: Store = store) -> timedelta:
                return store.take_slots("群", limits, n, now)

            try:
                send(channel("dingtalk", robot.url, turn=turn), at=clock[0])
            except ChannelError as error:
                waits.append(error.retry_after or timedelta(0))
                clock[0] += waits[-1]
            clock[0] += timedelta(milliseconds=200)
    assert robot.asked == len(robot.taken), "not one was refused, so that there was no penalty"
    assert len(robot.taken) == 60 - len(waits)
    assert waits


@pytest.mark.parametrize("kind", KINDS)
def test_limits_lie_below_what_the_platform_allows(kind: Kind) -> None:
    allowed = {"wecom": [(20, 60)], "dingtalk": [(20, 60)], "feishu": [(5, 1), (100, 60)]}[kind]
    ours = [(most, span.total_seconds()) for most, span in PLATFORMS[kind].limits]
    assert [(mine < theirs) for (mine, _), (theirs, _) in zip(ours, allowed, strict=True)] == [True] * len(ours)
    assert [span for _, span in ours] == [span for _, span in allowed]


# ------------------------------------------------------------------------------------------------- secrets, discretion


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_stand_in_no_log_and_no_repr(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    secret = {} if kind == "wecom" else {"secret": SECRET}
    with Robot(kind) as robot, caplog.at_level(logging.DEBUG):
        to = channel(kind, robot.url, **secret)
        robot.answers = [(200, robot._said(-1, f"{robot.url} {to.secret} {robot.token}")), (500, {"x": robot.token})]
        failure(to)
        failure(to)
        send(to)
    shown = caplog.text + repr(to)
    assert SECRET not in shown
    assert "geheim" not in shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_gets_no_words_of_the_private_domain_and_a_place_abroad_nothing_but_counts(kind: Kind) -> None:
    private = view(koc=replace(KOC, domain="private"))
    with Robot(kind) as robot:
        send(channel(kind, robot.url), private)
        send(channel(kind, robot.url, discretion=Discretion(is_abroad=True), mentions=MENTIONS))
        send(channel(kind, robot.url, discretion=Discretion()), private)
    (group, abroad, own) = [text for text, _ in robot.taken]
    assert "头皮" not in group
    assert "私域内容" in group
    assert "小鹿爱洗头" in group
    for words in ("头皮", "小鹿爱洗头", "王敏", "weibo.cn", "wangmin"):
        assert words not in abroad
    assert "10 条内容" in abroad
    assert "KOC-" in abroad
    assert "K017" not in abroad
    assert "头皮" in own
