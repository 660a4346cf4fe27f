"""Webhooks to real HTTP receivers on 127.0.0.1, healthy and broken ones."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from listener.channels.door import ChannelError
from listener.channels.exchange import retry_after_of
from listener.channels.webhook import WebhookChannel
from listener.demo.receivers import HookReceiver
from tests.alerted import NOW, many, message, view
from tests.servers import HttpServer, drip, flood, free_port, hang, reset
from tests.signalled import SEEN, signal_view

SECRET = "whsec_a29jLWxpc3RlbmVyLXRlc3Qtc2VjcmV0LTEyMzQ="
NO_PAGES = (
    "http://:80/x",
    "https://[::1/x",
    "https://h:99999/",
    "https://h:0/",
    "https://例..com/",
    "https://h:x/",
    "http://\x7fa/",
)
FINE: tuple[int, dict[str, str], bytes] = (204, {}, b"")


def channel(url: str, **more: object) -> WebhookChannel:
    return WebhookChannel(**({"name": "机器人", "url": url, "secret": SECRET, "timeout_seconds": 2.0} | more))  # type: ignore[arg-type]


def send(url: str, now: datetime | None = None, **more: object) -> None:
    channel(url, **more).send(message(view()), [view()], now or datetime.now(UTC))


def failure(url: str, **more: object) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(url, NOW, **more)
    error = caught.value
    assert "geheim" not in str(error)
    assert SECRET not in str(error)
    assert error.__suppress_context__ or error.__cause__ is None
    return error


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[HookReceiver]:
    with HookReceiver(tmp_path / "hooks", SECRET) as running:
        yield running


# ------------------------------------------------------------------------------------------------------- what arrives


def test_an_alert_arrives_signed_and_is_written_down(receiver: HookReceiver) -> None:
    send(receiver.url)
    (path,) = receiver.files
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["signature"] == "verified"
    assert kept["headers"]["webhook-id"] == "d" + "a" * 31
    assert kept["body"]["type"] == "alert.fired"
    assert kept["body"]["data"]["alert_keys"] == ["a" * 32]
    assert "近 10 条中 7 条转为负面" in kept["body"]["data"]["text"]
    assert receiver.refused == 0


def test_a_receiver_with_another_secret_refuses(tmp_path: Path) -> None:
    other = "whsec_" + "QUJD" * 8
    with HookReceiver(tmp_path, other) as receiver:
        error = failure(receiver.url)
        assert error.permanent
        assert "401" in str(error)
        assert (receiver.files, receiver.refused) == ([], 1)


def test_the_signature_is_that_of_the_public_library_and_of_these_bytes() -> None:
    with HttpServer([FINE]) as server:
        send(server.url)
        (request,) = server.requests
    assert Webhook(SECRET).verify(request.body, request.headers)["type"] == "alert.fired"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


def test_an_old_request_played_again_is_refused(receiver: HookReceiver) -> None:
    with pytest.raises(ChannelError) as caught:
        send(receiver.url, datetime.now(UTC) - timedelta(hours=1))
    assert caught.value.permanent
    assert receiver.files == []


def test_a_second_try_has_the_same_id_and_the_same_bytes() -> None:
    with HttpServer([(500, {}, b""), FINE]) as server:
        failure(server.url)
        send(server.url)
        first, second = server.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_summary_a_correction_and_a_test_say_what_they_are() -> None:
    views = many(3)
    with HttpServer([FINE]) as server:
        to = channel(server.url)
        to.send(message(*views, kind="summary"), views, NOW)
        to.send(message(view(), kind="correction"), [view()], NOW)
        to.test(NOW)
        types = [json.loads(each.body)["type"] for each in server.requests]
        assert types == ["alert.summarized", "alert.corrected", "channel.tested"]
        assert len({each.headers["webhook-id"] for each in server.requests}) == 3
        assert json.loads(server.requests[0].body)["data"]["alert_keys"] == [each.alert.key for each in views]


# ------------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_done(status: int) -> None:
    with HttpServer([(status, {}, b"")]) as server:
        send(server.url)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((each, True) for each in (400, 401, 403, 404, 405, 410, 413, 422)),
        *((each, False) for each in (408, 425, 429, 500, 502, 503, 504, 599)),
    ],
)
def test_what_a_receiver_answers_is_permanent_or_for_now(status: int, permanent: bool) -> None:
    with HttpServer([(status, {}, b"because <b>\r\n of this")]) as server:
        error = failure(server.url)
        assert error.permanent is permanent
        assert f"{status} because <b> of this" in str(error)
        assert error.retry_after is None


def test_a_receiver_may_say_how_long_to_wait() -> None:
    with HttpServer(
        [(429, {"Retry-After": "120"}, b""), (503, {"Retry-After": "Wed, 08 Jul 2026 01:10:00 GMT"}, b"")]
    ) as server:
        assert failure(server.url).retry_after == timedelta(seconds=120)
        assert failure(server.url).retry_after == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", timedelta(0)),
        (" 5 ", timedelta(seconds=5)),
        ("Wed, 08 Jul 2026 00:00:00 GMT", timedelta(0)),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1e3", None),
        ("٣", None),
    ],
)
def test_a_wait_is_read_in_every_form(said: str, wait: timedelta | None) -> None:
    assert retry_after_of(said, NOW) == wait


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with HttpServer([FINE]) as other, HttpServer([(status, {"Location": other.url}, b"")]) as server:
        error = failure(server.url)
        assert error.permanent
        assert "redirects" in str(error)
        assert other.requests == []


@pytest.mark.parametrize("fault", [hang, drip])
def test_a_receiver_that_hangs_or_drips_is_left_in_time(fault: object) -> None:
    with HttpServer([fault]) as server:  # type: ignore[list-item]
        began = time.monotonic()
        error = failure(server.url, timeout_seconds=0.4)
        assert not error.permanent
        assert "no answer within 0.4 s" in str(error)
        assert time.monotonic() - began < 1.5


def test_a_connection_that_is_cut_is_tried_again() -> None:
    with HttpServer([reset]) as server:
        assert not failure(server.url).permanent


def test_a_receiver_that_is_down_is_tried_again() -> None:
    error = failure(f"http://127.0.0.1:{free_port()}/?token=geheim")
    assert not error.permanent


def test_a_name_that_does_not_exist_is_tried_again() -> None:
    assert not failure("https://no-such-host.invalid/?token=geheim").permanent


def test_a_receiver_without_tls_is_told_so() -> None:
    with HttpServer([FINE]) as server:
        assert not failure(server.url.replace("http:", "https:")).permanent


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with HttpServer([flood]) as server:
        error = failure(server.url, timeout_seconds=5.0)
        assert not error.permanent
        assert len(str(error)) < 400


def test_an_answer_that_holds_our_secrets_is_not_repeated() -> None:
    with HttpServer([]) as server:
        server.answers.append((400, {}, f"no {server.url} {SECRET}".encode()))
        assert failure(server.url).permanent


def test_secrets_stand_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    with HttpServer([FINE, (500, {}, b"")]) as server, caplog.at_level(logging.DEBUG):
        send(server.url)
        failure(server.url)
        assert "geheim" not in caplog.text + repr(channel(server.url))
        assert SECRET not in caplog.text + repr(channel(server.url))


def test_proxies_are_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HttpServer([FINE]) as server:
        send(server.url)
        assert len(server.requests) == 1


# ------------------------------------------------------------------------------------------------------ construction


@pytest.mark.parametrize("url", ["", "ftp://a.b/c", "https://", "javascript:alert(1)", "a.b/c", *NO_PAGES])
def test_what_is_no_http_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https address"):
        channel(url)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_????", "whsec_c2hvcnQ=", "whsec_" + "QUJD" * 30, "whsec_密"])
def test_a_secret_that_cannot_sign_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64") as caught:
        channel("https://a.example", secret=secret)
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)


@pytest.mark.parametrize("url", ["https://a..b/geheim", f"https://{'a' * 64}.example/geheim"])
def test_a_host_that_no_name_server_would_know_is_a_channels_error(url: str) -> None:
    assert not failure(url).permanent


def test_a_secret_may_lack_its_padding() -> None:
    assert channel("https://a.example:8443/x", secret=SECRET.rstrip("=")).place == "https://a.example:8443"


def test_the_receiver_survives_what_is_no_webhook(receiver: HookReceiver) -> None:
    for headers in ({}, {"webhook-id": "x", "webhook-timestamp": "nan", "webhook-signature": "v1,x"}):
        assert httpx.post(receiver.url, content=b"{}", headers=headers, trust_env=False).status_code == 401
    assert receiver.refused == 2


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_every_kind_of_signal_arrives_signed_with_its_evidence(receiver: HookReceiver, kind: str) -> None:
    one = signal_view(kind, is_over=True)
    channel(receiver.url).send(message(one), [one], datetime.now(UTC))
    (path,) = receiver.files
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["signature"] == "verified"
    (alert,) = kept["body"]["data"]["alerts"]
    assert (alert["kind"], alert["level"], alert["koc"]["id"]) == (kind, None, one.alert.koc_id)
    assert alert["evidence"] == dict(one.alert.evidence)
    assert alert["words"]["headline"]
    assert alert["posts"][0]["url"]
