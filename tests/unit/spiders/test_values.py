"""Times, counts and HTML as platforms write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.values import clean, cleaned, count_of, link_of, text_of, tidy, time_of

CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 7, 4, 30, 20, tzinfo=UTC)  # 12:30:20 in China


def read(value: object) -> str:
    found = time_of(value, now=NOW, zone=CHINA)
    return found.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if found else "-"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("刚刚", "2026-03-07 12:30:20"),
        ("剛剛", "2026-03-07 12:30:20"),
        ("30秒前", "2026-03-07 12:29:50"),
        ("5分钟前", "2026-03-07 12:25:20"),
        ("5 分鐘前", "2026-03-07 12:25:20"),
        ("半小时前", "2026-03-07 12:00:20"),
        ("3小时前", "2026-03-07 09:30:20"),
        ("3个小时以前", "2026-03-07 09:30:20"),
        ("2天前", "2026-03-05 12:30:20"),
        ("1周前", "2026-02-28 12:30:20"),
        ("今天 12:00", "2026-03-07 12:00:00"),
        ("今天12:00:09", "2026-03-07 12:00:09"),
        ("昨天 23:59", "2026-03-06 23:59:00"),
        ("昨天", "2026-03-06 00:00:00"),
        ("前天 08:00", "2026-03-05 08:00:00"),
        ("编辑于 昨天 12:00", "2026-03-06 12:00:00"),
        ("03-06", "2026-03-06 00:00:00"),
        ("03-06 18:05", "2026-03-06 18:05:00"),
        ("06-14", "2025-06-14 00:00:00"),
        ("6月14日 08:10", "2025-06-14 08:10:00"),
        ("02-29", "2024-02-29 00:00:00"),
        ("2021-06-08 09:35", "2021-06-08 09:35:00"),
        ("2021-06-08 09:35:04.123", "2021-06-08 09:35:04"),
        ("2021/6/8", "2021-06-08 00:00:00"),
        ("2026年1月2日 01:58", "2026-01-02 01:58:00"),
        ("Tue Jun 08 09:35:04 +0800 2021", "2021-06-08 09:35:04"),
        ("Tue Jun 08 01:35:04 +0000 2021", "2021-06-08 09:35:04"),
        ("Mon Jun 07 20:35:04 -0500 2021", "2021-06-08 09:35:04"),
        ("Tue Jun 08 01:35:04 GMT 2021", "2021-06-08 09:35:04"),
        ("Tue Jun 08 09:35:04 CST 2021", "2021-06-08 09:35:04"),
        ("Tue Jun  8 09:35:04 2021", "2021-06-08 09:35:04"),
        ("Tue, 08 Jun 2021 09:35:04 +0800", "2021-06-08 09:35:04"),
        ("Tue, 08 Jun 2021 01:35:04 GMT", "2021-06-08 09:35:04"),
        ("Tue, 08 Jun 2021 01:35:04 -0000", "2021-06-08 09:35:04"),
        ("2021-06-08T01:35:04Z", "2021-06-08 09:35:04"),
        ("2021-06-08T09:35:04+08:00", "2021-06-08 09:35:04"),
        ("2021-06-08T09:35:04", "2021-06-08 09:35:04"),
        (1623116104, "2021-06-08 09:35:04"),
        (1623116104.5, "2021-06-08 09:35:04"),
        (1623116104000, "2021-06-08 09:35:04"),
        (1623116104000000, "2021-06-08 09:35:04"),
        ("1623116104", "2021-06-08 09:35:04"),
        ("1623116104000", "2021-06-08 09:35:04"),
        (datetime(2021, 6, 8, 9, 35, 4), "2021-06-08 09:35:04"),
    ],
)
def test_a_time_means_what_the_platform_means(written: object, meant: str) -> None:
    assert read(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        None,
        True,
        [],
        "明年见",
        "13-45",
        "02-30",
        "2021-13-01",
        "25:61",
        "今天 25:00",
        "Tue Foo 08 09:35:04 +0800 2021",
        "9999999999999999999",
        10**30,
        -(10**12),
        0,
        "0",
        "1500-01-01",
        "9999-12-31T23:59:59-12:00",
        float("inf"),
        float("nan"),
        "99999999999999天前",
        "Tue, 99 Jun 2021 01:35:04 GMT",
    ],
)
def test_what_is_no_time_is_none(written: object) -> None:
    assert time_of(written, now=NOW, zone=CHINA) is None


@pytest.mark.parametrize("written", ["9" * 400, "9" * 400 + "万", "1" * 310 + ".5", 10**400, float("inf"), float("nan")])
def test_a_count_beyond_all_counts_is_none(written: object) -> None:
    assert count_of(written) is None


def test_a_day_without_a_year_lies_behind_us_in_january_too() -> None:
    new_year = datetime(2026, 1, 1, 0, 30, tzinfo=CHINA)
    assert time_of("12-31 23:50", now=new_year, zone=CHINA) == datetime(2025, 12, 31, 23, 50, tzinfo=CHINA)
    assert time_of("昨天 23:50", now=new_year, zone=CHINA) == datetime(2025, 12, 31, 23, 50, tzinfo=CHINA)


@given(st.datetimes(min_value=datetime(1991, 1, 1), max_value=datetime(2099, 1, 1)))
def test_every_full_form_of_an_instant_is_read_as_that_instant(naive: datetime) -> None:
    at = naive.replace(microsecond=0, tzinfo=UTC)
    local = at.astimezone(CHINA)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    weibo = f"{days[local.weekday()]} {months[local.month - 1]} {local:%d %H:%M:%S %z %Y}"
    stamp = int(at.timestamp())
    forms: list[object] = [at.isoformat(), local.isoformat(), format_datetime(local), weibo, f"{local:%Y-%m-%d %H:%M:%S}"]
    forms += [stamp, str(stamp)] if stamp >= 10**9 else []
    assert {time_of(form, now=NOW, zone=CHINA) for form in forms} == {at}


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_times(text: str) -> None:
    found = time_of(text, now=NOW, zone=CHINA)
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("shown", "count"),
    [
        (0, 0),
        (17, 17),
        (17.9, 17),
        ("17", 17),
        ("1.2万", 12_000),
        ("1.2萬+", 12_000),
        ("100万+", 1_000_000),
        ("3亿", 300_000_000),
        ("1億", 10**8),
        ("2千", 2_000),
        ("1.5k", 1_500),
        ("1.5W", 15_000),
        ("1,234", 1_234),
        ("1，234", 1_234),
        (" 9 ", 9),
        ("999+", 999),
        ("", None),
        ("赞", None),
        ("万", None),
        ("-3", None),
        (-3, None),
        (True, None),
        (None, None),
        ([], None),
        (2**60, None),
        (float("nan"), None),
        (1e300, None),
        ("99999999999亿", None),
    ],
)
def test_a_count_is_how_many_or_none(shown: object, count: int | None) -> None:
    assert count_of(shown) == count


def test_html_becomes_what_a_reader_sees() -> None:
    html = (
        "<p>第一段&nbsp; 很好</p><p>第二段<br>换行</p><script>var x = 1</script><style>p{}</style>"
        '<img alt="[doge]" src=a><img alt="😀" src=b><img alt="产品图" src=c><ul><li>一</li><li>二</li></ul>5 &lt; 6'
    )
    assert text_of(html) == "第一段 很好\n第二段\n换行\n[doge]😀\n一\n二\n5 < 6"


@pytest.mark.parametrize(
    "html", ["<", "a < b", "<<p>>", "<p", "&", "&#x;", "&#99999999;", "</script>x", "<!-- x", "<![CDATA[x"]
)
def test_broken_html_breaks_nothing(html: str) -> None:
    assert isinstance(text_of(html), str)


@given(st.text())
def test_a_text_from_html_can_always_be_stored(text: str) -> None:
    found = text_of(text)
    assert "\x00" not in found
    found.encode()
    assert tidy(found) == found


def test_half_surrogates_are_replaced_and_whole_ones_joined() -> None:
    assert clean("a\ud83db") == "a�b"
    assert clean("\ud83d\ude00") == "😀"
    assert cleaned({"a\ud83d": ["\ud83d\ude00", 1, None]}) == {"a�": ["😀", 1, None]}


@pytest.mark.parametrize(
    "bad", ["javascript:alert(1)", "data:text/html,x", "", None, 5, "http://[", "file:///etc/passwd", "mailto:a@b"]
)
def test_only_web_addresses_are_links(bad: object) -> None:
    assert link_of(bad) == ""
