"""Spirit, a forum in Django from PyPI: what is written there through its own forms is what the listener reads by selectors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.platforms.workshop import HOST, LISTENER, Seen, Workshop, Workspace, run, venv
from tests.servers import free_port

PEOPLE = ("xiaolu", "aqiu", "beiyu", "laowang")
SETTINGS = """
from town.settings.dev import *
import os
DEBUG = False
ALLOWED_HOSTS = ["*"]
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
ST_RATELIMIT_ENABLE = False
LOGGING = {"version": 1}
DATABASES["default"]["NAME"] = os.environ["SPIRIT_DATABASE"]
STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
"""
PREPARE = """
from django.contrib.auth import get_user_model
from spirit.category.models import Category
people = get_user_model()
for name in {people!r}:
    people.objects.create_user(name, name + "@mail.test", "geheim")
boss = people.objects.create_superuser("boss", "boss@mail.test", "geheim")
boss.st.is_administrator = boss.st.is_moderator = True
boss.st.save()
print("category", Category.objects.create(title="wash", description="").pk)
"""
OPTIONS: dict[str, Any] = {
    "topics": {
        "item": ".layout__topics__topic",
        "link": "a.topic__link",
        "id": r"/topic/(\d+)/",
        "title": "a.topic__link",
        "active": ".topic__date::attr(title)",
        "answers": ".topic__comments",
        "next": ".paginator__button a:has(i.fa-chevron-right)",
        "empty": ".layout__topics > p",
    },
    "floors": {
        "item": ".comments_list__comment",
        "id": "::attr(data-pk)",
        "author": "a.comment__info__username__link > span",
        "author_id": r"a.comment__info__username__link::attr(href) =~ /user/(\d+)/",
        "time": ".comment__info__date li[title]::attr(title)",
        "text": ".comment__text",
        "title": "h1.headline",
        "next": ".paginator__button a:has(i.fa-chevron-right)",
    },
}


def install(place: Path) -> None:
    venv(place, "django-spirit")
    programs = {"PATH": f"{place / 'venv' / 'bin'}:/usr/bin:/bin"}
    run(place / "venv" / "bin" / "spirit", "startproject", "town", cwd=place, env=programs)
    (place / "town" / "town" / "settings" / "seeded.py").write_text(SETTINGS)


class Spirit:
    """A running Spirit, who is logged in there, and what was written: by id (kind, parent, text)."""

    def __init__(self, home: str, category: int) -> None:
        self.home, self.host, self.category = home, home.removeprefix("http://"), category
        self._people = {name: self._logged_in(name) for name in (*PEOPLE, "boss")}
        self.live: dict[str, tuple[str, str | None, str]] = {}
        self._titles: dict[int, str] = {}

    def close(self) -> None:
        for client in self._people.values():
            client.close()

    def _logged_in(self, name: str) -> httpx.Client:
        client = httpx.Client(base_url=self.home, timeout=30)
        answer = self._send(client, "/user/login/", {"username": name, "password": "geheim"})
        assert answer.status_code == 302, answer.text
        return client

    @staticmethod
    def _send(client: httpx.Client, path: str, words: dict[str, Any]) -> httpx.Response:
        """A form as a browser sends it: fetched for its token, filled in, sent."""
        client.get(path).raise_for_status()
        return client.post(path, data={**words, "csrfmiddlewaretoken": client.cookies["csrftoken"]})

    def begin(self, name: str, title: str, text: str) -> int:
        words = {"title": title, "category": self.category, "comment": text}
        answer = self._send(self._people[name], "/topic/publish/", words)
        assert answer.status_code == 302, answer.text
        match = re.search(r"/topic/(\d+)/", answer.headers["location"])
        assert match is not None
        topic = int(match[1])
        self._titles[topic] = title
        self.live[f"{self.host}:topic:{topic}"] = ("post", None, f"{title}\n{text}")
        return topic

    def answer(self, name: str, topic: int, text: str) -> int:
        answer = self._send(self._people[name], f"/comment/{topic}/publish/", {"comment": text})
        assert answer.status_code == 302, answer.text
        own = re.search(r"/comment/(\d+)/find/|#c(\d+)", answer.headers["location"])
        assert own is not None
        number = int(own[1])
        self.live[f"{self.host}:floor:{number}"] = ("comment", f"{self.host}:topic:{topic}", text)
        return number

    def edit(self, name: str, floor: int, text: str) -> None:
        answer = self._send(self._people[name], f"/comment/{floor}/update/", {"comment": text})
        assert answer.status_code == 302, answer.text
        kind, parent, _ = self.live[f"{self.host}:floor:{floor}"]
        self.live[f"{self.host}:floor:{floor}"] = (kind, parent, text)

    def delete(self, floor: int) -> None:
        answer = self._send(self._people["boss"], f"/comment/{floor}/delete/", {})
        assert answer.status_code == 302, answer.text
        del self.live[f"{self.host}:floor:{floor}"]


@pytest.fixture
def spirit(workshop: Workshop, tmp_path: Path) -> Iterator[Spirit]:
    place = workshop.installed("spirit", install)
    python, project, port = place / "venv" / "bin" / "python", place / "town", free_port()
    env = {"DJANGO_SETTINGS_MODULE": "town.settings.seeded", "SPIRIT_DATABASE": str(tmp_path / "spirit.db")}
    run(python, "manage.py", "migrate", "--verbosity", "0", cwd=project, env=env)
    told = run(python, "manage.py", "shell", cwd=project, env=env, given=PREPARE.format(people=PEOPLE))
    category = int(told.split("category ")[1].split()[0])
    command = (python, "manage.py", "runserver", "--noreload", "--insecure", f"{HOST}:{port}")
    with workshop.running("spirit", command, f"http://{HOST}:{port}/robots.txt", cwd=project, env=env):
        running = Spirit(f"http://{HOST}:{port}", category)
        yield running
        running.close()


def seed(spirit: Spirit) -> tuple[list[int], dict[int, list[int]]]:
    """More topics than a page of the list holds, one with more floors than a page of a topic."""
    topics = [spirit.begin(PEOPLE[n % 4], f"晴川体验 {n}", f"第 {n} 天，头皮还行") for n in range(26)]
    floors = {
        topic: [spirit.answer(PEOPLE[at % 4], topic, f"{topic} 的 {at} 楼") for at in range(n % 3)]
        for n, topic in enumerate(topics)
    }
    floors[topics[5]] += [spirit.answer(PEOPLE[at % 4], topics[5], f"盖楼 {at}") for at in range(45)]
    return topics, floors


def is_read(space: Workspace, expected: Seen) -> None:
    found = space.posts()
    assert (len(found), dict(found)) == (len(expected), dict(expected))


def test_what_is_written_is_read_twice_with_edits_deletions_and_new_floors_between(spirit: Spirit, tmp_path: Path) -> None:
    topics, floors = seed(spirit)
    board = f"{spirit.home}/topic/active/"
    wanted: dict[str, object] = {"platform": "forum", "urls": [board], "options": OPTIONS, "delay_seconds": 0.0}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    assert len(spirit.live) == 26 + 25 + 45
    is_read(space, spirit.live)

    before = dict(spirit.live)
    spirit.edit(PEOPLE[0], floors[topics[5]][2], "盖楼 0，改口了：掉漆")
    spirit.delete(floors[topics[5]][20])
    spirit.answer(PEOPLE[1], topics[5], "后来才说的一句")
    spirit.answer(PEOPLE[2], topics[0], "沉了的帖子有人回")
    spirit.begin(PEOPLE[3], "晴川体验 26", "新的主题")
    space.crawl()
    is_read(space, {**before, **spirit.live})  # what was deleted since stays as evidence

    spirit.edit(PEOPLE[0], floors[topics[4]][0], "改了一句，列表上看不出来")
    space.crawl()
    assert space.posts()[f"{spirit.host}:floor:{floors[topics[4]][0]}"][2] == f"{topics[4]} 的 0 楼"
    run(*LISTENER, "backfill", "seeded", "--since", "2020-01-01", cwd=space.folder)  # opens all topics
    is_read(space, {**before, **spirit.live})

    again = Workspace.with_source(tmp_path / "second", **wanted)
    again.crawl()
    is_read(again, spirit.live)
