"""Wrong use of a command is told in zh-CN first, whatever the framework says of it, and ends with 2."""

from __future__ import annotations

import pytest

from listener.cli import run
from listener.commands.misuse import words_of


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("cases tak", "没有这个命令 'tak'，是不是 'take'？ / No such command 'tak'"),
        ("cases list --chek", "没有这个选项 --chek，是不是 --check"),
        ("alerts mute --reason 召回", "缺少选项 '--until' / Missing option '--until'"),
        ("promises keep", "listener promises keep"),
        ("cases step a b c d", "多写了 c d；有空格的请加引号 / "),
        ("cases list --of", "选项 '--of' 后面要写一个值 / "),
        ("cases list --check=1", "选项 '--check' 后面不写值 / "),
        ("cases list -f xml", "没有 'xml'；可以写 'table', 'json', 'jsonl' / "),
        ("revisit --budget x", "'--budget' 的值不对：要写整数 / "),
        ("nlp evaluate nope.csv", "没有这个文件或文件夹 'nope.csv' / "),
    ],
)
def test_wrong_use_is_told_in_chinese_first_and_names_the_help(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == 2
    answer = capsys.readouterr()
    assert told in answer.out + answer.err
    assert not (answer.out + answer.err).startswith("Error"), "no English alone"


def test_the_way_to_the_help_follows(capsys: pytest.CaptureFixture[str]) -> None:
    run(["cases", "tak"])
    assert "帮助 / help: listener cases --help" in capsys.readouterr().err


def test_what_the_framework_has_never_said_yet_is_passed_on() -> None:
    assert words_of("The moon is blue.") == "The moon is blue."
    assert words_of("Invalid value for '--x': a moon.") == "'--x' 的值不对 / Invalid value for '--x': a moon."
