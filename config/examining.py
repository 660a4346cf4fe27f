"""A configuration and what only trying it shows → every mistake at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from config.errors import ConfigError, Problem
from config.lines import Path as Key
from config.reading import Reading
from config.settings import SECTIONS, TABLES, Settings, load, read_key

Further = Callable[[Settings], Iterable[Problem]]


def examine(
    path: Path, environ: Mapping[str, str], platforms: Collection[str] | None = None, further: Further = lambda found: ()
) -> Settings:
    """The settings of a file, as `config.settings.load` gives them, with secrets and the workspace's key there.

    further: mistakes that only trying a part shows, the key of each as in ``sources[0].options``; it is asked of what can be
    read, so that they are told beside the mistakes of others. Raises ConfigError with every mistake, in order of lines."""
    problems: list[Problem] = []
    try:
        load(path, environ, platforms)
    except ConfigError as error:
        problems += error.problems
    try:
        reading = Reading(path.read_bytes().decode("utf-8-sig"), path.absolute().parent, environ, path)
    except (OSError, UnicodeDecodeError, ConfigError):
        raise ConfigError(problems, path) from None  # there is nothing to try
    found = Settings(path=path, folder=path.absolute().parent, **reading.read(SECTIONS, TABLES))
    known = len(reading.problems)
    for one in further(found):
        reading.tell(_placed(key_in(one.key), reading.made), one.message)
    try:
        read_key(found)
    except ConfigError as error:
        for one in error.problems:
            reading.tell(key_in(one.key), one.message)
    problems += [*reading.problems[known:], *found.missing_secrets]
    if problems:
        raise ConfigError(dict.fromkeys(problems), path)
    return load(path, environ, platforms)


def key_in(text: str) -> Key:
    """The key that a mistake names.

    >>> key_in("sources[0].options.url"), key_in("")
    (('sources', 0, 'options', 'url'), ())
    """
    return tuple(int(at) if at else name for name, at in re.findall(r"([^.\[\]]+(?!\]))|\[(\d+)\]", text))


def _placed(key: Key, made: Mapping[str, list[int]]) -> Key:
    """The key in the file of one in the settings, where tables that could not be read are left out."""
    if len(key) > 1 and isinstance(key[1], int) and key[0] in made:
        return (key[0], made[str(key[0])][key[1]], *key[2:])
    return key
