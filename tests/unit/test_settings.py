"""listener.toml and the environment: what is read, and what is said of mistakes."""

from __future__ import annotations

import pickle
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError, Problem, meant
from config.lines import line_of, lines_of
from config.settings import Settings, parse
from config.values import Secret, cron_of, duration_of, revealed

FOLDER = Path("/srv/listener")
SIGNING = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


def read(text="", environ=None, platforms=None) -> Settings:
    return parse(dedent(text), FOLDER, environ or {}, platforms)


def mistakes_of(text="", environ=None, platforms=None) -> list[Problem]:
    with pytest.raises(ConfigError) as refused:
        read(text, environ, platforms)
    return list(refused.value.problems)


def mistake_of(text="", environ=None, platforms=None) -> Problem:
    found = mistakes_of(text, environ, platforms)
    assert len(found) == 1, found
    return found[0]


# ------------------------------------------------------------------------------------------------------ what is read


def test_nothing_at_all_is_a_configuration_that_works():
    settings = read()
    assert (settings.brands, settings.sources, settings.channels) == ((), (), ())
    assert settings.listener.timezone == "Asia/Shanghai"
    assert settings.listener.database == "sqlite:////srv/listener/listener.db"
    assert settings.privacy.key_file == FOLDER / "listener.key"
    assert settings.rules.deliver_within == timedelta(days=14)


def test_a_brand_is_read_whole():
    brand = read("""
        [[brands]]
        name = "星澜"
        aliases = ["XL"]
        accounts = ["Weibo:123", "bilibili:7"]
        [[brands.rivals]]
        name = "墨羽"
        products = ["护发素"]
    """).brands[0]
    assert (brand.name, brand.aliases, brand.accounts) == ("星澜", ("XL",), (("weibo", "123"), ("bilibili", "7")))
    assert [(rival.name, rival.products) for rival in brand.rivals] == [("墨羽", ("护发素",))]


def test_a_rival_may_be_no_more_than_a_name():
    assert [r.name for r in read('[[brands]]\nname = "a"\nrivals = ["b", {name = "c"}]').brands[0].rivals] == ["b", "c"]


def test_a_source_is_read_whole():
    source = read("""
        [[sources]]
        name = "微博"
        platform = "weibo"
        every = "1h30m"
        accounts = "roster"
        queries = ["星澜"]
        [[sources]]
        name = "ids"
        platform = "weibo"
        cron = "0 8 * * 1-5"
        accounts = [1234567890, "7"]
    """).sources
    assert source[0].every == timedelta(minutes=90)
    assert source[0].accounts == "roster"
    assert source[1].accounts == ("1234567890", "7")
    assert source[1].cron == "0 8 * * mon,tue,wed,thu,fri"


def test_a_relative_path_begins_at_the_folder_of_the_file_and_an_absolute_one_stays():
    settings = read('[privacy]\nkey_file = "/etc/koc.key"\n[listener]\ndatabase = "sqlite:///data/a.db"')
    assert settings.privacy.key_file == Path("/etc/koc.key")
    assert settings.listener.database == "sqlite:////srv/listener/data/a.db"
    assert read('[listener]\ndatabase = "sqlite:////var/a.db"').listener.database == "sqlite:////var/a.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_named_by_address(scheme):
    assert read(f'[listener]\ndatabase = "{scheme}://me@db/koc"').listener.database == "postgresql://me@db/koc"


# ----------------------------------------------------------------------------------------------------- environment


def test_the_environment_comes_before_the_file():
    settings = read(
        '[listener]\ntimezone = "UTC"\n[rules]\nmin_mentions = 5',
        {
            "LISTENER_TIMEZONE": "Asia/Tokyo",
            "LISTENER_DATABASE": "postgresql://me:secret@db/koc",
            "LISTENER_RULES_MIN_MENTIONS": "7",
            "LISTENER_RULES_DELIVER_WITHIN": "3d",
            "LISTENER_PRIVACY_KEY_FILE": "other.key",
            "LISTENER_ENGINE_WORKERS": "2",
            "PATH": "/bin",
        },
    )
    assert settings.listener.timezone == "Asia/Tokyo"
    assert settings.listener.database == "postgresql://me:secret@db/koc"
    assert (settings.rules.min_mentions, settings.rules.deliver_within) == (7, timedelta(days=3))
    assert settings.privacy.key_file == FOLDER / "other.key"
    assert settings.engine.workers == 2


SOURCE = '[[sources]]\nname = "微博 main-1"\nplatform = "weibo"\nevery = "1h"\nurls = ["http://a/"]\n'


OPTIONS = f"""{SOURCE}
[sources.options]
limit = 5
client_secret_env = "APP_SECRET"
[sources.options.topics]
item = "li"
"""


def test_a_secret_of_a_sources_options_comes_from_the_environment():
    options = read(OPTIONS, {"APP_SECRET": "s3cret"}).sources[0].options
    assert "s3cret" not in repr(options)
    assert revealed(options) == {"limit": 5, "client_secret": "s3cret", "topics": {"item": "li"}}


def test_a_secret_of_options_that_is_not_there_is_told_where_it_is_needed():
    settings = read(OPTIONS)
    assert [one.key for one in settings.missing_secrets] == ["sources[0].options.client_secret_env"]
    with pytest.raises(ConfigError, match="APP_SECRET"):
        revealed(settings.sources[0].options)


def test_options_must_be_a_table_and_may_come_from_the_environment():
    assert mistake_of(SOURCE + "options = 3\n").key == "sources[0].options"
    assert read(SOURCE, {"LISTENER_SOURCES_1_OPTIONS": "{limit = 3}"}).sources[0].options == {"limit": 3}


def test_a_proxy_is_shown_to_nobody_and_must_be_an_address():
    (source,) = read(SOURCE + 'proxy = "http://me:s3cret@proxy.example:3128"\n').sources
    assert "s3cret" not in repr(source)
    assert source.proxy.reveal() == "http://me:s3cret@proxy.example:3128"
    assert mistake_of(SOURCE + 'proxy = "proxy"\n').key == "sources[0].proxy"


def test_sources_are_reached_by_name_and_by_number():
    assert read(SOURCE, {"LISTENER_SOURCES_MAIN_1_ENABLED": "false"}).sources[0].enabled is False
    assert read(SOURCE, {"LISTENER_SOURCES_1_QUERIES": "a, b,"}).sources[0].queries == ("a", "b")
    assert read(SOURCE, {"LISTENER_SOURCES_1_QUERIES": '["a, b"]'}).sources[0].queries == ("a, b",)
    assert read(SOURCE, {"LISTENER_SOURCES_1_ACCOUNTS": "roster"}).sources[0].accounts == "roster"
    assert read(SOURCE, {"LISTENER_SOURCES_1_DELAY_SECONDS": "2.5"}).sources[0].delay_seconds == 2.5


def test_a_variable_nobody_knows_is_a_mistake_with_its_name():
    mistake = mistake_of("", {"LISTENER_DATABSE": "x"})
    assert (mistake.line, mistake.key) == (None, "LISTENER_DATABSE")
    assert "LISTENER_DATABASE" in mistake.message


def test_a_variable_far_from_any_setting_points_to_the_example():
    assert "listener.example.toml" in mistake_of("", {"LISTENER_QQQQQQQQQQQQ": "x"}).message


def test_variables_of_the_program_and_of_kubernetes_are_no_settings():
    read("", {"LISTENER_CONFIG": "x", "LISTENER_SERVICE_HOST": "10.0.0.1", "LISTENER_PORT_80_TCP": "x", "LISTENER_PORT": "x"})


def test_a_mistake_in_a_variable_is_blamed_on_the_variable():
    mistake = mistake_of(SOURCE, {"LISTENER_SOURCES_1_RETRIES": "many"})
    assert (mistake.line, mistake.key) == (None, "LISTENER_SOURCES_1_RETRIES")


# --------------------------------------------------------------------------------------------------------- secrets

MAIL = """
[[channels]]
name = "mail"
type = "email"
host = "smtp.example.com"
sender = "听音 <a@example.com>"
to = ["b@example.com"]
user = "a"
"""
HOOK = '[[channels]]\nname = "hook"\ntype = "webhook"\nurl = "https://hooks.example/t0ken"\nsecret_env = "HOOK"\n'


def test_a_secret_comes_from_a_variable_and_is_never_printed():
    settings = read(MAIL + 'password_env = "SMTP"', {"SMTP": "hunter2"})
    assert settings.channels[0].password.reveal() == "hunter2"
    assert "hunter2" not in repr(settings) + str(settings.channels[0].password)
    assert settings.missing_secrets == ()


def test_the_database_and_the_address_of_a_webhook_are_never_printed():
    settings = read(HOOK, {"HOOK": SIGNING, "LISTENER_DATABASE": "postgresql://me:hunter2@db/koc"})
    assert settings.channels[0].url.reveal() == "https://hooks.example/t0ken"
    assert settings.channels[0].secret.reveal() == SIGNING
    assert not {"hunter2", "t0ken", SIGNING} & set(repr(settings).replace("'", " ").split())
    assert "hunter2" not in repr(settings)
    assert "t0ken" not in repr(settings)


def test_a_secret_may_be_set_by_the_channels_own_variable():
    settings = read(MAIL, {"LISTENER_CHANNELS_MAIL_PASSWORD": "hunter2"})
    assert settings.channels[0].password.reveal() == "hunter2"
    assert read(MAIL + 'password_env = "SMTP"', {"LISTENER_CHANNELS_MAIL_PASSWORD": "x"}).channels[0].password.reveal() == "x"


def test_a_variable_that_the_file_names_is_no_unknown_setting():
    assert read(MAIL + 'password_env = "LISTENER_SMTP"', {"LISTENER_SMTP": "x"}).channels[0].password.reveal() == "x"


def test_a_secret_that_is_not_there_is_a_mistake_where_it_is_needed():
    settings = read(MAIL + 'password_env = "SMTP"')
    assert [(p.line, p.key) for p in settings.missing_secrets] == [(9, "channels[0].password_env")]
    assert "SMTP" in settings.missing_secrets[0].message
    with pytest.raises(ConfigError, match="SMTP"):
        settings.channels[0].password.reveal()
    assert read(MAIL + 'password_env = "SMTP"\nenabled = false').missing_secrets == ()


def test_a_secret_in_the_file_is_refused_and_not_repeated():
    mistake = mistake_of(MAIL + 'password = "hunter2"')
    assert (mistake.line, mistake.key) == (9, "channels[0].password")
    assert "hunter2" not in str(mistake)
    assert "LISTENER_CHANNELS_MAIL_PASSWORD" in mistake.message


@pytest.mark.parametrize("value", ['""', "5"])
def test_the_name_of_a_variable_must_be_text(value):
    assert mistake_of(MAIL + f"password_env = {value}").key == "channels[0].password_env"


def test_a_secret_has_one_place():
    assert "password_env, password_file" in mistake_of(MAIL + 'password_env = "A"\npassword_file = "b"').message


def test_a_password_in_the_databases_address_is_refused_in_the_file():
    mistake = mistake_of('[listener]\ndatabase = "postgresql://me:hunter2@db/koc"')
    assert (mistake.line, mistake.key) == (2, "listener.database")
    assert "hunter2" not in str(mistake)


def test_the_databases_address_is_needed_at_once():
    assert mistake_of('[listener]\ndatabase_env = "DB"').key == "listener.database_env"
    assert read('[listener]\ndatabase_env = "DB"', {"DB": "postgresql://a:b@c/d"}).listener.database == "postgresql://a:b@c/d"


def test_a_secret_travels_to_another_process():
    secret = pickle.loads(pickle.dumps(Secret("x")))
    assert secret == Secret("x")
    assert hash(secret) == hash(Secret("x"))
    assert secret != "x"
    assert (bool(Secret()), repr(Secret()), repr(secret)) == (False, "-", "***")


# --------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("value", ["[1]", "{a = 1}"])
def test_a_type_or_a_name_that_is_a_list_or_a_table_is_a_mistake_among_others(value):
    found = mistakes_of(f"""\
        [[channels]]
        name = "a"
        type = {value}
        [[brands]]
        name = {value}
        [[sources]]
        platform = "weibo2"
    """)
    assert {problem.line for problem in found} >= {3, 5}, found


def test_every_mistake_is_told_at_once_with_its_line():
    found = mistakes_of(
        """\
        [listener]
        timezone = "Asia/Shanghia"
        databse = "x"
        database = "mysql://x"
        [rules]
        min_mentions = "3"
        deliver_within = "14 days"
        [[brands]]
        name = "星澜"
        rivals = [{name="墨羽", product=["x"]}]
        [[brands]]
        name = "星澜"
        aliases = "xl"
        [[sources]]
        platform = "weibo2"
        cron = "61 * * * *"
        about = "星蓝"
        [[channels]]
        name = "h"
        type = "webhok"
        [[channels]]
        name = "i"
        [privcy]
        """,
        platforms=["weibo", "feed"],
    )
    assert [(p.line, p.key) for p in found] == [
        (2, "listener.timezone"),
        (3, "listener.databse"),
        (4, "listener.database"),
        (6, "rules.min_mentions"),
        (7, "rules.deliver_within"),
        (10, "brands[0].rivals[0].product"),
        (12, "brands[1].name"),
        (13, "brands[1].aliases"),
        (14, "sources[0]"),
        (14, "sources[0].name"),
        (15, "sources[0].platform"),
        (16, "sources[0].cron"),
        (17, "sources[0].about"),
        (20, "channels[0].type"),
        (21, "channels[1].type"),
        (23, "privcy"),
    ]
    told = "\n".join(map(str, found))
    for way_out in ("Asia/Shanghai", "database?", "products?", "did you mean weibo?", "webhook?", "privacy?"):
        assert way_out in told


def test_text_that_is_no_toml_is_told_with_its_line():
    mistake = mistake_of('[listener]\ntimezone = "UTC"\nlanguage = ')
    assert mistake.line == 3
    assert "TOML" in mistake.message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("listener = 5", "listener"),
        ("[brands]\nname = 'a'", "brands"),
        ("brands = ['a']", "brands"),
        ("[listener]\ndatabase = 5", "listener.database"),
        ("[listener]\ntimezone = 5", "listener.timezone"),
        ("[listener]\ntimezone = ''", "listener.timezone"),
        ("[listener]\ntimezone = '../x'", "listener.timezone"),
        ("[listener]\nlanguage = 'zh'", "listener.language"),
        ("[listener]\ncase_url = 'ftp://x'", "listener.case_url"),
        ("[listener]\ndatabase = 'listener.db'", "listener.database"),
        ("[rules]\nfalse_alarms_red = 0", "rules.false_alarms_red"),
        ("[rules]\nfalse_alarms_red = 'x'", "rules.false_alarms_red"),
        ("[rules]\ndeliver_within = '0d'", "rules.deliver_within"),
        ("[rules]\ndeliver_within = '20000d'", "rules.deliver_within"),
        ("[rules]\nmin_mentions = 2.5", "rules.min_mentions"),
        ("[privacy]\ntext_days = 5", "privacy.text_days"),
        ("[privacy]\nraw_days_strangers = 1000000", "privacy.raw_days_strangers"),
        ("[privacy]\nkey_file = 5", "privacy.key_file"),
        ("[schedule]\nupkeep = '* *'", "schedule.upkeep"),
        ("[schedule]\nupkeep = '0 0 * * 5-1'", "schedule.upkeep"),
        ("[engine]\nworkers = true", "engine.workers"),
        ("[[brands]]\nname = ' a'", "brands[0].name"),
        ("[[brands]]\nname = 'a'\naccounts = ['123']", "brands[0].accounts[0]"),
        ("[[brands]]\nname = 'a'\naccounts = [[1]]", "brands[0].accounts[0]"),
        ("[[brands]]\nname = 'a'\nrivals = 'b'", "brands[0].rivals"),
        ("[[brands]]\nname = 'a'\naliases = 5", "brands[0].aliases"),
        ("[[brands]]\nname = 'a'\naliases = [true]", "brands[0].aliases[0]"),
        (SOURCE + "cron = '0 8 * * *'", "sources[0].cron"),
        (SOURCE.replace('every = "1h"\n', ""), "sources[0].name"),
        (SOURCE.replace('urls = ["http://a/"]\n', ""), "sources[0]"),
        (SOURCE + "accounts = 'everyone'", "sources[0].accounts"),
        (SOURCE + "accounts = ['']", "sources[0].accounts[0]"),
        (SOURCE + "enabled = 'no way'", "sources[0].enabled"),
        (SOURCE + "base_url = 'x'", "sources[0].base_url"),
        (SOURCE + "about = '白露'", "sources[0].about"),
        (SOURCE + SOURCE, "sources[1].name"),
        (MAIL + "password_env = 'P'\nport = 0", "channels[0].port"),
        (MAIL, "channels[0]"),
        (MAIL.replace('user = "a"\n', 'password_env = "P"\n'), "channels[0]"),
        (MAIL.replace("b@example.com", "b"), "channels[0].to[0]"),
        (MAIL.replace("a@example.com", "a"), "channels[0].sender"),
        (MAIL.replace("a@example.com", "a@例子.cn"), "channels[0].sender"),
        (MAIL.replace("b@example.com", "a..b@b.cn"), "channels[0].to[0]"),
        (MAIL.replace("smtp.example.com", "smtp..example.com"), "channels[0].host"),
        (MAIL.replace('"a"', '"用户"') + "password_env = 'P'", "channels[0].user"),
        (MAIL + "password_env = 'Q'", "channels[0].password"),
        (HOOK.replace("hooks.example", "h:99999"), "channels[0].url"),
        (HOOK.replace("hooks.example", "[::1"), "channels[0].url"),
        (SOURCE + "base_url = 'https://例..com/'", "sources[0].base_url"),
        ("[listener]\ncase_url = 'https://:80/{key}'", "listener.case_url"),
        ("[listener]\ncase_url = 'https://desk.example/{case}'", "listener.case_url"),
        ('[[brands]]\nname = "a\\u001b[31m"', "brands[0].name"),
        (HOOK.replace("https:", "ftp:"), "channels[0].url"),
        (HOOK.replace('secret_env = "HOOK"\n', ""), "channels[0].secret"),
    ],
)
def test_a_mistake_is_told_by_its_key(text, key):
    told = [p for p in mistakes_of(text, {"P": "x", "Q": "geheim密", "HOOK": SIGNING}) if p.key == key]
    assert told
    assert told[0].line
    assert " / " in told[0].message
    assert "geheim" not in str(told)


def test_a_list_that_names_nobody_is_refused():
    assert mistakes_of(MAIL.replace('["b@example.com"]', "[]") + 'password_env = "P"')[0].key == "channels[0].to"


def test_a_password_in_clear_over_the_net_is_refused():
    assert mistake_of(MAIL + 'password_env = "P"\nsecurity = "none"').key == "channels[0].security"


def test_the_key_of_a_case_may_stand_anywhere_in_its_address():
    for address in ("https://desk.example/c/{key}?a={key}", "https://{key}.desk.example/", "https://desk.example/{id}"):
        assert read(f"[listener]\ncase_url = '{address}'").listener.case_url == address


@pytest.mark.parametrize("secret", ["whsec_密", "abc", "whsec_abc", "whsec_!!!", "whsec_" + "QUJD"])
def test_a_signing_secret_of_another_shape_is_refused(secret):
    mistake = mistake_of(HOOK, {"HOOK": secret})
    assert mistake.key == "channels[0].secret"
    assert secret not in str(mistake)


def test_a_platform_is_only_checked_where_the_spiders_are_known():
    assert read(SOURCE.replace("weibo", "elsewhere")).sources[0].platform == "elsewhere"


def test_a_config_error_reads_like_a_list():
    error = ConfigError([Problem(7, "b", "two"), Problem(None, "", "one")], "x.toml")
    assert str(error).splitlines()[1:] == ["one", "第 7 行 / line 7: b: two"]
    assert "x.toml" in str(error)
    assert str(ConfigError([Problem(None, "k", "m")])) == "k: m"


def test_what_was_meant_is_found_whatever_the_case():
    assert "did you mean Weibo?" in meant("WEIBO", ["Weibo"])
    assert meant("x", []).endswith("—")


# ----------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("2w", 1209600), (" 1d 1h ", 90000)]
)
def test_a_duration_is_read(text, seconds):
    assert duration_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 minutes", "5m!", 5, None])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        duration_of(text)


@pytest.mark.parametrize(
    ("line", "days"),
    [("0", "sun"), ("7", "sun"), ("1-5", "mon,tue,wed,thu,fri"), ("0-6/3", "sun,wed,sat"), ("mon-fri", "mon,tue,wed,thu,fri"),
     ("*", "*"), ("6,0", "sat,sun"), ("5-7", "fri,sat,sun"), ("5/1", "fri,sat"), ("*/2", "sun,tue,thu,sat"),
     ("*/3", "sun,wed,sat"), ("*/7", "sun"), ("MON-fri/2", "mon,wed,fri"), ("sun-tue", "sun,mon,tue"),
     ("fri-sun", "fri,sat,sun"), ("1,*/3", "mon,sun,wed,sat"), ("sat,6", "sat"), ("0-7", "sun,mon,tue,wed,thu,fri,sat")],
)  # fmt: skip
def test_days_of_the_week_are_those_of_crontab(line, days):
    assert cron_of(f"0 8 * * {line}") == f"0 8 * * {days}"


@pytest.mark.parametrize("days", ["8", "00", "1-", "-1", "*-3", "1-5/0", "1-5/8", "sat-mon", "5-1", "mon,", "monday", "?", "l"])
def test_what_is_no_day_of_the_week_is_refused(days):
    with pytest.raises(ValueError, match=r" / .*(day|range)"):
        cron_of(f"0 8 * * {days}")


@given(st.sets(st.integers(0, 6), min_size=1), st.integers(0, 2000))
def test_a_cron_line_fires_on_the_days_that_it_numbers(days, hour):
    line = cron_of(f"0 8 * * {','.join(map(str, sorted(days)))}")
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    fires = CronTrigger.from_crontab(line, timezone="UTC").get_next_fire_time(None, after)
    assert fires.isoweekday() % 7 in days


@pytest.mark.parametrize("line", ["0 8 1 * 1", "0 8 1-7 * mon", "0 8 last * 0-6"])
def test_days_of_month_and_week_together_are_refused_as_crontab_means_either(line):
    with pytest.raises(ValueError, match="crontab runs on either"):
        cron_of(line)


@pytest.mark.parametrize("line", ["0 8 1 * *", "0 8 */2 * mon", "0 8 1-7 * */2"])
def test_days_with_a_star_narrow_each_other_as_in_crontab(line):
    assert cron_of(line)


# ------------------------------------------------------------------------------------------------------------ lines


def test_every_key_of_a_toml_text_has_its_line():
    text = '''\
# comment
title = "a # b"
[one.two]
"quoted key" = 'x' # y
dotted.key = """
many
lines"""
list = [
  "first", # [not a table]
  { inner = 1, deep = { x = 2 } },
  [ 3,
    4 ],
]
[[rows]]
name = \'\'\'
[[no]]\'\'\'
[[rows]]
name = "b"
[[rows.inner]]
x = 1
[[rows.inner]]
x = 2
[rows.inner.sub]
y = 3
'''
    tomllib.loads(text)
    lines = lines_of(text)
    assert lines["title",] == 2
    assert lines["one", "two", "quoted key"] == 4
    assert lines["one", "two", "dotted", "key"] == 5
    assert lines["one", "two", "list", 0] == 9
    assert lines["one", "two", "list", 1, "deep", "x"] == 10
    assert lines["one", "two", "list", 2, 1] == 12
    assert (lines["rows", 0, "name"], lines["rows", 1, "name"]) == (15, 18)
    assert lines["rows", 1, "inner", 1, "x"] == 22
    assert lines["rows", 1, "inner", 1, "sub", "y"] == 24
    assert line_of(lines, ("rows", 1, "nothing", "here")) == 17
    assert line_of(lines, ("nowhere",)) is None


_keys = st.text("ab-_é \"'.#\\", min_size=1, max_size=4)
_scalars = st.one_of(st.integers(), st.booleans(), st.text("ab#[]{}=,\"'\\\n", max_size=8))
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(_keys, _values, max_size=4))
def test_the_lines_of_any_toml_are_those_of_its_keys(doc):
    import tomlkit

    text = tomlkit.dumps(doc)
    if tomllib.loads(text) != doc:
        return
    lines = lines_of(text)
    assert {path[0] for path in lines} == set(doc)
    for line in lines.values():
        assert 1 <= line <= text.count("\n") + 1


def test_a_name_that_nobody_has_is_told_whole_in_each_language():
    with pytest.raises(ConfigError) as caught:
        read('[[people]]\nname = "王敏"\nchannels = ["phne"]\n' + HOOK, {"HOOK": "x"})
    assert "没有叫 phne 的渠道；" in str(caught.value)
    assert "/ no channel is called phne; there are: hook" in str(caught.value)
