"""Posts a second of our whole path (fetch, parse, validate, store) against a bare Scrapy spider that only yields, and against
the fetch alone: the same local pages, in one run, each in a process of its own.

    python -m tests.bench.bench_crawl [--pages 400] [--rounds 3]

Exit code 1 where the whole path does less than .6 of bare Scrapy. Start-up counts for all of them alike; it is shown apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from config import edit
from listener import workspace
from listener.app import App
from tests.timeline import BRAND, Timeline

FLOOR = 0.6
SIZE = 20

FETCH = """
import asyncio, json, sys, time
import httpx
async def main(url):
    posts = 0
    async with httpx.AsyncClient(trust_env=False) as client:
        while url:
            page = json.loads((await client.get(url)).content)
            posts += len(page["items"])
            url = page.get("next_url")
    return posts
started = time.monotonic()
print(asyncio.run(main(sys.argv[1])), time.monotonic() - started)
"""

BARE = """
import json, sys, time
import scrapy
from scrapy.crawler import AsyncCrawlerProcess
class Bare(scrapy.Spider):
    name = "bare"
    posts = 0
    async def start(self):
        yield scrapy.Request(sys.argv[1])
    def parse(self, response):
        page = json.loads(response.body)
        for item in page["items"]:
            Bare.posts += 1
            yield item
        if page.get("next_url"):
            yield scrapy.Request(page["next_url"])
process = AsyncCrawlerProcess({"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False,
                               "COOKIES_ENABLED": False, "AUTOTHROTTLE_ENABLED": False})
process.crawl(Bare)
started = time.monotonic()
process.start()
print(Bare.posts, time.monotonic() - started)
"""

OURS = """
import os, sys, time
from pathlib import Path
from listener import pipeline
from listener.app import App
with App.open(Path(sys.argv[2]), os.environ) as app, app.desk() as desk:
    started = time.monotonic()
    pipeline.score = lambda desk: 0  # the crawl alone: scoring has a bench of its own
    crawl = pipeline.crawl(app.job_of("长"), desk)
    assert crawl.outcome == "done", crawl
    print(crawl.items, time.monotonic() - started)
"""


def timed(code: str, *arguments: str, posts: int) -> tuple[float, float]:
    """(seconds, CPU seconds with children) of a process that must have read so many posts."""
    before = os.times()
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    after = os.times()
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    read, seconds = done.stdout.split()[-2:]
    assert int(read) == posts, (read, posts)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return float(seconds), cpu


def ours(folder: Path, timeline: Timeline) -> Path:
    """A new workspace that listens to the timeline."""
    path = workspace.create(folder)
    edit.put_brand(path, BRAND)
    source = {"name": "长", "platform": "feed", "every": "1h", "urls": [timeline.url], "delay_seconds": 0, "max_pages": 100_000}
    edit.put_source(path, source)
    with App.open(path, {}) as app:
        app.prepare()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {"fetch": [], "bare": [], "ours": []}
    with tempfile.TemporaryDirectory(prefix="koc-speed-") as folder, Timeline(options.pages, SIZE) as timeline:
        for number in range(options.rounds):
            at = ours(Path(folder) / str(number), timeline)
            found["fetch"].append(timed(FETCH, timeline.url, posts=timeline.posts))
            found["bare"].append(timed(BARE, timeline.url, posts=timeline.posts))
            found["ours"].append(timed(OURS, timeline.url, str(at), posts=timeline.posts))
        posts = timeline.posts
    rate = {name: posts / statistics.median(seconds for seconds, _ in each) for name, each in found.items()}
    for name, each in found.items():
        cpu = statistics.median(cpu for _, cpu in each)
        print(
            f"{name:6} {rate[name]:8.0f} posts/s   {posts / cpu:8.0f} posts/CPU-s   rounds: {[round(s, 2) for s, _ in each]} s"
        )
    print(json.dumps({"of_bare": round(rate["ours"] / rate["bare"], 3), "of_fetch": round(rate["ours"] / rate["fetch"], 3)}))
    return 0 if rate["ours"] >= FLOOR * rate["bare"] else 1


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
