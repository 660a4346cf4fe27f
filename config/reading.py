"""TOML text and environment → values of the settings' classes, with every mistake's place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from config.environment import overlay, variable_of
from config.errors import ConfigError, Problem, meant
from config.lines import Path as Key
from config.lines import line_of, lines_of
from config.values import Secret, path_in

PATHS = frozenset({"key_file", "ca_file", "model", "templates"})

_WANTED = {
    "missing": "缺少这一项 / is missing",
    "string_type": "应为文字 / must be text",
    "int_type": "应为整数 / must be a whole number",
    "int_from_float": "应为整数 / must be a whole number",
    "float_type": "应为数字 / must be a number",
    "float_parsing": "应为数字 / must be a number",
    "bool_type": "应为 true 或 false / must be true or false",
    "bool_parsing": "应为 true 或 false / must be true or false",
    "tuple_type": '应为列表 / must be a list, like ["a", "b"]',
    "path_type": "应为路径 / must be a path",
    "dataclass_type": "应为表 / must be a table",
}


class Reading:
    """A configuration while it is read. doc: the file with the environment over it; problems: what was wrong so far."""

    def __init__(self, text: str, folder: Path, environ: Mapping[str, str], path: Path | None = None) -> None:
        self.text, self.folder, self.environ = text, folder, environ
        self.problems: list[Problem] = []
        self.made: dict[str, list[int]] = {}  # of each list of tables, those that became a value, by their place in the file
        self._set_by: dict[Key, str] = {}
        try:
            self.doc: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax_of(error, text)], path or "") from error

    def read(self, sections: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The value of each section, and a tuple of values for each list of tables; what is wrong is left out and told."""
        self._set_by, unknown = overlay(self.doc, self.environ, sections, tables)
        self.problems += unknown
        for name in self.doc.keys() - sections.keys() - tables.keys():
            self.tell((name,), f"没有这一节 / no such section; {meant(name, [*sections, *tables])}")
        values: dict[str, Any] = {}
        for name, shape in sections.items():
            table = self.doc.get(name, {})
            if not isinstance(table, dict):
                self.tell((name,), f"应为一节 / must be a section: [{name}]")
            elif (value := self._value(shape, table, (name,))) is not None:
                values[name] = value
        for name, shapes in tables.items():
            made = [(key, self._value(shape, table, key)) for key, table, shape in self._shaped(name, shapes)]
            values[name] = tuple(value for _, value in made if value is not None)
            self.made[name] = [int(key[1]) for key, value in made if value is not None]
        return values

    def tell(self, key: Key, message: str) -> None:
        """Note a mistake at a key; where the environment brought the value, its variable is named."""
        variable = next((self._set_by[key[:n]] for n in (3, 2) if key[:n] in self._set_by), None)
        if variable is not None:
            self.problems.append(Problem(None, variable, message))
        else:
            self.problems.append(self._problem(key, message))

    def is_from_environment(self, key: Key) -> bool:
        """Whether a variable set the key."""
        return key in self._set_by

    def tables(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The tables of a list as they stand in the file, whether or not they are right."""
        listed = self.doc.get(name, [])
        for index, table in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(table, dict):
                yield index, table

    @cached_property
    def _lines(self) -> Mapping[Key, int]:
        return lines_of(self.text)

    def _problem(self, key: Key, message: str) -> Problem:
        return Problem(line_of(self._lines, key), key_of(key), message)

    def _shaped(self, name: str, shapes: Mapping[str, Any]) -> Iterator[tuple[Key, dict[str, Any], Any]]:
        """The tables of a list with the class of each."""
        listed = self.doc.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
            self.tell((name,), f"应写成 / must be written [[{name}]]")
            return
        for index, table in enumerate(listed):
            kind = "" if "" in shapes else table.get("type")
            if isinstance(kind, str) and kind in shapes:
                yield (name, index), table, shapes[kind]
            else:
                said = "缺少这一项 / is missing" if kind is None else f"没有这种 / no such type: {kind}"
                self.tell((name, index, "type"), f"{said}; {meant(str(kind or ''), shapes)}")

    def _value(self, shape: Any, table: Mapping[str, Any], key: Key) -> Any:
        """The table as a value of its class; None, and its mistakes told, where it can't be one."""
        table = dict(table)
        before = len(self.problems)
        for name, may_stand_here in getattr(shape, "SECRETS", {}).items():
            self._take_secret(table, (*key, name), may_stand_here)
            self._unwrap(shape, table, name)
        if isinstance(table.get("options"), dict):
            table["options"] = self._options(table["options"], (*key, "options"))
        for each in fields(shape):
            if each.name in PATHS:
                given = table.get(each.name, each.default)
                if isinstance(given, Path) or (isinstance(given, str) and given):
                    table[each.name] = str(path_in(self.folder, str(given)))
        try:
            value = TypeAdapter(shape).validate_python(table)
        except ValidationError as error:
            for mistake in error.errors(include_url=False):
                self.tell((*key, *mistake["loc"]), message_of(mistake, shape))
            return None
        return value if len(self.problems) == before else None

    def _options(self, options: Mapping[str, Any], key: Key) -> dict[str, Any]:
        """A source's options with each ``<name>_env`` and ``<name>_file`` as the Secret ``<name>``."""
        found: dict[str, Any] = {}
        for name, value in options.items():
            ending = next((way for way in ("_env", "_file") if name.endswith(way) and name != way), None)
            if ending and isinstance(value, str):
                found[name.removesuffix(ending)] = self._fetched(value, (*key, name))
            else:
                found[name] = self._options(value, (*key, name)) if isinstance(value, dict) else value
        return found

    def _unwrap(self, shape: Any, table: dict[str, Any], name: str) -> None:
        """A setting that may come from a file but is plain text (the database's address) is needed at once."""
        secret = table.get(name)
        if isinstance(secret, Secret) and get_type_hints(shape)[name] is str:
            if secret.missing:
                self.problems.append(secret.missing)
            table[name] = "" if secret.missing else secret.reveal()

    def _take_secret(self, table: dict[str, Any], key: Key, may_stand_here: bool) -> None:
        """Put a secret in its place: from the environment, from a variable or a file that the table names."""
        name = str(key[-1])
        ways = [way for way in (name, f"{name}_env", f"{name}_file") if way in table]
        given = {way: table.pop(way) for way in ways}
        if not ways:
            return
        table[name] = Secret()
        if len(ways) > 1:
            self.tell(key, f"只能有一个 / only one of them may be there: {', '.join(ways)}")
        elif isinstance(given[ways[0]], Secret):
            table[name] = given[name]
        elif not isinstance(given[ways[0]], str) or not given[ways[0]].strip():
            self.tell((*key[:-1], ways[0]), _WANTED["string_type"])
        elif ways[0] != name:
            table[name] = self._fetched(given[ways[0]], (*key[:-1], ways[0]))
        elif may_stand_here:
            table[name] = Secret(given[name])
        else:
            self.tell(
                key, f"密码不写在这里，请用 / secrets do not stand here: use {name}_env, {name}_file or {self._variable(key)}"
            )

    def _fetched(self, place: str, key: Key) -> Secret:
        if str(key[-1]).endswith("_env"):
            value, found = self.environ.get(place, ""), f"env:{place}"
            why = f"环境变量 {place} 没有设置 / the environment variable {place} is not set"
        else:
            path = path_in(self.folder, place)
            (value, why), found = _read(path), f"file:{path}"
        return Secret(value, place=found) if value else Secret(missing=self._problem(key, why))

    def _variable(self, key: Key) -> str:
        listed, index, name = key
        return variable_of(listed, self.doc[str(listed)][index].get("name", int(index) + 1), name)


def _read(path: Path) -> tuple[str, str]:
    """(what stands in a secret's file, why it can't be read)."""
    try:
        return path.read_text("utf-8").strip(), f"文件是空的 / the file is empty: {path}"
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        return "", f"读不了文件 / the file can't be read: {path} ({reason})"


def key_of(key: Key) -> str:
    """
    >>> key_of(("sources", 0, "cron"))
    'sources[0].cron'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def message_of(mistake: Mapping[str, Any], shape: Any) -> str:
    """What a validation error means, in our words."""
    kind = mistake["type"]
    if kind == "unexpected_keyword_argument":
        *around, name = mistake["loc"]
        return f"没有这一项 / no such key; {meant(str(name), _names_in(shape, around))}"
    if kind == "literal_error":
        return f"只能是 / must be one of: {mistake['ctx']['expected']}; is {mistake['input']!r}"
    if kind == "value_error":
        return str(mistake["ctx"]["error"])
    if kind == "missing" and mistake["loc"][-1] in getattr(shape, "SECRETS", {}):
        name = mistake["loc"][-1]
        may = f"{name}, " if shape.SECRETS[name] else ""
        return f"{_WANTED[kind]}: {may}{name}_env, {name}_file"
    return _WANTED.get(kind, str(mistake["msg"]))


def _names_in(shape: Any, around: list[int | str]) -> list[str]:
    """The keys that may stand in a class, or in the one that is nested in it."""
    if around:
        shape = next(each for each in get_args(get_type_hints(shape)[str(around[0])]) if is_dataclass(each))
    secrets = getattr(shape, "SECRETS", {})
    names = [f.name for f in fields(shape) if secrets.get(f.name, True)]
    return [*names, *(f"{name}{way}" for name in secrets for way in ("_env", "_file"))]


def _syntax_of(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    match = re.search(r"\(at line (\d+)", str(error))
    line = int(match[1]) if match else text.count("\n") + 1  # else it says "at end of document"
    return Problem(line, "", f"不是正确的 TOML / is not valid TOML: {error}")
