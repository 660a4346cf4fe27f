"""Letter → what a chat shows: a title and short lines in a small markup, ``**bold**`` and ``[words](address)``.

Whatever comes from outside is made harmless where it is put in: no name and no post can mention a group, make a link or look
like a heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from listener.text.faces import letter_chat, subject_of
from listener.text.quotes import cut
from listener.text.templates import chat_safe
from listener.text.views import Language, Letter

_LINK: Final = re.compile(r"\[([^\[\]\n]*)\]\((https?://[^\s()]+)\)")
_BOLD: Final = re.compile(r"\*\*([^*\n]+)\*\*")


@dataclass(frozen=True, slots=True)
class Chat:
    """A message of a chat. title: plain words; text: lines in the small markup."""

    title: str
    text: str


def chat_of(letter: Letter, keyword: str = "") -> Chat:
    """What a chat shows of a letter. keyword: a word that the receiver wants in every message; it is added where it lacks."""
    lines = [line.rstrip() for line in letter_chat(letter).strip().split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    title = str(chat_safe(subject_of(letter)))
    return Chat(title, text) if not keyword or keyword in title else Chat(f"{title}〔{keyword}〕", text)


def parts_of(chat: Chat, most_bytes: int, most_parts: int, language: Language) -> list[Chat]:
    """The message in numbered parts, each of at most so many bytes with its title; what does not fit into so many parts is left
    out, and the last part says so. Lines stay whole where they fit, and links always do.

    >>> [each.title for each in parts_of(Chat("题", "一行\\n" * 20), 160, 9, "zh-CN")]
    ['题（1/3）', '题（2/3）', '题（3/3）']
    """
    room = most_bytes - len(chat.title.encode()) - 100  # numbers, marks of the markup, who is called
    if len(chat.text.encode()) <= room:
        return [chat]
    filled = list(_filled(chat.text.split("\n"), max(room, 20)))
    kept = filled[:most_parts]
    if len(filled) > most_parts:
        told = (
            "（以下省略，完整内容：listener alerts --full）"
            if language == "zh-CN"
            else "(cut here; all of it: listener alerts --full)"
        )
        kept[-1] = f"{kept[-1]}\n{told}"
    return [Chat(f"{chat.title}（{at}/{len(kept)}）", text) for at, text in enumerate(kept, 1)]


def _filled(lines: list[str], room: int) -> Iterator[str]:
    part: list[str] = []
    size = 0
    for line in lines:
        short = _shortened(line, room)
        if part and size + len(short.encode()) > room:
            yield "\n".join(part).strip("\n")
            part, size = [], 0
        part.append(short)
        size += len(short.encode()) + 1
    if any(part):
        yield "\n".join(part).strip("\n")


def _shortened(line: str, room: int) -> str:
    """A line of at most so many bytes, cut at the end of a sentence, its link kept."""
    if len(line.encode()) <= room:
        return line
    links = "".join(f" {found[0]}" for found in _LINK.finditer(line))
    links = links if len(links.encode()) * 2 <= room else ""
    bare, most = _LINK.sub("", line), room
    while len((short := cut(bare, most) + links).encode()) > room and most > 1:
        most = most * 9 // 10
    return short


def plain_lines(text: str) -> list[list[tuple[str, str]]]:
    """Each line as (words, address) pieces, "" for words that are no link, without the marks of bold words.

    >>> plain_lines("**重要** 见 [原文](https://a.cn/1)。")
    [[('重要 见 ', ''), ('原文', 'https://a.cn/1'), ('。', '')]]
    """
    lines = []
    for line in text.split("\n"):
        pieces: list[tuple[str, str]] = []
        at = 0
        for found in _LINK.finditer(line):
            pieces += [(line[at : found.start()], ""), (found[1], found[2])]
            at = found.end()
        pieces.append((line[at:], ""))
        lines.append([(_BOLD.sub(r"\1", words), href) for words, href in pieces if words] or [(" ", "")])
    return lines


def plain_of(text: str) -> str:
    """The text without markup, an address behind the words that it belongs to.

    >>> plain_of("**重要** [原文](https://a.cn/1)")
    '重要 原文 https://a.cn/1'
    """
    return _BOLD.sub(r"\1", _LINK.sub(r"\1 \2", text))
