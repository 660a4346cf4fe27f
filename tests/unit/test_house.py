"""The house keeps its own rules: names, manual, locks."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer

from listener.cli import app

ROOT = Path(__file__).parent.parent.parent
OURS = ("listener", "spiders", "nlp", "storage", "config")


def commands() -> list[str]:
    """Every command of the program, `listener koc import` and the like."""

    def below(group: Any, words: str) -> list[str]:
        found = []
        for name, command in group.commands.items():
            if getattr(command, "invoke_without_command", False):
                found.append(f"{words} {name}")
            found += below(command, f"{words} {name}") if hasattr(command, "commands") else [f"{words} {name}"]
        return found

    return sorted(below(typer.main.get_command(app), "listener"))


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_readme(command: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"`{command}" in readme, f"`{command}` has no row in the README's table of commands"


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^|&& )listener ([a-z]+)(?: ([a-z]+))?", readme, re.MULTILINE)
    every = [command.split()[1:] for command in commands()]
    known = {" ".join(words[:count]) for words in every for count in (2, len(words))} | {
        words[0] for words in every if len(words) == 1
    }
    unknown = {(first, second) for first, second in named if first not in known and f"{first} {second}" not in known}
    assert not unknown
    assert len(set(named)) > 20


@pytest.mark.parametrize("name", OURS)
def test_each_import_name_belongs_to_our_distribution_alone(name: str) -> None:
    assert set(packages_distributions()[name]) == {"koc-listener"}


def test_every_package_folder_is_listed_for_the_wheel() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in OURS
        for path in (ROOT / top).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert found == listed


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_hold_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-|--)(i|f|index|extra|find)", text, re.MULTILINE)
    pins = re.findall(r"^[a-z0-9][^\n]*==[^\n]*\\\n(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9][^\n]*==", text, re.MULTILINE)) > 30


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("dependencies = [") : text.index("]\n", text.index("dependencies = ["))]
    unexplained = [line for line in block.splitlines()[1:] if line.strip() and "#" not in line]
    assert not unexplained
