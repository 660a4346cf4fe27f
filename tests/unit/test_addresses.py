"""Addresses: what the settings take is what the channels can use, so that `listener check` names what would fail later."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.addresses import host_of, mail_of, page_of
from listener.channels.mail import address_of
from listener.channels.webhook import WebhookChannel

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

MAILBOXES = [
    "a@b.cn",
    "听音 <koc@example.com>",
    '"王 敏" <wang@b.example>',
    "wang@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a.b+c@localhost",
    "<a@b.cn>",
    "x_y@sub_1.b.cn",
    "a@xn--fsqu00a.cn",
]
NO_MAILBOXES = [
    "",
    "a",
    "a@",
    "@b.cn",
    "听音 <a@例子.cn>",
    "a..b@b.cn",
    ".a@b.cn",
    "用户@例子.中国",
    "a@b@c.cn",
    "a b@c.cn",
    "a@b\r\nBcc: c@d.e",
    "x <a@b",
    "<>",
    "张三 a@b.cn <",
    "a\x00@b.cn",
]
# The channel would take these, and the server would not.
STRICTER = [
    "a@b..cn",
    "a@-b.cn",
    "a@.cn",
    "a" * 65 + "@b.cn",
    "a@" + "b" * 64 + ".cn",
    '"a b"@c.cn',
    "a@1.2.3.400",
    "a@[1.2.3]",
]

PAGES = [
    "http://a",
    "https://a.b/c?d=e#f",
    "https://u:p@h:8443/例?x={y}",
    "http://[::1]:80/x",
    "http://127.0.0.1:1/",
    "HTTPS://A.B",
    "http://h:/x",
    "http://a_b.local./",
    "https://xn--fsqu00a.cn/",
]
NO_PAGES = [
    "http:///x",
    "http://:80/x",
    "https://[::1/x",
    "https://h:99999/",
    "https://h:x/",
    "https://h:0/",
    "https://例..com/",
    "ftp://a.b",
    "a.b",
    "javascript:alert(1)",
    "http://\x7fa/",
]
STRICTER_PAGES = [
    "http://a..b/",
    "http://a b/",
    "https://例子.cn/",
    "http://-a/",
    "http://1.2.3.4.5/",
    "http://h/\x85",
    "http://[fe80::1%25x]/",
    "http://a\\b/",
    "http://h:８０/",
    "http://" + "a" * 64 + "/",
    "http://h/" + "x" * 2000,
]


def is_taken(take, text: str) -> bool:
    try:
        take(text)
    except ValueError:
        return False
    return True


def hook_of(url: str) -> WebhookChannel:
    return WebhookChannel("hook", url, SECRET)


@pytest.mark.parametrize("text", MAILBOXES)
def test_a_mailbox_is_taken_by_the_settings_and_by_the_channel(text):
    assert mail_of(text) == text
    assert "@" in address_of(text).addr_spec


@pytest.mark.parametrize("text", NO_MAILBOXES)
def test_what_is_no_mailbox_is_refused_by_the_settings_and_by_the_channel(text):
    assert not is_taken(address_of, text)
    with pytest.raises(ValueError, match="不是邮箱地址 / is not a mail address"):
        mail_of(text)


@pytest.mark.parametrize("text", STRICTER)
def test_a_mailbox_that_no_server_would_take_is_refused(text):
    with pytest.raises(ValueError, match=" / is not a mail address"):
        mail_of(text)


@pytest.mark.parametrize("text", PAGES)
def test_a_page_is_taken_by_the_settings_and_by_the_channel(text):
    assert page_of(text) == text
    assert hook_of(text).place.startswith("http")


@pytest.mark.parametrize("text", NO_PAGES)
def test_what_is_no_page_is_refused_by_the_settings_and_by_the_channel(text):
    assert not is_taken(hook_of, text)
    with pytest.raises(ValueError, match=" / "):
        page_of(text)


@pytest.mark.parametrize("text", STRICTER_PAGES)
def test_a_page_that_could_not_be_reached_is_refused_without_telling_its_token(text):
    with pytest.raises(ValueError, match=" / ") as refused:
        page_of(f"{text}?geheim")
    assert "geheim" not in str(refused.value)


def test_no_page_at_all_is_one():
    assert page_of("") == ""


@pytest.mark.parametrize("text", ["smtp.example.com", "localhost", "127.0.0.1", "::1", "mail_1", "a.b."])
def test_a_host_is_taken(text):
    assert host_of(text) == text


@pytest.mark.parametrize(
    "text", ["", " ", "a..b", "a b", "a:25", "[::1]", "例子..cn", "-a", "a" * 254, "1.2.3", "fe80::1%eth0", "\ud800"]
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError, match="不是主机名 / is no host name"):
        host_of(text)


def test_a_name_beyond_ascii_is_told_how_to_be_written():
    for take, text in ((host_of, "例子.cn"), (page_of, "https://例子.cn/x"), (mail_of, "a@例子.cn")):
        with pytest.raises(ValueError, match=r"write: xn--fsqu00a\.cn"):
            take(text)


_hosts = st.text("ab1.-_:[]%@例x０{}\\ ", max_size=12)


@given(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["http://", "https://", "HTTP://u@", "http:/"]),
        _hosts,
        st.sampled_from(["", "/", ":8", ":99999/", "/?q#f"]),
    )
)
@example("http://10x20x30x40/")
def test_whatever_page_the_settings_take_the_channel_can_be_made_and_named(url):
    if is_taken(page_of, url):
        assert hook_of(url).place
        httpx.Request("POST", url)
        httpx.URL(url).host.encode("idna")  # what looking it up does


@given(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "听音 <", "<", '"a" <', "\t"]),
        st.text('ab1.-_:[]@例<> "\\\r\n', max_size=14),
        st.sampled_from(["", ">"]),
    )
)
def test_whatever_mailbox_the_settings_take_the_channel_takes(text):
    if is_taken(mail_of, text):
        address_of(text).addr_spec.encode("ascii")
