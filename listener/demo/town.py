"""The season → three small platforms on this machine, and the workspace files that listen to them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from config import edit
from listener.demo.compose import FORUM, GROUP, WEIBO, Person, Season
from listener.demo.platform import PlatformComment, PlatformPost, PlatformServer
from storage.records import Brand

PLACES = (WEIBO, FORUM, GROUP)
NAMES = {WEIBO: "微博", FORUM: "厨房论坛", GROUP: "品牌用户圈"}
MAIL, HOOK = "公关邮箱", "工单系统"
FEED = "feed"
EVERYTHING = 5000  # posts that a feed shows: the season's feeds keep all


@dataclass(frozen=True, slots=True)
class Town:
    """The running platforms, by place."""

    servers: dict[str, PlatformServer]

    def set_clock(self, at: datetime) -> None:
        """Nothing posted later is shown from now on."""
        for server in self.servers.values():
            server.visible_until = at

    def account_of(self, place: str, account: str, name: str) -> tuple[str, str, str]:
        """(platform, account id, profile link) of a person, as the spiders will show the author."""
        if place == WEIBO:
            return WEIBO, account, f"https://weibo.com/u/{account}"
        if place in self.servers:
            return FEED, f"{urlsplit(self.servers[place].url).netloc}:{name}", ""
        return place, account, f"https://www.{place}.com/user/profile/{account}"


@contextmanager
def running(season: Season) -> Iterator[Town]:
    """The platforms on free ports of this machine, gone at the end."""
    with ExitStack() as stack:
        servers = {}
        for place in PLACES:
            posts, comments = _posts_of(season, place)
            servers[place] = stack.enter_context(PlatformServer(posts, comments))
        yield Town(servers)


def _posts_of(season: Season, place: str) -> tuple[list[PlatformPost], list[PlatformComment]]:
    posts, comments = [], []
    for item in season.items:
        if item.platform != place:
            continue
        if item.kind == "comment":
            comments.append(
                PlatformComment(
                    comment_id=item.post_id,
                    post_id=item.parent_id or "",
                    author_id=item.author_id,
                    author_name=item.author_name,
                    posted_at=item.posted_at,
                    text=item.text,
                    likes=item.likes or 0,
                )
            )
        else:
            posts.append(
                PlatformPost(
                    post_id=item.post_id,
                    author_id=item.author_id,
                    author_name=item.author_name,
                    posted_at=item.posted_at,
                    text=item.text,
                    likes=item.likes or 0,
                    reposts=item.reposts or 0,
                    pics=tuple(media.url for media in item.media),
                    repost_of=item.parent_id,
                )
            )
    return posts, comments


# ------------------------------------------------------------------------------------------------------ workspace


def write_settings(path: Path, brand: Brand, town: Town, *, smtp_port: int, hook_url: str, secret_file: str) -> None:
    """Put the brand, three sources and two channels into a fresh listener.toml: an example that a person can read."""
    edit.put_brand(path, _table_of(brand))
    for place in PLACES:
        edit.put_source(path, _source(place, town, brand))
    mail = {"name": MAIL, "type": "email", "host": "127.0.0.1", "port": smtp_port, "security": "none"}
    edit.put_channel(path, mail | {"sender": "口碑监听 <listener@demo.example>", "to": ["公关组 <pr@demo.example>"]})
    edit.put_channel(path, {"name": HOOK, "type": "webhook", "url": hook_url, "secret_file": secret_file})
    edit.put_section(path, "alerts", {"cool_down": "", "storm": 0})  # months are played within a minute


def _source(place: str, town: Town, brand: Brand) -> dict[str, object]:
    url = town.servers[place].url
    if place == WEIBO:
        return {
            "name": NAMES[place],
            "platform": WEIBO,
            "every": "2h",
            "queries": [brand.name, *brand.nicknames, "云朵机", "早八机", "小灶锅"],
            "accounts": "roster",
            "base_url": url,
            "delay_seconds": 0.0,
            "max_pages": 400,
        }
    source: dict[str, object] = {"name": NAMES[place], "platform": FEED, "every": "6h", "delay_seconds": 0.0}
    if place == FORUM:
        return source | {"urls": [f"{url}/feed/atom?limit={EVERYTHING}"]}
    return source | {"urls": [f"{url}/feed/rss?limit={EVERYTHING}"], "about": brand.name}


def _table_of(brand: Brand) -> dict[str, object]:
    table = {key: value for key, value in json.loads(json.dumps(asdict(brand))).items() if value}
    table["rivals"] = [{key: value for key, value in rival.items() if value} for rival in table["rivals"]]
    table["accounts"] = [":".join(account) for account in brand.accounts]
    return table


def write_roster(path: Path, people: tuple[Person, ...], town: Town) -> None:
    """The roster as an operations team keeps it: one row an account, Chinese headers."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["编号", "昵称", "平台", "账号ID", "主页链接", "对接人", "等级", "备注"])
        for person in people:
            for place, account in person.accounts:
                platform, account_id, link = town.account_of(place, account, person.name)
                rows.writerow([person.koc_id, person.name, platform, account_id, link, person.owner, person.tier, ""])
