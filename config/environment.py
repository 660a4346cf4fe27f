"""The environment over listener.toml: ``LISTENER_DATABASE``, ``LISTENER_RULES_MIN_MENTIONS``, ``LISTENER_CHANNELS_MAIL_TO``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, get_origin, get_type_hints

from config.errors import Problem, meant
from config.lines import Path
from config.values import Secret

PREFIX = "LISTENER_"
# Read elsewhere (the first), or set by Kubernetes for a service that is called "listener".
NOT_OURS = re.compile(r"LISTENER_(CONFIG|PORT(_.*)?|SERVICE_.*)")


def overlay(
    doc: dict[str, Any], environ: Mapping[str, str], sections: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[Path, str], list[Problem]]:
    """Put the environment's values into the document; returns which variable set which key, and variables nobody knows."""
    places = dict(_places(doc, sections, tables))
    meant_as_secret = set(_named_variables(doc))
    used: dict[Path, str] = {}
    problems = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or NOT_OURS.fullmatch(variable) or variable in meant_as_secret:
            continue
        if variable not in places:
            problems.append(Problem(None, variable, f"没有这个设置 / no such setting; {meant(variable, places)}"))
            continue
        key, kind = places[variable]
        table = doc.setdefault(str(key[0]), {}) if len(key) == 2 else doc[str(key[0])][key[1]]
        if isinstance(table, dict):
            name = key[-1]
            for other in (f"{name}_env", f"{name}_file"):
                table.pop(other, None)
            table[name] = _value_of(environ[variable], kind)
            if isinstance(table[name], Secret):
                table[name].place = f"env:{variable}"
            used[key] = variable
    return used, problems


def variable_of(*words: object) -> str:
    """
    >>> variable_of("channels", "PR 邮件 mail", "password")
    'LISTENER_CHANNELS_PR_MAIL_PASSWORD'
    """
    parts = (re.sub(r"[^A-Z0-9]+", "_", str(word).upper()).strip("_") for word in words)
    return PREFIX + "_".join(part for part in parts if part)


def _places(
    doc: Mapping[str, Any], sections: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[Path, Any]]]:
    """Variable → (key, type) of every setting of a section, of sources and of channels; those by name and by number."""
    for section, shape in sections.items():
        first = () if section == "listener" else (section,)
        for name, kind in _kinds(shape):
            yield variable_of(*first, name), ((section, name), kind)
    for listed in tables.keys() - {"brands"}:
        rows = doc.get(listed, [])
        for index, row in enumerate(rows if isinstance(rows, list) else []):
            shape = tables[listed].get("" if "" in tables[listed] else str(row.get("type"))) if isinstance(row, dict) else None
            for name, kind in _kinds(shape) if shape else ():
                for called in (str(row.get("name", "")), str(index + 1)):
                    if variable_of(called) != PREFIX:
                        yield variable_of(listed, called, name), ((listed, index, name), kind)


def _kinds(shape: Any) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(shape)
    return ((f.name, hints[f.name]) for f in fields(shape))


def _named_variables(doc: object) -> Iterator[str]:
    """The variables that the file itself names, as in ``password_env = "…"``."""
    if isinstance(doc, list):
        for row in doc:
            yield from _named_variables(row)
    elif isinstance(doc, dict):
        for name, value in doc.items():
            if isinstance(value, str) and name.endswith("_env"):
                yield value
            yield from _named_variables(value)


def _value_of(text: str, kind: Any) -> Any:
    """A variable's text as a value of a setting: lists by commas or as in TOML, numbers and true or false as in TOML."""
    if kind is Secret:
        return Secret(text)
    if get_origin(kind) is tuple and not text.lstrip().startswith("["):
        return text if text == "roster" else [part.strip() for part in text.split(",") if part.strip()]
    if kind in (bool, int, float) or get_origin(kind) in (tuple, Mapping):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text
