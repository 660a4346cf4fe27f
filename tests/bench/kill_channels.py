"""Kill `listener deliver` 50 times in the middle of its sending through five channels at once, then let two run side by side.

    python -m tests.bench.kill_channels [--kills 50] [--pairs 5] [--seed 1]

An SMTP server, a webhook receiver, a signed Feishu robot, a WeCom robot and Apprise's JSON receiver on 127.0.0.1 take
their time. Printed: messages that were lost (none may be), that came again after a kill (each under the key it had), and
under two processes that came twice (none may).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.integration.test_pipeline_deliver import posts
from tests.killing import LISTENER, first_write, leases_end
from tests.robots import Robot
from tests.servers import HttpServer, SmtpServer

BRAND = "青禾榨汁机"
SECRET = "whsec_a29jLWxpc3RlbmVyLXRlc3Qtc2VjcmV0LTEyMzQ="
CHANNELS = ("mail", "hook", "feishu", "wecom", "json")
IN_A_ROW = 5  # so often one workspace is killed before it may end
SLOW = 0.06  # seconds that a receiver takes


@dataclass
class Town:
    """The receivers."""

    smtp: SmtpServer
    hook: HttpServer
    json: HttpServer
    feishu: Robot
    wecom: Robot

    def keys(self) -> dict[str, list[str]]:
        """The keys of the messages that came, by channel."""
        mails = [message_from_bytes(raw, policy=default) for raw in self.smtp.mails]
        return {
            "mail": [str(mail["X-KOC-Alert-Key"])[:12] for mail in mails],
            "hook": [json.loads(one.body)["data"]["alert_keys"][0][:12] for one in self.hook.requests],
            "json": [_key_in(json.loads(one.body)["message"]) for one in self.json.requests],
            "feishu": [_key_in(text) for text, _ in self.feishu.taken],
            "wecom": [_key_in(text) for text, _ in self.wecom.taken],
        }

    def forget(self) -> None:
        for some in (self.smtp.mails, self.hook.requests, self.json.requests, self.feishu.taken, self.wecom.taken):
            some.clear()


def _key_in(text: str) -> str:
    found = re.search(r"预警键 ([0-9a-f]{12})", text)
    return found[1] if found else "?"


def slowly(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(SLOW)
    handler.send_response(200)
    handler.send_header("content-length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


class SlowRobot(Robot):
    """A robot that takes its time and minds no rate: kills make more of it than a group ever sees."""

    def judge(self, path: str, raw: bytes) -> tuple[int, dict[str, object]]:
        time.sleep(SLOW)
        return super().judge(path, raw)

    def _is_too_fast(self, most: int, span: float, penalty: float) -> bool:
        return False


@contextmanager
def receivers() -> Iterator[Town]:
    with (
        SmtpServer() as smtp,
        HttpServer([slowly]) as hook,
        HttpServer([slowly]) as service,
        SlowRobot("feishu", secret="feishu-secret", keyword="口碑") as feishu,
        SlowRobot("wecom") as wecom,
    ):
        yield Town(smtp, hook, service, feishu, wecom)


def workspace(folder: Path, town: Town, kocs: int) -> Path:
    """A workspace with so many KOCs who turned, all of whose messages wait."""
    at = folder / "base"
    run(at.parent, "init", str(at))
    path = at / "listener.toml"
    for name, text in {
        "hook.secret": SECRET,
        "feishu.url": town.feishu.url,
        "feishu.secret": "feishu-secret",
        "wecom.url": town.wecom.url,
        "json.url": f"json://{town.json.url.removeprefix('http://').partition('/')[0]}/x",
    }.items():
        (at / name).write_text(text)
    host = f'host = "127.0.0.1"\nport = {town.smtp.port}\nsecurity = "none"\nsender = "a@b.example"\nto = ["c@d.example"]'
    table = {
        "mail": f'type = "email"\n{host}',
        "hook": f'type = "webhook"\nurl = "{town.hook.url}"\nsecret_file = "hook.secret"',
        "feishu": 'type = "feishu"\nurl_file = "feishu.url"\nsecret_file = "feishu.secret"\nkeyword = "口碑"',
        "wecom": 'type = "wecom"\nurl_file = "wecom.url"',
        "json": 'type = "apprise"\nurl_file = "json.url"\ndomestic = true',
    }
    text = path.read_text(encoding="utf-8")
    more = "".join(f'\n[[channels]]\nname = "{name}"\n{lines}\n' for name, lines in table.items())
    text = text.replace("#storms = 0.2", "storms = 0")  # many KOCs of one place turn in a day, and each is to be told of
    path.write_text(f'{text}\n[[brands]]\nname = "{BRAND}"\n{more}', encoding="utf-8")
    rows = ["koc_id,name,platform,account_id"] + [f"K{n},听众{n},forum,k{n}" for n in range(kocs)]
    (at / "roster.csv").write_text("\n".join(rows), encoding="utf-8")
    with (at / "posts.jsonl").open("w", encoding="utf-8") as file:
        for n in range(kocs):
            for item in posts(f"k{n}", last=datetime.now(UTC) - timedelta(hours=3 + n)):
                told = {"platform": item.platform, "post_id": item.post_id, "author_id": item.author_id, "text": item.text}
                file.write(json.dumps(told | {"posted_at": item.posted_at.isoformat()}, ensure_ascii=False) + "\n")
    run(at, "koc", "import", "roster.csv")
    run(at, "import", "posts.jsonl")
    return at


def run(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*LISTENER, *words], cwd=at, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
    return done


def finish(at: Path) -> None:
    """Deliver until nothing is left to send."""
    for _ in range(8):
        leases_end(at)
        if "稍后重试 0" in run(at, "deliver").stdout:
            return
        time.sleep(11)
    raise RuntimeError("deliveries are left")


def start(at: Path) -> subprocess.Popen[bytes]:
    log = (at / "log").open("ab")
    return subprocess.Popen([*LISTENER, "deliver"], cwd=at, stdout=log, stderr=log, start_new_session=True)


def killed(at: Path, seconds: float, rng: random.Random) -> bool:
    """Kill a delivery at some instant of its sending; whether it still ran."""
    process = start(at)
    first_write(at, process)
    try:
        process.wait(timeout=rng.random() * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--kocs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="koc-channels-") as folder, receivers() as town:
        base = workspace(Path(folder), town, options.kocs)
        calm = shutil.copytree(base, Path(folder) / "calm")
        began = time.monotonic()
        finish(calm)
        seconds = time.monotonic() - began
        wanted = {name: sorted(keys) for name, keys in town.keys().items()}
        print(f"undisturbed: { ({name: len(keys) for name, keys in wanted.items()}) } messages, {seconds:.1f} s", flush=True)
        kills, lost, again, round_, window = 0, 0, Counter[str](), 0, seconds / 3
        while kills < options.kills:
            town.forget()
            at = shutil.copytree(base, Path(folder) / f"round-{round_}")
            round_ += 1
            hits = 0
            while hits < IN_A_ROW and killed(at, window, rng):
                hits += 1
                window *= 1.1
                leases_end(at)
            window *= 1 if hits == IN_A_ROW else 0.7  # it had sent everything before: kill earlier
            finish(at)
            kills += hits
            for name, keys in town.keys().items():
                came = Counter(keys)
                lost += sum((Counter(wanted[name]) - came).values())
                again[name] += sum((came - Counter(wanted[name])).values())
            print(f"round {round_}: {kills} kills, {lost} lost, came again {dict(again)}", flush=True)
            shutil.rmtree(at)
        twice = pairs(base, Path(folder), town, options.pairs, wanted)
    print(f"killed {kills}, lost {lost}, came again under the same key {dict(again)} in {round_} rounds; two at once: {twice}")
    return 1 if lost or any(twice.values()) else 0


def pairs(base: Path, folder: Path, town: Town, many: int, wanted: dict[str, list[str]]) -> dict[str, int]:
    """Two processes deliver at once: how many messages came too often, and too seldom."""
    found = {"too often": 0, "lost": 0}
    for n in range(many):
        town.forget()
        at = shutil.copytree(base, folder / f"pair-{n}")
        both = [start(at), start(at)]
        for process in both:
            process.wait()
        finish(at)
        for name, keys in town.keys().items():
            found["too often"] += sum((Counter(keys) - Counter(wanted[name])).values())
            found["lost"] += sum((Counter(wanted[name]) - Counter(keys)).values())
        shutil.rmtree(at)
    return found


if __name__ == "__main__":
    sys.exit(main())
