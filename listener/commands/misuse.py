"""Wrong use of a command, as the framework tells it in English → the same in zh-CN first, with the way to the help."""

from __future__ import annotations

import re
from typing import Any, Final

import typer

Misuse: Final[type[Exception]] = typer.BadParameter.__mro__[2]  # of everything that a command line can have wrong
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_NEAR: Final = r" \(Possible options: (?P<near>.+)\)| Did you mean (?P<near2>.+?)\?"
# What the framework says, and in Chinese: the whole sentences first, then the values that did not fit.
_SENTENCES: Final = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"No such command (?P<what>.+?)\.(?: Did you mean (?P<near>.+?)\?)?", "没有这个命令 {what}"),
        (rf"No such option:? (?P<what>[^\s,.(]+)[.,]?(?:{_NEAR})?", "没有这个选项 {what}"),
        (r"Missing command\.?", "缺少命令"),
        (r"Missing option (?P<what>.+?)\.(?P<more>.*)", "缺少选项 {what}"),
        (r"Missing (?:argument|parameter):? (?P<what>.+?)\.(?P<more>.*)", "缺少 {what}"),
        (r"Option (?P<what>\S+) requires an argument\.?", "选项 {what} 后面要写一个值"),
        (r"Option (?P<what>\S+) requires (?P<n>\d+) arguments\.?", "选项 {what} 后面要写 {n} 个值"),
        (r"Option (?P<what>\S+) does not take a value\.?", "选项 {what} 后面不写值"),
        (r"Got unexpected extra argument(?:s|\(s\))? \((?P<what>.+)\)", "多写了 {what}；有空格的请加引号"),
    )
)  # fmt: skip
_VALUES: Final = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"(?:Value error, )?(?P<what>.+?) is not one of (?P<known>.+?)\.?", "没有 {what}；可以写 {known}"),
        (r"Input should be a valid integer.*|.+ is not a valid integer\.?", "要写整数"),
        (r"Input should be a valid number.*|.+ is not a valid float\.?", "要写数字"),
        (r"Input should be greater than or equal to (?P<n>\S+)|.+ is not in the range x>=(?P<n2>\S+?)\.?", "至少是 {n}"),
        (r"Input should be less than or equal to (?P<n>\S+)|.+ is not in the range x<=(?P<n2>\S+?)\.?", "最多是 {n}"),
        (r"(?i:path|file|directory) (?P<what>.+) does not exist\.", "没有这个文件或文件夹 {what}"),
        (r"(?i:path|file|directory) (?P<what>.+) is a directory\.", "{what} 是文件夹，要写文件"),
        (r"(?i:path|file|directory) (?P<what>.+) is a file\.", "{what} 是文件，要写文件夹"),
        (r"(?i:path|file|directory) (?P<what>.+) is not (?:readable|writable)\.", "没有权限读写 {what}"),
    )
)
_INVALID: Final = re.compile(r"Invalid value(?: for (?P<where>.+?))?: (?P<why>.*)", re.DOTALL)


def words_of(message: str) -> str:
    """What the framework says in English, in zh-CN and English.

    >>> words_of("No such command 'tak'. Did you mean 'take'?")
    "没有这个命令 'tak'，是不是 'take'？ / No such command 'tak'. Did you mean 'take'?"
    >>> words_of("Missing option '--until'.")
    "缺少选项 '--until' / Missing option '--until'."
    >>> words_of("Invalid value for '--budget': Input should be a valid integer, …")
    "'--budget' 的值不对：要写整数 / Invalid value for '--budget': Input should be a valid integer, …"
    >>> words_of("Invalid value for --kind: 没有这种预警 'x' / there is none")
    "--kind 的值不对：没有这种预警 'x' / there is none"
    """
    invalid = _INVALID.fullmatch(message)
    if invalid is None:
        return _in_both(message, _SENTENCES) or message
    where, why = invalid["where"], invalid["why"]
    head = f"{where} 的值不对" if where else "值不对"
    if _HAN.search(why):  # words of ours, in both languages already
        return f"{head}：{why}" if where else why
    told = _in_both(why, _VALUES)
    return f"{head}：{told.partition(' / ')[0]} / {message}" if told else f"{head} / {message}"


def _in_both(message: str, known: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, words in known:
        if found := pattern.fullmatch(message):
            parts = {name.rstrip("2"): value for name, value in found.groupdict().items() if value}
            near = f"，是不是 {parts['near']}？" if "near" in parts else ""
            more = f"：{parts['more'].strip()}" if parts.get("more", "").strip() else ""
            return f"{words.format_map(parts)}{near}{more} / {message}"
    return ""


def told(error: Any) -> str:
    """A wrong use as whoever typed it reads it: how the command is used, what is wrong, where its help is. A command without
    arguments that shows its help so (it is raised as an error) shows the help alone."""
    message: str = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None:
        return words_of(message)
    if message == context.get_help():
        return message
    usage = str(context.get_usage()).removeprefix("Usage: ")
    helps = f"{context.command_path} {context.help_option_names[0]}"
    return f"{words_of(message)}\n用法 / usage: {usage}\n帮助 / help: {helps}"
