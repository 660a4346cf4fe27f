"""WordPress, from Debian's packages with MariaDB: what is written through its own API is what the listener reads."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.platforms.workshop import HOST, Seen, Workshop, Workspace, run, unpacked
from tests.servers import free_port

PACKAGES = ("php-cli", "php-mysql", "php-xml", "php-mbstring", "mariadb-server-core")
EXTENSIONS = ("mysqlnd", "mysqli", "mbstring", "dom", "xml", "simplexml", "xmlreader", "ctype", "tokenizer", "iconv")
CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'any'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:' . getenv('KOC_SOCKET')); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('AUTH_KEY', 'a'); define('SECURE_AUTH_KEY', 'b'); define('LOGGED_IN_KEY', 'c'); define('NONCE_KEY', 'd');
define('AUTH_SALT', 'e'); define('SECURE_AUTH_SALT', 'f'); define('LOGGED_IN_SALT', 'g'); define('NONCE_SALT', 'h');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
"""
# PHP's own server gives files; what is no file is WordPress's.
ROUTER = """<?php
$path = $_SERVER['DOCUMENT_ROOT'] . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (is_file($path)) { return false; }
if (is_file(rtrim($path, '/') . '/index.php') && rtrim($path, '/') != $_SERVER['DOCUMENT_ROOT']) { return false; }
$_SERVER['SCRIPT_NAME'] = '/index.php'; $_SERVER['PHP_SELF'] = '/index.php';
chdir($_SERVER['DOCUMENT_ROOT']); require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
"""
PRETTY = """<?php
require $argv[1] . '/wp-load.php';
$wp_rewrite->set_permalink_structure($argv[2]); $wp_rewrite->flush_rules(false);
"""
NOW = datetime.now(UTC).replace(microsecond=0)


def install(folder: Path) -> None:
    root = unpacked(folder, *PACKAGES)
    unpacked_wordpress(folder)
    blog = folder / "wordpress"
    shutil.move(str(root / "usr/share/wordpress"), str(blog))
    (blog / "wp-config.php").write_text(CONFIG)
    (folder / "router.php").write_text(ROUTER)
    (folder / "pretty.php").write_text(PRETTY)


def unpacked_wordpress(folder: Path) -> None:
    """WordPress alone: what Debian would install beside it is a web server that nobody needs here."""
    run("apt-get", "download", "wordpress", cwd=folder)
    (deb,) = folder.glob("wordpress_*.deb")
    run("dpkg", "-x", deb, folder / "root", cwd=folder)
    deb.unlink()


class Machine:
    """The unpacked programs, and how they find their parts."""

    def __init__(self, place: Path) -> None:
        self.place, self.root = place, place / "root"
        libraries = [str(one) for one in (*self.root.glob("lib/*-linux-gnu"), *self.root.glob("usr/lib/*-linux-gnu"))]
        self.env = {"LD_LIBRARY_PATH": ":".join(libraries)}
        self.php_path = next(one for one in (self.root / "usr/bin").glob("php[0-9]*") if one.is_file())
        parts = next((self.root / "usr/lib/php").glob("20*"))
        quick = ("zend_extension=opcache", "opcache.enable=1", "opcache.enable_cli=1")
        options = [f"extension_dir={parts}", *(f"extension={name}" for name in EXTENSIONS), *quick, "sendmail_path=/bin/true"]
        self.php = [str(self.php_path), "-n", *(word for option in options for word in ("-d", option))]

    def database(self, folder: Path) -> list[str]:
        usr, data = self.root / "usr", folder / "data"
        data.mkdir()
        where = [f"--basedir={usr}", f"--datadir={data}", f"--lc-messages-dir={usr}/share/mysql", f"--pid-file={data}/pid"]
        small = ["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--skip-log-bin"]
        # no tables of rights: only who may open the socket's folder gets in
        alone = ["--skip-grant-tables", "--skip-networking", f"--socket={folder}/s", "--user=root"]
        return [str(usr / "sbin/mariadbd"), "--no-defaults", *where, *small, *alone]


class Blog:
    """A running WordPress, its owner's session, and what was written there."""

    def __init__(self, home: str) -> None:
        self.home, self.site = home, home.removeprefix("http://")
        self.client = httpx.Client(base_url=home, timeout=60, follow_redirects=True)
        self.live: dict[str, tuple[str, str | None, str]] = {}
        self._set_up()

    def _set_up(self) -> None:
        owner = {"user_name": "owner", "admin_password": "geheim-17", "admin_password2": "geheim-17", "pw_weak": "on"}
        about = {"weblog_title": "数码博客", "admin_email": "owner@brand.example", "blog_public": "1", "language": ""}
        self.client.post("/wp-admin/install.php", params={"step": "2"}, data=owner | about).raise_for_status()
        self.client.get("/wp-login.php")
        self.client.post("/wp-login.php", data={"log": "owner", "pwd": "geheim-17", "testcookie": "1"}).raise_for_status()
        nonce = self.client.get("/wp-admin/admin-ajax.php", params={"action": "rest-nonce"}).text
        assert len(nonce) == 10, nonce[:500]
        self.client.headers["X-WP-Nonce"] = nonce
        for kind in ("posts", "pages", "comments"):  # what a new WordPress says by itself
            for one in self.api("GET", kind):
                self.api("DELETE", f"{kind}/{one['id']}", force="true")

    def api(self, method: str, what: str, json: Any = None, **query: str) -> Any:
        params = {"rest_route": f"/wp/v2/{what}", **query}
        answer = self.client.request(method, "/index.php", params=params, json=json)
        assert answer.is_success, answer.text[:500]
        return answer.json()

    def post(self, title: str, text: str, at: datetime) -> int:
        words = {"title": title, "content": f"<p>{text}</p>", "status": "publish", "date_gmt": _gmt(at)}
        own = int(self.api("POST", "posts", words)["id"])
        self.live[f"{self.site}:post:{own}"] = ("post", None, f"{title}\n{text}")
        return own

    def comment(self, post: int, name: str, text: str, at: datetime, parent: int = 0) -> int:
        words = {"post": post, "parent": parent, "author_name": name, "author_email": "reader@a.example"}
        own = int(self.api("POST", "comments", {**words, "content": text, "status": "approve", "date_gmt": _gmt(at)})["id"])
        above = f"{self.site}:comment:{parent}" if parent else f"{self.site}:post:{post}"
        self.live[f"{self.site}:comment:{own}"] = ("comment", above, text)
        return own

    def edit(self, kind: str, own: int, text: str) -> None:
        content = f"<p>{text}</p>" if kind == "post" else text
        self.api("POST", f"{kind}s/{own}", {"content": content})
        key = f"{self.site}:{kind}:{own}"
        what, above, before = self.live[key]
        self.live[key] = (what, above, f"{before.partition(chr(10))[0]}\n{text}" if kind == "post" else text)

    def delete(self, kind: str, own: int) -> None:
        self.api("DELETE", f"{kind}s/{own}", force="true")
        del self.live[f"{self.site}:{kind}:{own}"]


def _gmt(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture(params=["", "/archives/%post_id%"], ids=["plain addresses", "pretty addresses"])
def blog(request: pytest.FixtureRequest, workshop: Workshop, tmp_path: Path) -> Iterator[Blog]:
    machine = Machine(workshop.installed("wordpress", install))
    env, port = {**machine.env, "KOC_SOCKET": f"{tmp_path}/s"}, free_port()
    home = f"http://{HOST}:{port}"
    command = [*machine.php, "-S", f"{HOST}:{port}", "-t", machine.place / "wordpress", machine.place / "router.php"]
    with contextlib.ExitStack() as running:
        is_up = partial(_has_database, machine, tmp_path)
        database = machine.database(tmp_path)
        running.enter_context(workshop.running("wordpress database", database, is_up, cwd=tmp_path, env=env))
        running.enter_context(workshop.running("wordpress", command, f"{home}/readme.html", cwd=tmp_path, env=env))
        server = Blog(home)
        _permalinks(machine, env, request.param)
        yield server
        server.client.close()


def _has_database(machine: Machine, folder: Path) -> bool:
    """Whether MariaDB answers; if so, there is a database for WordPress."""
    ask = f'exit((new mysqli("localhost", "any", "", "", 0, "{folder}/s"))->query("{_CREATE}") ? 0 : 1);'
    try:
        run(*machine.php, "-r", ask, cwd=folder, env=machine.env)
    except RuntimeError:
        return False
    return True


_CREATE = "CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4"


def _permalinks(machine: Machine, env: dict[str, str], structure: str) -> None:
    run(*machine.php, machine.place / "pretty.php", machine.place / "wordpress", structure, cwd=machine.place, env=env)


def is_read(space: Workspace, expected: Seen) -> None:
    found = space.posts()
    assert (len(found), dict(found)) == (len(expected), dict(expected))


def test_what_is_written_is_read_twice_with_edits_deletions_and_new_comments_between(blog: Blog, tmp_path: Path) -> None:
    # more posts and comments than a page of the API holds, many of them of one second
    posts = [blog.post(f"评测 {n}", f"用了第 {n} 天，屏幕有绿线", NOW - timedelta(minutes=20 * (n // 4))) for n in range(118)]
    comments = [
        blog.comment(posts[n % 40], f"网友{n % 9}", f"第 {n} 条：我也是", NOW - timedelta(minutes=n // 3)) for n in range(140)
    ]
    answers = [blog.comment(posts[n], "楼主", f"回复 {n}", NOW, comments[n]) for n in range(0, 24, 3)]
    wanted: dict[str, object] = {"platform": "wordpress", "delay_seconds": 0.0, "urls": [blog.home]}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    assert len(blog.live) == 266
    is_read(space, blog.live)

    before = dict(blog.live)
    blog.edit("post", posts[100], "改口了：售后换了新屏")
    blog.edit("comment", comments[77], "改口了：我的好了")
    blog.edit("comment", answers[2], "楼主改了回复")
    blog.delete("post", posts[117])
    blog.delete("comment", comments[50])
    blog.post("新的评测", "刚拿到手", NOW + timedelta(seconds=1))
    blog.comment(posts[116], "小林", "旧文章下的新评论", NOW + timedelta(seconds=2))
    blog.comment(posts[3], "小林", "答楼主", NOW + timedelta(seconds=3), answers[1])
    space.crawl()
    is_read(space, {**before, **blog.live})  # what was deleted since stays as evidence

    again = Workspace.with_source(tmp_path / "second", **wanted)
    again.crawl()
    is_read(again, blog.live)

    feeds = Workspace.with_source(tmp_path / "feeds", **wanted, options={"api": "feed"})
    said = feeds.crawl()
    posts_read = sorted(text for kind, _, text in feeds.posts().values() if kind == "post")
    assert posts_read == sorted(text for kind, _, text in blog.live.values() if kind == "post")
    assert "评论源" in said
    comments_read = {one: what[2] for one, what in feeds.posts().items() if what[0] == "comment"}
    assert len(comments_read) == 10  # all that the feed holds
    assert comments_read.items() <= {one: text for one, (_, _, text) in blog.live.items()}.items()
