"""JSON Lines in, items and bad lines out."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.normalize import normalize_item
from spiders.errors import CollectError
from spiders.files import LONGEST_LINE, BadLine, read_items
from spiders.items import Item, ItemMedia, fault_of

LINE = {"platform": "weibo", "post_id": "1", "author_id": "7", "posted_at": "2026-01-01T08:00:00+08:00", "text": "好用"}


def line(**changed: Any) -> bytes:
    return json.dumps({**LINE, **changed}, ensure_ascii=False).encode()


def read(body: bytes) -> list[Item | BadLine]:
    return list(read_items(io.BytesIO(body)))


def one(body: bytes) -> Item:
    (item,) = read(body)
    assert isinstance(item, Item)
    return item


def bad(body: bytes) -> BadLine:
    (found,) = read(body)
    assert isinstance(found, BadLine)
    return found


def test_a_line_with_every_key_becomes_an_item() -> None:
    whole = line(
        url="https://a.example/1",
        author_name="小鹿",
        seen_at="2026-01-02T00:00:00Z",
        kind="comment",
        parent_id="p",
        root_id="r",
        likes=1,
        comments=2,
        reposts=3,
        views=4,
        media=[{"kind": "image", "url": "https://a.example/1.jpg", "caption": "字", "text": "读"}],
        raw={"x": 1},
    )
    assert one(whole) == Item(
        platform="weibo",
        post_id="1",
        author_id="7",
        posted_at=datetime(2026, 1, 1, tzinfo=UTC),
        text="好用",
        url="https://a.example/1",
        author_name="小鹿",
        seen_at=datetime(2026, 1, 2, tzinfo=UTC),
        kind="comment",
        parent_id="p",
        root_id="r",
        likes=1,
        comments=2,
        reposts=3,
        views=4,
        media=(ItemMedia("image", "https://a.example/1.jpg", "字", "读"),),
        raw={"x": 1},
    )


def test_nulls_mean_left_out() -> None:
    nulls = dict.fromkeys(("url", "author_name", "seen_at", "parent_id", "root_id", "likes", "media", "raw"))
    assert one(line(**nulls, media2=None)).raw is not None
    assert one(line(**nulls)) == one(line())


def test_empty_parents_are_none() -> None:
    assert one(line(parent_id="", root_id="")).parent_id is None


def test_whole_numbers_stand_for_ids_and_floats_for_counts() -> None:
    item = one(line(post_id=5000000000000001, author_id=7, likes=3.0))
    assert (item.post_id, item.author_id, item.likes) == ("5000000000000001", "7", 3)


def test_keys_that_the_format_does_not_know_are_kept_as_evidence() -> None:
    item = one(line(ip="广东", tags=["洗发水"]))
    assert item.raw is not None
    assert item.raw["ip"] == "广东"
    assert item.raw["posted_at"] == "2026-01-01T08:00:00+08:00"
    assert one(line()).raw is None


def test_bom_crlf_and_blank_lines_are_no_matter() -> None:
    found = read(b"\xef\xbb\xbf" + line() + b"\r\n\r\n   \n" + line(post_id="2") + b"\n\n")
    assert [item.post_id for item in found if isinstance(item, Item)] == ["1", "2"]


def test_a_bad_line_is_told_by_its_number_and_stops_nothing() -> None:
    found = read(line() + b"\n\nnope\n" + line(post_id="2"))
    assert [type(part).__name__ for part in found] == ["Item", "BadLine", "Item"]
    assert isinstance(found[1], BadLine)
    assert (found[1].number, found[1].line) == (3, b"nope")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "不是完整的 JSON"),
        (b"[1]", "不是一个 JSON 对象"),
        (b"5", "不是一个 JSON 对象"),
        (b"{\xff\xfe}", "不是完整的 JSON"),
        ('{"text": "中"'.encode("gbk"), "不是完整的 JSON"),
        (b'{"platform": "weibo"}', "缺少 post_id"),
        (line(posted_at="2026-01-01T08:00:00"), "posted_at 没有时区"),
        (line(seen_at="2026-01-01 08:00:00"), "seen_at 没有时区"),
        (line(posted_at="昨天"), "posted_at 不是时间"),
        (line(posted_at="0001-01-01T00:00:00+08:00"), "posted_at 不像发帖的时间"),
        (line(posted_at="2999-01-01T00:00:00Z"), "posted_at 不像发帖的时间"),
        (line(kind="like"), "kind 只能是"),
        (line(likes="很多"), "likes 应是整数"),
        (line(likes=1.5), "likes 应是整数"),
        (line(likes=-1), "likes 不是次数"),
        (line(views=2**60), "views 不是次数"),
        (line(platform=""), "platform 是空的"),
        (line(author_id=" "), "author_id 是空的"),
        (line(text=["x"]), "text 应是文字"),
        (line(media="x"), "media 应是列表"),
        (line(media=[{"url": "x"}]), "缺少 media.0.kind"),
        (line(text=None), "text 应是文字"),
        (line(raw=5), "raw 不对"),
        (line(post_id="1\t2"), "post_id 里有控制字符"),
        (line(post_id="1\u0085" + "2"), "post_id 里有控制字符"),
        (line(author_id="7\0"), "author_id 里有控制字符"),
        (line(platform="wei\nbo"), "platform 里有控制字符"),
        (line(parent_id="1\x1b2"), "parent_id 里有控制字符"),
        (line(root_id="1\x7f2"), "root_id 里有控制字符"),
        (line(post_id="9").replace(b'"9"', rb'"9\ud83d"'), "post_id 里有控制字符"),
        (line(author_id=float("nan")), "author_id 是 NaN"),
        (line(posted_at="1989-12-31T00:00:00Z"), "posted_at 不像发帖的时间"),
        (line(posted_at="9999-12-31T23:59:59-12:00"), "posted_at 不像发帖的时间"),
        (line(posted_at=1e300), "posted_at 不是时间"),
        (line(seen_at=5), "seen_at 不像发帖的时间"),
        (line(reposts=10**400), "reposts 不是次数"),
        (line(raw={"a": 1}).replace(b"1}", b"9" * 5000 + b"}"), "不是完整的 JSON"),
        (line(raw={"a": 1}).replace(b"1}", b"[" * 5000 + b"]" * 5000 + b"}"), "不是完整的 JSON"),
        (line(x=1).replace(b"1}", b'["\\ud83d"' + b",[" * 5000 + b"]" * 5000 + b"]}"), "不是完整的 JSON"),
        (rb'{"text": "\ud83d"', "不是完整的 JSON"),
        (rb'{"text": "\ud83d"}', "缺少 platform"),
    ],
)
def test_each_mistake_has_its_reason(body: bytes, reason: str) -> None:
    found = bad(body)
    assert found.reason.startswith(reason)
    assert " / " in found.reason


def test_half_an_emoji_spoils_no_post() -> None:
    assert one(line(text="x").replace(b'"x"', rb'"a\ud83d"')).text == "a�"
    assert one(line(text="x").replace(b'"x"', rb'"a\u0000b"')).text == "a�b"


def test_gzip_is_known_by_its_first_bytes() -> None:
    body = b"\n".join(line(post_id=str(number)) for number in range(1000))
    assert read(gzip.compress(body)) == read(body)
    two = gzip.compress(body + b"\n") + gzip.compress(line(post_id="x")) + b"\0" * 512
    assert len(read(two)) == 1001


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_gzip_that_breaks_off_gives_what_was_whole_and_one_bad_line(kept: float) -> None:
    lines = [line(post_id=str(number), text=str(hash(str(number)))) for number in range(5000)]
    packed = gzip.compress(b"\n".join(lines))
    found = read(packed[: int(len(packed) * kept)])
    items = [part.post_id for part in found if isinstance(part, Item)]
    assert items == [str(number) for number in range(len(items))]
    assert len(items) > 4000 * kept
    assert isinstance(found[-1], BadLine)
    assert "断了" in found[-1].reason
    assert len(found) == len(items) + 1


def test_a_gzip_that_is_damaged_in_the_middle_gives_what_was_before() -> None:
    lines = [line(post_id=str(number), text=str(hash(str(number)))) for number in range(20000)]
    packed = bytearray(gzip.compress(b"\n".join(lines)))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = b"\xff" * 64
    found = read(bytes(packed))
    assert isinstance(found[0], Item)
    assert sum(isinstance(part, Item) for part in found) > 1000
    assert isinstance(found[-1], BadLine)


def test_a_line_that_is_too_long_is_set_aside_without_filling_the_memory() -> None:
    long = line(text="x" * (LONGEST_LINE + 10))
    found = read(line() + b"\n" + long + b"\n" + line(post_id="2"))
    assert isinstance(found[1], BadLine)
    assert "MiB" in found[1].reason
    assert len(found[1].line) <= 4096
    assert len(found) == 3


def test_a_utf_16_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(CollectError, match="UTF-8"):
        read(line().decode().encode("utf-16"))


def test_an_empty_file_has_no_items() -> None:
    assert read(b"") == []


class _Slow(io.RawIOBase):
    """A stream that gives a byte or two at a time, as a pipe may."""

    def __init__(self, body: bytes, step: int) -> None:
        self._rest, self._step = body, step

    def read(self, size: int = -1) -> bytes:
        given, self._rest = self._rest[: self._step], self._rest[self._step :]
        return given


@pytest.mark.parametrize("step", [1, 2, 7])
def test_a_stream_may_come_in_drops(step: int) -> None:
    body = line() + b"\n" + line(post_id="2") + b"\nnope"
    for sent in (body, gzip.compress(body)):
        found = list(read_items(cast(IO[bytes], _Slow(sent, step))))
        assert [type(part).__name__ for part in found] == ["Item", "Item", "BadLine"]


class _Broken(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise OSError("disk")


def test_a_disk_that_fails_is_no_bad_line() -> None:
    with pytest.raises(CollectError, match="disk"):
        list(read_items(cast(IO[bytes], _Broken())))


@given(st.lists(st.binary(max_size=80)))
def test_no_bytes_stop_the_reader(lines: list[bytes]) -> None:
    body = b"\n".join([line(), *lines, line()])
    found = read(body)
    assert isinstance(found[0], Item)
    assert isinstance(found[-1], Item)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=()), max_size=5),
    st.sampled_from(
        ["\0", "\ud83d", "1\t2", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "NaN", 10**400, -1, " "]
    ),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.lists(st.integers(), max_size=2),
)
NESTED = st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))
KEYS = [*sorted(Item.__dataclass_fields__), "ip", "\ud83d"]


@given(st.dictionaries(st.sampled_from(KEYS), NESTED, max_size=4), st.sampled_from([0, 99, 150, 5000]))
def test_any_line_is_an_item_that_can_become_a_post_or_a_bad_line(changed: dict[str, Any], depth: int) -> None:
    deep = json.dumps({**LINE, **changed, "z": 0}).encode()[:-2] + b"[" * depth + b"0" + b"]" * depth + b"}"
    (found,) = read(line() + b"\n" + deep)[1:]
    if isinstance(found, BadLine):
        assert found.number == 2
        assert " / " in found.reason
    else:
        normalize_item(found, source="导入", key=b"k")


@given(st.sampled_from(["author_id", "author_name", "text"]), ODD)
def test_a_reason_quotes_nothing_that_somebody_wrote_or_is_called(key: str, odd: Any) -> None:
    name = "阿秋7391"
    value = [name, odd] if not isinstance(odd, str) else name + odd
    (found,) = read(json.dumps({**LINE, "likes": -1, key: value}).encode())
    assert isinstance(found, BadLine)
    assert name not in found.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", 5),
        ("post_id", None),
        ("author_id", b"7"),
        ("parent_id", 7),
        ("posted_at", "2026-01-01"),
        ("posted_at", datetime(2026, 1, 1)),
        ("seen_at", 5),
        ("kind", "like"),
        ("likes", "12"),
        ("likes", True),
        ("likes", 1.0),
        ("text", None),
        ("url", 5),
        ("author_name", 5),
        ("media", (ItemMedia("image", None),)),  # type: ignore[arg-type]
    ],
)
def test_a_value_of_another_type_is_a_fault_and_no_exception(field: str, value: Any) -> None:
    fault = fault_of(replace(one(line()), **{field: value}))
    assert fault is not None
    assert fault.startswith(field)


@given(st.text(), st.text(min_size=1), st.integers(0, 2**50))
def test_what_is_written_is_read(text: str, name: str, likes: int) -> None:
    item = one(line(text=text, author_name=name, likes=likes))
    assert (item.text.replace("�", "\x00"), item.likes) == (text.replace("�", "\x00"), likes)
