"""MailDev, from npm: what the e-mail channel sends is what a mail program's view of it shows, threads and hostile posts too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from listener.channels.mail import EmailChannel
from storage.records import Koc
from tests.alerted import HOSTILE, NOW, many, message, view
from tests.platforms.workshop import HOST, Workshop, run
from tests.servers import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVIL = Koc("K1\r\nBcc: x@y.z", "小鹿\u202e<script>document.title='pwned'</script>\r\nBcc: evil@example.com", (), owner="王")


def install(folder: Path) -> None:
    run("npm", "install", "--no-audit", "--no-fund", "--silent", "maildev@2", cwd=folder)


@pytest.fixture
def mailbox(workshop: Workshop, tmp_path: Path) -> Iterator[tuple[EmailChannel, str]]:
    place = workshop.installed("maildev", install)
    smtp, web = free_port(), free_port()
    command = (
        place / "node_modules" / ".bin" / "maildev",
        "--smtp",
        str(smtp),
        "--web",
        str(web),
        "--ip",
        HOST,
        "--web-ip",
        HOST,
    )
    with workshop.running("maildev", command, f"http://{HOST}:{web}/email", cwd=tmp_path):
        sender, to = "听音 <koc@brand.example>", ("pr@brand.example",)
        channel = EmailChannel(
            name="mail", host=HOST, port=smtp, security="none", sender=sender, to=to, unsubscribe="https://intra.example/leave"
        )
        yield channel, f"http://{HOST}:{web}"


def mails(web: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{web}/email", trust_env=False).json()
    return found


def test_an_alert_its_correction_and_a_digest_arrive_threaded_and_whole(mailbox: tuple[EmailChannel, str]) -> None:
    channel, web = mailbox
    one, some = view(), many(3)
    channel.send(message(one), [one], NOW)
    channel.send(message(one, kind="correction"), [one], NOW)
    channel.send(message(*some, kind="digest"), some, NOW)
    alert, correction, digest = mails(web)
    assert alert["subject"] == "【红色预警·重要】星澜｜小鹿爱洗头：近 10 条中 7 条转为负面"
    assert alert["headers"]["in-reply-to"] == correction["headers"]["in-reply-to"] == f"<case-{'c' * 32}@brand.example>"
    assert alert["attachments"][0]["contentId"] == "stance-over-time"
    assert "list-unsubscribe" not in alert["headers"]
    assert digest["headers"]["list-unsubscribe"] == "<https://intra.example/leave>"
    assert digest["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    for words in ("用完头皮又痒又起屑", "https://m.weibo.cn/status/5020", "listener cases show cccccccccccc"):
        assert words in alert["text"]
        assert words in alert["html"]


def test_hostile_posts_and_names_are_text_in_a_browser(mailbox: tuple[EmailChannel, str]) -> None:
    channel, web = mailbox
    one = view(bad=HOSTILE + "</td></table><style>*{display:none}</style>" + "W" * 10_000, koc=EVIL)
    channel.send(message(one), [one], NOW)
    (mail,) = mails(web)
    assert "bcc" not in mail["headers"]
    assert [each["address"] for each in mail["to"]] == ["pr@brand.example"]
    if CHROMIUM is None:
        pytest.skip("no Chromium to open it in")
    page = f"{web}/email/{mail['id']}/html"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom")
    dom = subprocess.run([CHROMIUM, *options, page], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<script" not in dom
    assert "<title>pwned" not in dom
    assert "&lt;script&gt;document.title" in dom
    assert "近 10 条中 7 条转为负面" in dom
