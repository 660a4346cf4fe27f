"""Services through Apprise: its own JSON and form receivers, on 127.0.0.1, healthy and broken."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from listener.channels.door import ChannelError
from listener.channels.through_apprise import AppriseChannel, is_domestic, service_of
from listener.text.discretion import Discretion, alias_of
from tests.alerted import HOSTILE, KOC, many, message, view
from tests.servers import HttpServer, drip, free_port, hang, reset

NOW = datetime(2026, 7, 8, 1, tzinfo=UTC)
TOKEN = "canary-geheim-5512"
FINE: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")
AT_HOME = Discretion(is_group=True)


def channel(url: str, **more: object) -> AppriseChannel:
    values: dict[str, object] = {"name": "值班", "url": url, "timeout_seconds": 5.0, "discretion": AT_HOME}
    return AppriseChannel(**(values | more))  # type: ignore[arg-type]


def address(server: HttpServer, scheme: str) -> str:
    return f"{scheme}://{server.url.removeprefix('http://').partition('/')[0]}/{TOKEN}"


def failure(to: AppriseChannel) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        to.send(message(view()), [view()], NOW)
    assert TOKEN not in str(caught.value)
    assert not caught.value.permanent
    return caught.value


def test_an_alert_arrives_at_apprises_json_receiver() -> None:
    with HttpServer([FINE]) as server:
        channel(address(server, "json")).send(message(view()), [view()], NOW)
        (request,) = server.requests
    said = json.loads(request.body)
    assert said["title"] == "【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面"
    for words in (
        "用完头皮又痒又起屑",
        "https://m.weibo.cn/status/5020",
        "公开致谢",
        "listener cases show cccccccccccc",
        "a" * 12,
    ):
        assert words in said["message"]
    assert "**" not in said["message"]


def test_an_alert_arrives_at_apprises_form_receiver() -> None:
    with HttpServer([FINE]) as server:
        channel(address(server, "form")).send(message(view()), [view()], NOW)
        (request,) = server.requests
    assert "近 10 条中 7 条转为负面" in request.body.decode("utf-8", "replace") or "近" in str(parse_qs(request.body.decode()))


def test_the_order_of_messages_and_parts_is_kept() -> None:
    with HttpServer([FINE]) as server:
        to = channel(address(server, "json"))
        to.test(NOW)
        to.send(message(*many(300), kind="summary"), many(300), NOW)
        to.send(message(view(), kind="correction"), [view()], NOW)
        titles = [json.loads(each.body)["title"] for each in server.requests]
    assert titles[0].startswith("【测试】")
    assert titles[-1].startswith("【更正】")
    parts = titles[1:-1]
    assert [title[-5:] for title in parts] == [f"（{at}/{len(parts)}）" for at in range(1, len(parts) + 1)] or len(parts) == 1


@pytest.mark.parametrize(
    "answer", [(500, {}, b""), (403, {}, b"no"), hang, drip, reset], ids=["500", "403", "hang", "drip", "reset"]
)
def test_what_apprise_calls_false_is_an_error_with_its_reason_and_without_the_token(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    with HttpServer([answer]) as server, caplog.at_level(logging.DEBUG):  # type: ignore[list-item]
        began = time.monotonic()
        error = failure(channel(address(server, "json"), timeout_seconds=0.8))
        assert time.monotonic() - began < 3
    assert str(error).startswith("JSON: ")
    assert len(str(error)) > len("JSON: ")
    assert TOKEN not in caplog.text


def test_nobody_there_is_an_error_that_is_tried_again() -> None:
    failure(channel(f"json://127.0.0.1:{free_port()}/{TOKEN}"))


def test_apprises_own_log_tells_no_token_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    with HttpServer([FINE]) as server, caplog.at_level(logging.DEBUG):
        to = channel(address(server, "json"))
        to.test(NOW)
    assert TOKEN not in caplog.text + repr(to)


@pytest.mark.parametrize(
    "url",
    [
        "nosuch://x/y",
        "wecombot://k",
        "dingtalk://tok",
        "feishu://tok",
        "https://oapi.dingtalk.com/robot/send?access_token=x",
        "",
    ],
)
def test_an_address_that_is_none_or_whose_failures_apprise_hides_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="channel") as caught:
        service_of("值班", url)
    if "://" in url and "nosuch" not in url:
        assert 'type = "' in str(caught.value)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("ntfys://ntfy.sh/topic", "ntfy"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "Telegram"),
    ],
)
def test_addresses_of_apprise_and_of_the_services_themselves_are_known_and_abroad(url: str, service: str) -> None:
    assert str(service_of("值班", url).service_name) == service
    assert not is_domestic(url)


def test_a_service_abroad_gets_no_words_and_no_names_even_of_hostile_posts() -> None:
    one = view(bad=HOSTILE, koc=replace(KOC, name="小鹿爱洗头"))
    with HttpServer([FINE]) as server:
        channel(address(server, "json"), discretion=Discretion(is_abroad=True)).send(message(one), [one], NOW)
        said = json.loads(server.requests[0].body)
    told = said["title"] + said["message"]
    for words in ("小鹿爱洗头", "alert('x')", "evil", "weibo.cn", "王敏"):
        assert words not in told
    assert "K017" not in told
    assert alias_of(b"", "K017") in told
    assert "10 条内容" in told
