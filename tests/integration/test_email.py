"""E-mail through real SMTP servers on 127.0.0.1, healthy and broken ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

import pytest

from listener.channels.door import ChannelError
from listener.channels.mail import EmailChannel, address_of
from listener.demo.receivers import MailReceiver
from listener.text.story import story_of
from listener.text.views import AlertView
from storage.records import Koc
from tests.alerted import HOSTILE, NOW, many, message, view
from tests.servers import HOST, SmtpServer, certificate, free_port
from tests.signalled import SEEN, signal_view

PASSWORD = "geheim-4711"


def channel(port: int, **more: object) -> EmailChannel:
    values: dict[str, object] = {
        "name": "邮件",
        "host": HOST,
        "port": port,
        "security": "none",
        "sender": "听音 <koc@brand.example>",
        "to": ("pr@brand.example",),
        "timeout_seconds": 1.0,
        "deadline_seconds": 3.0,
    }
    return EmailChannel(**(values | more))  # type: ignore[arg-type]


def send(to: EmailChannel, *views: AlertView, attempts: int = 1) -> None:
    views = views or (view(),)
    to.send(message(*views, attempts=attempts), views, NOW)


def failure(to: EmailChannel, *, attempts: int = 1) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        send(to, attempts=attempts)
    assert PASSWORD not in str(caught.value)
    return caught.value


def read(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.fixture(scope="module")
def cert(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("cert"))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[MailReceiver]:
    with MailReceiver(tmp_path / "mails") as running:
        yield running


# ------------------------------------------------------------------------------------------------------- what arrives


def test_an_alert_arrives_with_text_html_chart_and_its_key(receiver: MailReceiver) -> None:
    send(channel(receiver.port))
    (path,) = receiver.files
    assert path.name == f"001-{'a' * 32}.eml"
    mail = read(path.read_bytes())
    assert mail["Subject"] == "【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面"
    assert mail["From"] == "听音 <koc@brand.example>"
    assert mail["To"] == "pr@brand.example"
    assert mail["X-KOC-Alert-Key"] == "a" * 32
    assert mail["Message-ID"] == f"<d{'a' * 31}@brand.example>"
    assert mail["References"] == f"<case-{'c' * 32}@brand.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "koc-listener <alerts.koc-listener.brand.example>"
    assert mail["Date"].datetime == NOW
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text
    assert html
    for part in (text, html):
        assert "近 10 条中 7 条转为负面" in part.get_content()
        assert "a" * 32 in part.get_content()
    chart = list(mail.walk())[-1]
    assert chart["Content-ID"] == "<stance-over-time>"
    assert 'src="cid:stance-over-time"' in html.get_content()
    assert chart.get_content().startswith(b"\x89PNG")
    assert len(chart.get_content()) <= 60_000


def test_a_summary_a_correction_and_a_test_arrive_with_all_their_keys(receiver: MailReceiver) -> None:
    views = tuple(many(3))
    to = channel(receiver.port)
    to.send(message(*views, kind="summary"), views, NOW)
    to.send(message(view(), kind="correction"), [replace(view(), state="superseded")], NOW)
    to.test(NOW)
    summary, correction, test = (read(path.read_bytes()) for path in receiver.files)
    assert summary.get_all("X-KOC-Alert-Key") == [each.alert.key for each in views]
    assert str(summary["Subject"]).startswith("【汇总】")
    assert correction["X-KOC-Alert-Key"] == "a" * 32
    assert str(correction["Subject"]).startswith("【更正】")
    assert correction["References"] == f"<case-{'c' * 32}@brand.example>"
    assert test["X-KOC-Alert-Key"] is None
    assert str(test["Subject"]).startswith("【测试】")
    for mail in (summary, correction, test):
        assert "image/png" not in [part.get_content_type() for part in mail.walk()]


def test_all_mails_of_a_case_are_one_thread_whatever_their_kind(receiver: MailReceiver) -> None:
    to = channel(receiver.port)
    red, amber = view(), view(key="b" * 32, level="amber")
    for kind, one in (("alert", amber), ("alert", red), ("escalation", red), ("correction", red)):
        to.send(message(one, kind=kind), [one], NOW)  # type: ignore[arg-type]
    mails = [read(path.read_bytes()) for path in receiver.files]
    assert {mail["In-Reply-To"] for mail in mails} == {f"<case-{'c' * 32}@brand.example>"}
    assert {mail["References"] for mail in mails} == {f"<case-{'c' * 32}@brand.example>"}


def test_without_a_case_mails_of_one_koc_and_brand_are_one_thread_and_no_header_names_them(receiver: MailReceiver) -> None:
    to = channel(receiver.port)
    one, other, stranger = (replace(signal_view(kind), case=None) for kind in ("first-negative", "silence", "brand-shift"))
    for each in (one, other, stranger):
        to.send(message(each), [each], NOW)
    roots = [read(path.read_bytes())["References"] for path in receiver.files]
    assert roots[0] == roots[1] != roots[2]
    assert all(each.startswith("<koc-") and "K017" not in each for each in roots)


def test_digests_and_summaries_can_be_left_and_alerts_cannot(receiver: MailReceiver) -> None:
    views = tuple(many(2))
    to = channel(receiver.port, unsubscribe="https://intra.example/leave?list=koc")
    for kind in ("digest", "summary", "storm", "correction"):
        to.send(message(*views, kind=kind), views, NOW)  # type: ignore[arg-type]
    by_mail = channel(receiver.port, unsubscribe="mailto:leave@brand.example")
    by_mail.send(message(*views, kind="digest"), views, NOW)
    mails = [read(path.read_bytes()) for path in receiver.files]
    assert [mail["List-Unsubscribe"] for mail in mails] == [
        *["<https://intra.example/leave?list=koc>"] * 2,
        None,
        None,
        "<mailto:leave@brand.example>",
    ]
    assert [mail["List-Unsubscribe-Post"] for mail in mails] == [*["List-Unsubscribe=One-Click"] * 2, None, None, None]


def test_headers_are_what_a_signature_by_dkim_can_rest_on(receiver: MailReceiver) -> None:
    for attempts in (1, 2):
        send(channel(receiver.port), view(koc=Koc("K1", "很长的名字" * 30, (), owner="王敏")), attempts=attempts)
    first, second = (path.read_bytes().split(b"\r\n\r\n", 1) for path in receiver.files)
    assert first[1] == second[1], "the body is the same to the byte at every try"
    mail = read(b"\r\n\r\n".join(first))
    for name in ("From", "Date", "Message-ID", "Subject", "To", "MIME-Version", "Content-Type"):
        assert len(mail.get_all(name, [])) == 1, name
    assert mail["Message-ID"].endswith("@brand.example>")
    assert str(mail["Subject"]).startswith("【红色预警·重要】星澜｜很长的名字很长的名字")
    head = first[0].replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
    assert all(b":" in line for line in head.split(b"\r\n")), "nothing but headers and their foldings"


def test_the_second_copy_of_a_mail_is_known_by_its_id(receiver: MailReceiver) -> None:
    send(channel(receiver.port))
    send(channel(receiver.port), attempts=2)
    assert len({read(path.read_bytes())["Message-ID"] for path in receiver.files}) == 1


def test_a_name_with_line_breaks_makes_no_header(receiver: MailReceiver) -> None:
    evil = Koc("K1\r\nBcc: x@y.z", "小鹿\r\nBcc: evil@example.com\r\n\r\n<b>", (), owner="王\r\n敏")
    send(channel(receiver.port), view(bad=HOSTILE, koc=evil))
    mail = read(receiver.files[0].read_bytes())
    assert mail["Bcc"] is None
    assert "小鹿 Bcc: evil@example.com" in mail["Subject"]
    html = mail.get_body(("html",))
    assert html
    assert "<script" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


def test_hundreds_of_keys_stand_in_the_body_and_a_hundred_in_headers(receiver: MailReceiver) -> None:
    views = tuple(many(300))
    to = channel(receiver.port)
    to.send(message(*views, kind="summary"), views, NOW)
    mail = read(receiver.files[0].read_bytes())
    body = mail.get_body(("plain",))
    assert body
    assert len(mail.get_all("X-KOC-Alert-Key", [])) == 100
    assert all(each.alert.key in body.get_content() for each in views)


def test_every_line_of_a_mail_is_short_enough_for_smtp(receiver: MailReceiver) -> None:
    send(channel(receiver.port), view(bad="长" * 3000))
    raw = receiver.files[0].read_bytes()
    assert max(map(len, raw.splitlines())) <= 998
    assert raw.isascii()


# ------------------------------------------------------------------------------------------------------- TLS, log-in


def test_starttls_and_log_in(cert: tuple[Path, Path]) -> None:
    with SmtpServer(cert=cert, accepts=("koc", PASSWORD)) as server:
        to = channel(server.port, security="starttls", ca_file=str(cert[0]), user="koc", password=PASSWORD)
        send(to)
        assert server.was_encrypted
        assert "AUTH" in server.verbs
        assert len(server.mails) == 1
        assert PASSWORD not in repr(to)


def test_tls_from_the_first_byte(cert: tuple[Path, Path]) -> None:
    with SmtpServer(cert=cert, implicit_tls=True) as server:
        send(channel(server.port, security="tls", ca_file=str(cert[0])))
        assert len(server.mails) == 1


def test_a_certificate_nobody_vouches_for_is_refused(cert: tuple[Path, Path]) -> None:
    for implicit in (False, True):
        with SmtpServer(cert=cert, implicit_tls=implicit) as server:
            error = failure(channel(server.port, security="tls" if implicit else "starttls"))
            assert "certificate" in str(error)
            assert not error.permanent
            assert server.mails == []


def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    with SmtpServer() as server:
        error = failure(channel(server.port, security="starttls", user="koc", password=PASSWORD))
        assert "starttls" in str(error)
        assert not error.permanent
        assert server.verbs == ["EHLO"]


def test_a_wrong_password_can_be_put_right_and_is_never_told(cert: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(cert=cert, accepts=("koc", "another")) as server, caplog.at_level(logging.DEBUG):
        error = failure(channel(server.port, security="starttls", ca_file=str(cert[0]), user="koc", password=PASSWORD))
    assert "log-in refused (535" in str(error)
    assert not error.permanent
    assert PASSWORD not in caplog.text


def test_a_server_that_knows_no_log_in_says_what_to_look_at() -> None:
    with SmtpServer() as server:
        error = failure(channel(server.port, user="koc", password=PASSWORD))
        assert "SMTP AUTH extension not supported" in str(error)


# ------------------------------------------------------------------------------------------------------------ faults


def test_a_server_that_is_down_is_tried_again() -> None:
    error = failure(channel(free_port()))
    assert not error.permanent
    assert "refused" in str(error).lower()


def test_a_server_that_cannot_be_found_is_tried_again() -> None:
    assert not failure(channel(25, host="no-such-host.invalid")).permanent


@pytest.mark.parametrize(
    ("answers", "permanent"),
    [
        ({"GREETING": "421 too busy"}, False),
        ({"GREETING": "554 no mail here"}, False),  # the way there, not this message
        ({"EHLO": "502 no", "HELO": "502 no"}, False),
        ({"MAIL": "451 later"}, False),
        ({"MAIL": "550 not from you"}, True),
        ({"RCPT": "450 greylisted"}, False),
        ({"RCPT": "550 5.1.1 no such user"}, True),
        ({"RCPT": "421 closing"}, False),
        ({"DATA": "451 not now"}, False),
        ({"DATA": "554 never"}, True),
        ({"BODY": "452 full"}, False),
        ({"BODY": "552 5.3.4 too big"}, True),
        ({"BODY": "554 5.7.1 spam"}, True),
    ],
)
def test_what_a_server_refuses_is_permanent_or_for_now(answers: dict[str, str], permanent: bool) -> None:
    with SmtpServer(answers) as server:
        error = failure(channel(server.port))
        assert error.permanent is permanent
        said = list(answers.values())[-1]
        assert said.split(" ", 1)[0] in str(error)
        assert server.mails == []


@pytest.mark.parametrize(
    "answers",
    [
        {"GREETING": "CLOSE"},
        {"EHLO": "CLOSE"},
        {"MAIL": "CLOSE"},
        {"RCPT": "CLOSE"},
        {"DATA": "CLOSE"},
        {"MIDDLE": "CLOSE"},
        {"BODY": "CLOSE"},
        {"BODY": "CLOSE AFTER TAKING"},
    ],
)
def test_a_server_that_hangs_up_is_tried_again(answers: dict[str, str]) -> None:
    with SmtpServer(answers) as server:
        assert not failure(channel(server.port)).permanent


@pytest.mark.parametrize("verb", ["GREETING", "MAIL", "BODY"])
def test_a_server_that_says_nothing_is_left_in_time(verb: str) -> None:
    with SmtpServer({verb: "HANG"}) as server:
        began = time.monotonic()
        error = failure(channel(server.port, timeout_seconds=0.3))
        assert "no answer within 0.3 s" in str(error)
        assert not error.permanent
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("verb", ["GREETING", "MAIL"])
def test_a_server_that_drips_is_left_at_the_deadline(verb: str) -> None:
    with SmtpServer({verb: "DRIP"}) as server:
        began = time.monotonic()
        error = failure(channel(server.port, timeout_seconds=5.0, deadline_seconds=0.5))
        assert "not done within 0.5 s" in str(error)
        assert time.monotonic() - began < 2


def test_a_port_that_does_not_speak_tls_is_told_so() -> None:
    with SmtpServer({"GREETING": "DRIP"}) as server:
        assert not failure(channel(server.port, security="tls", deadline_seconds=0.5)).permanent


def test_a_rude_good_bye_does_not_undo_what_was_taken() -> None:
    for answer in ("CLOSE", "500 what?"):
        with SmtpServer({"QUIT": answer}) as server:
            send(channel(server.port))
            assert len(server.mails) == 1


# -------------------------------------------------------------------------------------------------------- recipients


def test_nobody_gets_a_mail_while_one_of_many_is_refused_for_now() -> None:
    to = ("a@b.example", "late@b.example")
    with SmtpServer({"late@b.example": "450 greylisted"}) as server:
        assert not failure(channel(server.port, to=to)).permanent
        assert server.mails == []
        send(channel(server.port, to=to), attempts=3)  # patience has an end: the others must hear of it
        assert server.recipients == [["a@b.example"]]


def test_a_recipient_who_does_not_exist_keeps_nobody_else_from_the_mail(caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer({"gone@b.example": "550 no such user"}) as server, caplog.at_level(logging.ERROR):
        send(channel(server.port, to=("gone@b.example", "a@b.example")))
        assert server.recipients == [["a@b.example"]]
    assert "gone@b.example" in caplog.text


def test_a_password_that_smtp_cannot_carry_is_a_channels_error_that_does_not_tell_it(cert: tuple[Path, Path]) -> None:
    with SmtpServer(cert=cert, accepts=("koc", PASSWORD)) as server:
        error = failure(channel(server.port, security="starttls", ca_file=str(cert[0]), user="koc", password="密"))
    assert "ASCII" in str(error)
    assert "密" not in str(error)
    assert "5bc6" not in str(error)
    assert not error.permanent


@pytest.mark.parametrize("host", ["a..b", "例..com", "a" * 64 + ".example"])
def test_a_host_that_no_name_server_would_know_is_a_channels_error(host: str) -> None:
    assert "no host name" in str(failure(channel(25, host=host)))


def test_dots_at_the_start_of_lines_survive() -> None:
    with SmtpServer() as server:
        send(channel(server.port))
        assert read(server.mails[0]).as_bytes(policy=SMTP).endswith(b"--\r\n")


# ------------------------------------------------------------------------------------------------------ construction


@pytest.mark.parametrize(
    "text", ["", "nobody", "a@b\r\nBcc: c@d.e", "a b@c.d", "x <a@b", "<>", "用户@例子.cn", "a@@b", ".@b.c", "a@b@c"]
)
def test_what_is_no_address_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        address_of(text)
    with pytest.raises(ValueError, match="no e-mail address"):
        channel(25, to=(text,))


def test_a_channel_needs_somebody_to_write_to() -> None:
    with pytest.raises(ValueError, match="names nobody"):
        channel(25, to=())


def test_an_address_may_have_a_chinese_name() -> None:
    assert address_of('"王 敏" <wang@b.example>').display_name == "王 敏"
    assert address_of("wang@[127.0.0.1]").domain == "[127.0.0.1]"


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_every_kind_of_signal_arrives_with_its_words_and_chart(receiver: MailReceiver, kind: str) -> None:
    one = signal_view(kind)
    send(channel(receiver.port), one)
    (path,) = receiver.files
    mail = read(path.read_bytes())
    story = story_of(one)
    assert mail["Subject"] == f"【{story.badge}·{story.severity}】星澜｜{story.name}：{story.headline}"
    assert mail["X-KOC-Alert-Key"] == one.alert.key
    text = mail.get_body(("plain",))
    assert text is not None
    assert story.headline in text.get_content()
    assert one.quotes[0].text[:10] in text.get_content()
    assert [part.get_content_type() for part in mail.walk()].count("image/png") == 1
