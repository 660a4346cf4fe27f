"""`listener demo`: the season on three local platforms → real crawls, alerts, a real mail and a real webhook."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from rich.console import Console
from rich.text import Text

from listener import board, overview, workspace
from listener.app import App
from listener.demo import show, town
from listener.demo.compose import DAYS, ZONE, Season, compose
from listener.demo.receivers import HookReceiver, MailReceiver
from listener.pipeline import Delivered
from listener.text.faces import page_of
from storage.records import Crawl, StoredAlert
from storage.roster_records import By

MARKER = ".listener-demo"  # only a folder that holds it is emptied for a new performance
RECENT = timedelta(days=14)
SECRET = "webhook.secret"  # noqa: S105 (a file name)
CRAWLS_BACK = (16, 5)  # days back at which the earlier rounds of crawls saw the platforms; the last sees them now


@dataclass(slots=True)
class Played:
    """What became of a performance, for tests: the alerts as they stand, files, seconds."""

    season: Season
    alerts: list[StoredAlert]
    mails: list[Path] = field(default_factory=list)
    hooks: list[Path] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    seconds: float = 0.0


class StageError(workspace.WorkspaceError):
    """The folder can't be played in."""


def play(folder: Path, console: Console, *, today: date | None = None) -> Played:
    """Play the season in a folder, which is made, or emptied if an earlier performance left it. Raises StageError."""
    began = time.monotonic()
    folder = folder.absolute()
    clear(folder)
    season = compose(today or datetime.now(ZONE).date())
    show.title(console, season.brand.name, DAYS, len(season.people))
    secret = workspace.make_webhook_secret(folder / SECRET)
    with (
        town.running(season) as here,
        MailReceiver(folder / "received" / "mail") as mail,
        HookReceiver(folder / "received" / "webhook", secret) as hook,
    ):
        path = workspace.create(folder)
        town.write_settings(path, season.brand, here, smtp_port=mail.port, hook_url=hook.url, secret_file=SECRET)
        town.write_roster(folder / "名单.csv", season.people, here)
        with App.open(path, {**os.environ, "LISTENER_CONFIG": str(path)}) as app:
            app.store.save_kocs(app.read_roster(folder / "名单.csv").kocs, by=By("演示 demo", app.now(), "import", "名单.csv"))
            for number, at in enumerate(_clocks(season), 1):
                here.set_clock(at)
                _round(app, console, number, at)
            played = Played(season, app.store.alerts(), list(mail.files), list(hook.files))
            played.pages = _write_pages(app, played.alerts, folder / "received")
            played.seconds = time.monotonic() - began
            _tell(app, console, played, folder)
    return played


def clear(folder: Path) -> None:
    """Make the folder, empty of everything that an earlier performance left; a folder of somebody else is refused."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise StageError(
                f"{folder} 里已有别的文件，请换一个：listener demo --folder 新文件夹 / "
                f"{folder} holds other files; choose another: listener demo --folder NEW"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(
        "listener demo 的文件夹，可随时删除 / made by listener demo, may be deleted\n", encoding="utf-8"
    )


def _clocks(season: Season) -> list[datetime]:
    """When the platforms were looked at: some rounds in the past, the last at the season's end."""
    end = datetime(season.ends_on.year, season.ends_on.month, season.ends_on.day, tzinfo=ZONE)
    return [*(end - timedelta(days=days) + timedelta(hours=8) for days in CRAWLS_BACK), end]


def _round(app: App, console: Console, number: int, at: datetime) -> None:
    """What a scheduler would do at that time: every source, then what follows from it, then what is due."""
    brought: dict[str, int] = {}
    before = {one.alert.key for one in app.store.alerts()}
    with console.status(f"第 {number} 轮 / round {number} …") as status:
        for name in app.source_names():
            status.update(f"第 {number} 轮：抓取 {name} / crawling …")
            held = app.store.counts()["posts"]
            _crawled(app.crawl(name))
            brought[name] = app.store.counts()["posts"] - held
        status.update(f"第 {number} 轮：观察 / watching …")
        app.catch_up()
        status.update(f"第 {number} 轮：推送 / delivering …")
        done = app.deliver()
    fresh = [one for one in app.store.alerts() if one.alert.key not in before]
    show.crawled(console, number, at, brought, _told(fresh, done))


def _crawled(crawl: Crawl) -> Crawl:
    if crawl.outcome != "done":
        raise StageError(f"{crawl.source}: {crawl.outcome} {crawl.error}")
    return crawl


def _told(fresh: Sequence[StoredAlert], done: Delivered) -> Text:
    """What followed from a round: KOCs with new turns by level, other signals, what was sent, what was told in a summary."""
    reds = len({one.alert.koc_id for one in fresh if one.alert.level == "red"})
    ambers = len({one.alert.koc_id for one in fresh if one.alert.kind == "drift"}) - reds
    quiet = sum(one.alert.kind != "drift" for one in fresh)
    words = [Text(f"红 {reds}", "red")] if reds else []
    words += [Text(f"黄 {ambers}", "yellow")] if ambers else []
    words += [Text(f"信号 {quiet}", "blue")] if quiet else []
    words += [Text(f"推送 {done.sent}")] if done.sent else []
    words += [Text("较早的汇总成一封")] if done.summarized else []
    return Text(" · ").join(words or [Text("没有新预警")])


def _write_pages(app: App, alerts: Sequence[StoredAlert], folder: Path) -> list[Path]:
    """The foremost alert as a page for a phone, and all of them on one."""
    if not alerts:
        return []
    views = [app.view_of(one) for one in _worth_reading(alerts, app.now())]
    pages = {"alert.html": page_of(views[0]), "alerts.html": page_of(*views)}
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")
    return [folder / name for name in pages]


def _worth_reading(alerts: Sequence[StoredAlert], now: datetime) -> list[StoredAlert]:
    """One alert a KOC, its strongest: first what was just sent, the surest of it first, then the others, newest first."""

    def rank(one: StoredAlert) -> tuple[bool, bool, float, float, str]:
        is_recent = now - one.alert.fired_at <= RECENT
        posterior = float(one.alert.evidence.get("posterior", 0.0)) if is_recent else 0.0
        return one.alert.level != "red", not is_recent, -posterior, -one.alert.fired_at.timestamp(), one.alert.key

    return sorted(board.strongest_of(alerts).values(), key=rank)


def _tell(app: App, console: Console, played: Played, folder: Path) -> None:
    now = datetime.now(UTC)
    show.board(console, overview.board_of(app), now, app.timezone)
    views = [app.view_of(one) for one in _worth_reading(played.alerts, now)]
    if views:
        show.others(console, views[1:])
        show.alert(console, views[0])
    show.received(console, [_mail(path) for path in played.mails], played.hooks, played.pages)
    show.further(console, folder, views[0].name if views else played.season.people[0].name, played.seconds)


def _mail(path: Path) -> show.Mail:
    return show.Mail(str(message_from_bytes(path.read_bytes(), policy=default)["Subject"]), path)
