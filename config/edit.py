"""Changes to listener.toml that keep its comments and all else as it is: a brand, a source, a channel added or replaced."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import TypeAdapter, ValidationError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Table

from config.errors import ConfigError, Problem
from config.reading import key_of, message_of
from config.settings import Brand

EXAMPLE = Path(__file__).with_name("listener.example.toml")
_NESTED = "rivals"


def starter() -> str:
    """A listener.toml that works as it is: the example, its brand, sources and channels commented out.

    >>> "#[[brands]]" in starter() and "\\n[[" not in starter() and "\\n[sources." not in starter()
    True
    """
    lines, is_sample = [], False
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if line.startswith("["):
            is_sample = line.startswith("[[") or (is_sample and "." in line.partition("]")[0])
        is_setting = line and not line.startswith("#")
        lines.append("#" + line if is_sample and is_setting else line)
    return "\n".join(lines) + "\n"


def read_brand(path: Path) -> dict[str, Any]:
    """The brand in a JSON file, checked; ConfigError names every mistake in it."""
    try:
        brand = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError([Problem(None, "", f"读不了 / can't be read: {error.strerror}")], path) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(None, "", "不是 UTF-8 编码 / is not UTF-8")], path) from error
    except json.JSONDecodeError as error:
        raise ConfigError([Problem(error.lineno, "", f"不是正确的 JSON / is not valid JSON: {error.msg}")], path) from error
    if not isinstance(brand, dict):
        raise ConfigError([Problem(None, "", '应为对象 / must be an object: {"name": …}')], path)
    try:
        TypeAdapter(Brand).validate_python(brand)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        raise ConfigError([Problem(None, key_of(m["loc"]), message_of(m, Brand)) for m in mistakes], path) from error
    return brand


def put_brand(path: Path, brand: Mapping[str, Any]) -> bool:
    """Add a brand, or replace the one of its name; whether it was new. Keys that ``brand`` leaves out stay as they are."""
    return _put(path, "brands", brand)


def put_source(path: Path, source: Mapping[str, Any]) -> bool:
    """Add a source, or replace the keys of the one of its name; whether it was new."""
    return _put(path, "sources", source)


def put_channel(path: Path, channel: Mapping[str, Any]) -> bool:
    """Add a channel, or replace the keys of the one of its name; whether it was new."""
    return _put(path, "channels", channel)


def put_section(path: Path, section: str, values: Mapping[str, Any]) -> None:
    """Set keys of a section, such as ``privacy``; a key that stands there as a comment is set in its place."""

    def change(text: str) -> str:
        left = dict(values)
        lines, inside = [], False
        for line in text.splitlines(keepends=True):
            if line.startswith("["):
                inside = line.split("#")[0].strip() == f"[{section}]"
            key = re.match(r"#(\w+) = ", line) if inside else None
            if key and key[1] in left:
                value = tomlkit.item(left.pop(key[1])).as_string()
                line = f"{key[1]} = {value}{_comment_of(line, key.end())}"
            lines.append(line)
        doc = tomlkit.parse("".join(lines))
        if section not in doc:
            doc.add(section, tomlkit.table())
        table = doc[section]
        assert isinstance(table, Table)
        _fill(table, left)
        return tomlkit.dumps(doc)

    _edit(path, change)


def _comment_of(line: str, at: int) -> str:
    """What follows the value of a commented setting, its line end included.

    >>> _comment_of('#workers = 1     # processes\\n', 11)
    '     # processes\\n'
    """
    match = re.compile(r"""(?:"[^"]*"|\[[^\]]*\]|[^\s#]+)""").match(line, at)
    return line[match.end() :] if match else "\n"


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file at one stroke: a reader sees the old text or the new one, also after a crash."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _put(path: Path, listed: str, values: Mapping[str, Any]) -> bool:
    is_new = False

    def change(text: str) -> str:
        nonlocal is_new
        doc = tomlkit.parse(text)
        rows = doc.get(listed)
        if rows is None:
            doc[listed] = rows = tomlkit.aot()
        if not isinstance(rows, AoT):
            raise ConfigError([Problem(None, listed, f"应写成 / must be written [[{listed}]]")], path)
        table = next((row for row in rows if str(row.get("name")) == values["name"]), None)
        is_new = table is None
        _fill(_appended(rows) if table is None else table, values)
        return tomlkit.dumps(doc)

    _edit(path, change)
    return is_new


def _appended(rows: AoT) -> Table:
    table = tomlkit.table()
    rows.append(table)
    added = rows[-1]
    added.trivia.indent = "\n"  # an empty line before it
    return added


def _edit(path: Path, change: Callable[[str], str]) -> None:
    target = path.resolve()  # a link stays a link
    try:
        write_whole(target, change(target.read_bytes().decode("utf-8-sig")))
    except FileNotFoundError as error:
        problem = Problem(None, "", "没有这个文件；先运行 / no such file; run first: listener init .")
        raise ConfigError([problem], path) from error
    except (UnicodeDecodeError, TOMLKitError) as error:
        problem = Problem(getattr(error, "line", None), "", f"不是正确的 TOML / is not valid TOML: {error}")
        raise ConfigError([problem], path) from error
    except OSError as error:
        raise ConfigError([Problem(None, "", f"写不了 / can't be written: {error.strerror}")], path) from error


def _fill(table: Table, values: Mapping[str, Any]) -> None:
    """Set the keys that differ; the others keep even their spaces and comments."""
    for key, value in values.items():
        if key == _NESTED:
            _fill_nested(table, value)
        elif _plain(table.get(key)) != value:
            table[key] = _item(value)


def _fill_nested(table: Table, rows: Any) -> None:
    """The tables in a table (a brand's rivals): those of the same name are filled, the others added or taken away."""
    wanted = {row["name"]: row for row in ({"name": row} if isinstance(row, str) else row for row in rows)}
    present = table.get(_NESTED)
    if not isinstance(present, AoT):
        if _plain(present) in (list(wanted), list(wanted.values())):
            return
        table.pop(_NESTED, None)
        if not wanted:
            return
        table.append(_NESTED, tomlkit.aot())
        present = table[_NESTED]
        assert isinstance(present, AoT)
    for index in reversed(range(len(present))):
        if str(present[index].get("name")) not in wanted:
            del present[index]
    there = {str(row["name"]): row for row in present}
    for name, row in wanted.items():
        _fill(there[name] if name in there else _appended(present), row)
    if not present:
        table.pop(_NESTED)


def _item(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    array = tomlkit.array()
    array.extend(value)
    return array.multiline(_is_long(array))


def _is_long(array: Array) -> bool:
    return len(array.as_string()) > 100


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item
