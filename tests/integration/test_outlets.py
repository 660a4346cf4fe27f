"""How channels do, what was given up, and tests of them; secrets stand nowhere: planted canaries are looked for everywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import ConfigError
from listener import cli, outlets, workspace
from listener.alerts.attempts import given_up
from listener.app import App
from listener.channels.resting import rest_of
from storage.records import StoreError
from tests.robots import Robot
from tests.servers import HttpServer, SmtpServer, certificate, free_port
from tests.stored import NOW, alert, changes, delivery, koc

CANARY = "cAnaRy-77aa55"
PRIVATE = {
    "ROBOT": f"http://127.0.0.1:{{port}}/robot/send?access_token={CANARY}-token",
    "SIGN": f"SEC{CANARY}-sign",
    "HOOK": f"http://127.0.0.1:{{port}}/{CANARY}-path",
    "KEY": "whsec_Y0FuYVJ5LTc3YWE1NS1rZXkta2V5LWtleS0=",
    "NTFY": f"json://user:{CANARY}-word@127.0.0.1:{{port}}/{CANARY}-topic",
    "MAIL": f"{CANARY}-password",
}
CHANNELS = """
[[channels]]
name = "robot"
type = "dingtalk"
url_env = "ROBOT"
secret_env = "SIGN"
[[channels]]
name = "hook"
type = "webhook"
url_env = "HOOK"
secret_env = "KEY"
[[channels]]
name = "phone"
type = "apprise"
url_env = "NTFY"
[[channels]]
name = "mail"
type = "email"
host = "127.0.0.1"
port = PORT
sender = "a@b.example"
to = ["c@d.example"]
user = "koc"
password_env = "MAIL"
[[channels]]
name = "off"
type = "wecom"
enabled = false
url_env = "NOSUCH"
"""


def opened(folder: Path, port: int) -> App:
    path = workspace.create(folder)
    path.write_text(path.read_text(encoding="utf-8") + CHANNELS.replace("PORT", str(port)), encoding="utf-8")
    return App.open(path, {name: value.replace("{port}", str(port)) for name, value in PRIVATE.items()})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with opened(tmp_path / "w", free_port()) as app:
        yield app


def test_each_channel_tells_how_it_does_and_what_is_shown_there(app: App) -> None:
    app.store.channel_answered("hook", NOW)
    for n in range(5):
        app.store.channel_failed("robot", "no", NOW + timedelta(minutes=n), rest_of)
    app.store.channel_failed("phone", "no", NOW, rest_of)
    assert outlets.resting(app, NOW + timedelta(minutes=5)) == ["robot"]
    found = {one.name: (one.doing, one.shows) for one in outlets.outlets(app, NOW + timedelta(minutes=5))}
    assert found == {
        "robot": ("resting", "no-private"),
        "hook": ("fine", "no-private"),
        "phone": ("failing", "counts"),
        "mail": ("unused", "all"),
        "off": ("off", "no-private"),
    }


def test_deliver_names_a_channel_whose_secret_is_not_set(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PRIVATE.items():
        monkeypatch.setenv(name, value.replace("{port}", str(free_port())))
    path = workspace.create(tmp_path / "w")
    path.write_text(path.read_text(encoding="utf-8") + CHANNELS.replace("PORT", str(free_port())), encoding="utf-8")
    monkeypatch.chdir(path.parent)
    assert cli.run(("deliver",)) == 0
    assert "不能用" not in capfd.readouterr().err
    monkeypatch.delenv("MAIL")
    assert cli.run(("deliver",)) == 1
    told = capfd.readouterr().err
    assert "mail 不能用" in told
    assert "MAIL" in told
    assert "robot" not in told


def test_a_test_through_all_goes_on_behind_one_that_fails(app: App) -> None:
    done = outlets.test_message(app, ["robot", "off", "phone", "mail"])
    assert [one.name for one in done if one.error] == ["robot", "off", "phone", "mail"]
    assert "NOSUCH" in done[1].error
    with pytest.raises(ConfigError, match="nosuch"):
        outlets.test_message(app, ["robot", "nosuch"])


def test_tests_that_arrive_are_told(tmp_path: Path) -> None:
    with Robot("dingtalk", token=f"{CANARY}-token", secret=PRIVATE["SIGN"]) as robot:
        port = int(robot.url.split(":")[2].split("/")[0])
        with opened(tmp_path / "w", port) as app:
            assert outlets.test_message(app, ["robot"]) == [outlets.Tested("robot")]
            assert len(robot.taken) == 1


def test_what_was_given_up_is_listed_and_comes_back_by_its_key_alone(app: App) -> None:
    app.store.save_kocs([koc("k1", "a")])
    rows = [delivery(f"{n}" * 32, f"{n + 4}" * 32, channel="robot") for n in range(3)]
    with app.store.watching(brands=["x"]) as watch:
        assert watch
        alerts = tuple(alert(one.alert_key, "k1") for one in rows)
        watch.record(changes("k1", alerts=alerts, deliveries=tuple(rows)), at=NOW)
    claimed = app.store.claim_due(NOW + timedelta(days=1), lease=timedelta(minutes=1))
    assert len(claimed) == 3
    app.store.settle([given_up(one, "no such user") for one, _ in claimed])
    dead = outlets.dead_letters(app)
    assert [one.delivery.error for one in dead] == ["no such user"] * len(claimed)
    assert all(one.about for one in dead)
    first = dead[0].delivery.key
    assert outlets.bring_back(app, [first[:12], first]) == 1
    assert len(outlets.dead_letters(app)) == len(dead) - 1
    for key in (first, "", "0123", "zz" * 8):
        with pytest.raises(StoreError, match="--dead"):
            outlets.bring_back(app, [key])
    assert outlets.bring_back(app) == len(dead) - 1


def test_planted_secrets_stand_in_no_output_no_log_no_error_and_no_row(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that speaks of channels, at its most talkative, against servers that send back what they were sent."""

    def echo(handler: object) -> None:
        said = json.dumps({"errcode": 1, "errmsg": f"{handler.path} {dict(handler.headers)}"}).encode()  # type: ignore[attr-defined]
        handler.send_response(200 if "robot" in handler.path else 500)  # type: ignore[attr-defined]
        handler.send_header("content-length", str(len(said)))  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(said)  # type: ignore[attr-defined]

    cert = certificate(tmp_path)
    with HttpServer([echo]) as server, SmtpServer(cert=cert, accepts=("koc", "another")) as smtp:
        port = int(server.url.split(":")[2].split("/")[0])
        with opened(tmp_path / "w", port) as app:
            path = app.path
            text = path.read_text(encoding="utf-8").replace(f"port = {port}", f"port = {smtp.port}")
            path.write_text(text.replace('sender = "a@b', f'ca_file = "{cert[0]}"\nsender = "a@b'), encoding="utf-8")
        for name, value in PRIVATE.items():
            monkeypatch.setenv(name, value.replace("{port}", str(port)))
        at = ("--config", str(path))
        for words in (
            ("-v", *at, "check"),
            ("-v", *at, "channel", "list", "--format", "json"),
            ("-v", *at, "channel", "test", "--all"),
            ("-v", *at, "deliver"),
            ("-v", *at, "channel", "list"),
            ("-v", *at, "deliver", "--dead"),
        ):
            cli.run(words)
        assert len(server.requests) == 3, "the receivers were reached"
    assert "AUTH" in smtp.verbs
    out, err = capfd.readouterr()
    shown = out + err
    assert "dingtalk" in shown
    kept = [each for each in (tmp_path / "w").rglob("*") if each.is_file()]
    rows = b"".join(each.read_bytes() for each in kept if each.suffix in (".db", ".db-wal", ".log", ""))
    for secret in (CANARY, PRIVATE["KEY"]):
        assert secret not in shown
        assert secret.encode() not in rows
    assert os.environ["MAIL"] == PRIVATE["MAIL"]
