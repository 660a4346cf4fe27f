"""Settings of channels → channels: each type as it is written, and what may be shown there by default."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config import settings as config
from listener.channels.mail import EmailChannel
from listener.channels.robots import RobotChannel
from listener.channels.through_apprise import AppriseChannel
from listener.channels.webhook import WebhookChannel
from listener.outlets import faults_of
from listener.text.discretion import Discretion
from listener.wiring import channel_of, discretion_of

KEY = "whsec_a29jLWxpc3RlbmVyLXRlc3Qtc2VjcmV0LTEyMzQ="
MAIL = 'type = "email"\nhost = "smtp.example.com"\nsender = "a@b.example"\nto = ["c@d.example"]'
HOOK = 'type = "webhook"\nurl = "https://hooks.example/x"\nsecret_env = "KEY"'
ENVIRON = {
    "KEY": KEY,
    "WECOM": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
    "DING": "https://oapi.dingtalk.com/robot/send?access_token=t",
    "FEISHU": "https://open.feishu.cn/open-apis/bot/v2/hook/t",
    "LARK": "https://open.larksuite.com/open-apis/bot/v2/hook/t",
    "SLACK": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "BAD": "nosuch://x",
}


def read(*tables: str, environ: dict[str, str] = ENVIRON) -> config.Settings:
    text = "".join(f'[[channels]]\nname = "c{n}"\n{table}\n' for n, table in enumerate(tables))
    return config.parse(text, Path("/w"), environ)


def made(table: str) -> object:
    (one,) = read(table).channels
    return channel_of(
        one, language="en", timezone="UTC", templates="/t", people=["王敏"], take_slots=lambda *asked: timedelta(0)
    )


@pytest.mark.parametrize(
    ("table", "abroad", "group"),
    [
        (MAIL, False, False),
        (MAIL.replace('["c@d.example"]', '["c@d.example", "e@f.example"]'), False, True),
        (MAIL + "\ngroup = true", False, True),
        (MAIL + "\ndomestic = false", True, False),
        (MAIL + "\ndomestic = false\nquotes_abroad = true", False, False),
        (HOOK, False, True),
        (HOOK + "\ngroup = false", False, False),
        ('type = "wecom"\nurl_env = "WECOM"', False, True),
        ('type = "dingtalk"\nurl_env = "DING"', False, True),
        ('type = "feishu"\nurl_env = "FEISHU"', False, True),
        ('type = "feishu"\nurl_env = "LARK"', True, True),
        ('type = "feishu"\nurl_env = "MISSING"', False, True),
        ('type = "apprise"\nurl_env = "SLACK"', True, True),
        ('type = "apprise"\nurl_env = "SLACK"\ndomestic = true\ngroup = false', False, False),
        ('type = "apprise"\nurl_env = "MISSING"', True, True),
    ],
)
def test_what_may_be_shown_follows_from_the_type_the_address_and_the_settings(table: str, abroad: bool, group: bool) -> None:
    (one,) = read(table).channels
    assert discretion_of(one) == Discretion(is_abroad=abroad, is_group=group)


def test_each_type_makes_its_channel_in_the_language_and_with_the_templates_of_the_workspace() -> None:
    for table, kind in (
        (MAIL, EmailChannel),
        (HOOK, WebhookChannel),
        ('type = "dingtalk"\nurl_env = "DING"\nmentions = { "王敏" = "13800000000" }', RobotChannel),
        ('type = "apprise"\nurl_env = "SLACK"', AppriseChannel),
    ):
        channel = made(table)
        assert isinstance(channel, kind)
        assert (channel.name, channel.language, channel.templates) == ("c0", "en", "/t")  # type: ignore[attr-defined]
        assert channel.discretion.people == {"王敏"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('type = "apprise"\nurl_env = "BAD"', "Apprise knows no service"),
        ('type = "apprise"\nurl_env = "DING"', 'type = "dingtalk"'),
        ('type = "wecom"\nurl_env = "WECOM"\nkeyword = "x"', "neither secret nor keyword"),
    ],
)
def test_check_finds_what_makes_no_channel_and_repeats_no_secret(table: str, words: str) -> None:
    (fault,) = faults_of(read(table))
    assert words in fault.message
    assert not [value for value in ENVIRON.values() if value in fault.message]


@pytest.mark.parametrize(
    "table",
    [
        'type = "wecom"\nurl = "https://qyapi.weixin.qq.com/x"',
        'type = "feishu"\nurl_env = "FEISHU"\nmentions = { "王敏" = "a b" }',
        'type = "feishu"\nurl_env = "BAD"',
        MAIL + '\nunsubscribe = "http://a.example"',
        MAIL + '\nunsubscribe = "mailto:nobody"',
        'type = "dingding"\nurl_env = "DING"',
    ],
)
def test_mistakes_in_the_settings_of_channels_are_told(table: str) -> None:
    with pytest.raises(config.ConfigError):
        read(table)


@pytest.mark.parametrize("where", ["", "mailto:leave@b.example", "https://b.example/leave?x=1"])
def test_digests_may_be_left_by_mail_or_on_a_page(where: str) -> None:
    (one,) = read(f'{MAIL}\nunsubscribe = "{where}"').channels
    assert isinstance(one, config.Email)
    assert one.unsubscribe == where
