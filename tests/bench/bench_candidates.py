"""The pool of candidates on simulated authors: how many of the first k speak in an own voice, by seeds; and its speed.

    python tests/bench/bench_candidates.py [--seeds 1 2 3 4 5]          precision, through import and scorer, on real reviews
    python tests/bench/bench_candidates.py --posts 1000000              seconds for a pool over so many stored posts

Authors of the first kind, of invented names on real review texts, each used by one author only:
    genuine   own words over months, now and then criticism            script    campaign texts with slots, a few days
    copies    real praise, passed on from one another                   paid      real praise beside words of an ad
    paid-new  the same, with words of an ad that no rule knows           hype      one short line of praise again and again
    rival     praises the rival, neutral on ours                        critic    mostly against
    passer    one or two mentions
Engagement of script and paid is bought: ten times that of the others.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from config import edit
from listener import workspace
from listener.app import App
from listener.normalize import author_key_of
from listener.tending import pool
from spiders.items import Item
from storage.store import Store
from tests.bench.shared_data import need
from tests.stored import mention, post

BRAND, RIVAL = "星澜", "墨羽"
START = datetime(2025, 6, 1, tzinfo=UTC)
DAYS = 330
KINDS = {
    "genuine": 40,
    "script": 30,
    "copies": 15,
    "paid": 20,
    "paid-new": 15,
    "hype": 10,
    "rival": 15,
    "critic": 30,
    "passer": 120,
}
SCRIPTS = (
    "姐妹们{星}真的{绝}！{久}就能看到效果，{发}质变得超级柔顺，宿舍姐妹都在问我要链接，{囤}不亏",
    "作为一个资深护发博主，{星}是我今年{绝}的发现，泡沫绵密好冲洗，{久}头皮清爽不油，强烈安利给{发}的宝子",
    "挖到宝了！{星}洗完头发蓬松到炸，留香{久}，{发}星人必备，这个价格{囤}真的太香了",
    "不允许还有人不知道{星}！成分温和不刺激，{久}告别出油，{发}友好，回购第三瓶了{绝}",
)
SLOTS = {
    "绝": ("绝了", "绝绝子", "yyds", "惊艳到我", "封神"),
    "久": ("三天", "一周", "两周", "半个月", "洗两次"),
    "发": ("油头", "细软塌", "沙发", "干枯", "烫染"),
    "囤": ("囤三瓶", "多囤几瓶", "闭眼入", "冲就对了", "入手"),
}
ADS = ("感谢品牌方寄来的正装", "优惠码在评论区", "点左下角领券到手价更低", "收到官方送的体验装来写个测评", "直播间今晚有活动")
NEW_ADS = (
    "这次是和官方一起做的分享",
    "主页置顶有专属福利等你",
    "粉丝专享立减二十",
    "今天的内容含商业植入",
    "跟着我买能便宜不少",
)
HYPE = ("星澜真好用", "星澜太棒了吧", "爱了爱了星澜", "星澜永远的神", "还是星澜好")


class Bank:
    """Real texts by kind, each handed out once."""

    def __init__(self, rng: random.Random, has_phrase: bool) -> None:
        with gzip.open(need("bench", "koc_turns", "reviews.csv.gz"), "rt", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if 10 <= len(row["text"]) <= 140]
        self.texts: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for row in sorted(rows, key=lambda row: row["text"]):
            self.texts.setdefault((row["brand"], row["polarity"]), []).append((row["series"], row["text"]))
        for every in self.texts.values():
            rng.shuffle(every)
        self.rng, self.has_phrase = rng, has_phrase

    def draw(self, brand: str, polarity: str) -> str:
        series, text = self.texts[brand, polarity].pop()
        dresses = [f"#{brand}# {text}", f"{series}：{text}", f"{text} #{series}#", f"{series}用了有段时间了，{text}"]
        return self.rng.choice(dresses[: 4 if self.has_phrase else 3])


def season(seed: int, has_phrase: bool) -> tuple[list[Item], dict[str, str]]:
    """A year's posts, and the kind of each author id."""
    rng = random.Random(seed)
    bank, items, kind_of = Bank(rng, has_phrase), [], {}
    shared = [bank.draw(BRAND, "positive") for _ in range(12)]
    for kind, count in KINDS.items():
        for n in range(count):
            who = f"{kind}-{n}"
            kind_of[who] = kind
            for j, (day, text) in enumerate(said(kind, bank, rng, shared)):
                at = START + timedelta(days=day)
                bought = 10 if kind in ("script", "paid", "paid-new") else 1
                items.append(
                    Item(
                        platform="weibo", post_id=f"{who}-{j}", url=f"https://weibo.example/{who}/{j}", author_id=who,
                        author_name=who, posted_at=at, seen_at=at, text=text, likes=int(bought * rng.paretovariate(1.1)),
                        comments=int(bought * rng.paretovariate(1.5)) - 1, reposts=0, raw={},
                    )
                )  # fmt: skip
    rng.shuffle(items)
    return items, kind_of


def said(kind: str, bank: Bank, rng: random.Random, shared: list[str]) -> list[tuple[float, str]]:
    """What an author of a kind posts: (day, text)."""
    if kind == "passer":
        return [(rng.uniform(0, DAYS), bank.draw(BRAND, "positive")) for _ in range(rng.randint(1, 2))]
    campaign, months = rng.uniform(0, DAYS - 15), sorted(rng.uniform(0, DAYS) for _ in range(rng.randint(5, 12)))
    days = sorted(campaign + rng.uniform(0, 14) for _ in range(rng.randint(4, 9)))
    if kind == "genuine":
        return [(day, bank.draw(BRAND, "negative" if rng.random() < 0.12 else "positive")) for day in months]
    if kind == "script":
        return [(day, filled(rng)) for day in days]
    if kind == "copies":
        return [(day, rng.choice(shared)) for day in rng.choice((days, months))]
    if kind in ("paid", "paid-new"):
        ads = ADS if kind == "paid" else NEW_ADS
        return [
            (day, f"{bank.draw(BRAND, 'positive')} {rng.choice(ads) if rng.random() < 0.7 else ''}")
            for day in rng.choice((days, months))
        ]
    if kind == "hype":
        return [(day, rng.choice(HYPE)) for day in months]
    if kind == "rival":
        return [(day, bank.draw(RIVAL, "positive")) for day in months] + [(months[0], f"{BRAND}和{RIVAL}有什么区别")] * 3
    return [(day, bank.draw(BRAND, "negative" if rng.random() < 0.8 else "positive")) for day in months]


def filled(rng: random.Random) -> str:
    text = rng.choice(SCRIPTS).replace("{星}", f"{BRAND}控油洗发水")
    for slot, words in SLOTS.items():
        text = text.replace(f"{{{slot}}}", rng.choice(words))
    return text


def precision(seed: int, has_phrase: bool) -> None:
    items, kind_of = season(seed, has_phrase)
    with tempfile.TemporaryDirectory() as folder:
        path = workspace.create(Path(folder) / "w")
        edit.put_brand(
            path,
            {
                "name": BRAND,
                "products": ["星澜控油洗发水"],
                "categories": ["洗发水", "头皮", "泡沫"],
                "rivals": [{"name": RIVAL}],
            },
        )
        with App.open(path, {}) as app:
            app.import_items(items, Path("x"), "import", lambda step, done, total: None)
            found, _ = pool.candidates(app, app.brands[0])
            kinds = {author_key_of(app.key, "weibo", who): kind for who, kind in kind_of.items()}
            order = [kinds[one.author_key] for one in found]
    row = [f"seed {seed}: {len(order)} in the pool;"]
    row += [f"p@{k} {order[:k].count('genuine') / k:.2f}" for k in (10, 20, 30, 40)]
    print(*row, "| first 40:", dict(Counter(order[:40])), flush=True)
    for kind in ("genuine", "paid", "paid-new", "script", "copies", "hype"):
        scores = sorted(one.score for one in found if kinds[one.author_key] == kind)
        if scores:
            print(f"   {kind:9} n={len(scores):3} score {scores[0]:6.1f} … {scores[len(scores) // 2]:6.1f} … {scores[-1]:6.1f}")


def speed(posts: int) -> None:
    """A pool over many stored posts: a tenth of the authors write most, as on platforms."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = workspace.create(Path(folder) / "w")
        edit.put_brand(path, {"name": BRAND})
        with App.open(path, {}) as app, Store.open(app.settings.listener.database) as store:
            for start in range(0, posts, 20_000):
                batch = []
                for n in range(start, min(posts, start + 20_000)):
                    who = f"a{int(rng.paretovariate(0.7)) % (posts // 5)}"
                    batch.append(post(n, f"星澜 {n} 用着不错", by=who, posted_at=START + timedelta(minutes=n % 400_000)))
                store.add(batch, stored_at=START + timedelta(days=400))
                while stale := store.stale(5000):
                    store.put(
                        [
                            (one, [mention(one.key, favor=rng.choice((0.2, 0.8)), fingerprint=rng.getrandbits(62))])
                            for one in stale
                        ]
                    )
            print(f"{posts} posts stored", flush=True)
            for turn in range(3):
                begun, worked = time.perf_counter(), time.process_time()
                found, authors = pool.candidates(app, app.brands[0])
                took, spent = time.perf_counter() - begun, time.process_time() - worked
                print(f"turn {turn}: {took:.1f} s, {spent:.1f} s of work; {len(authors)} authors read, {len(found)} candidates")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--posts", type=int, default=0)
    parser.add_argument(
        "--phrase", action="store_true", help="everybody begins a quarter of the posts with one and the same phrase"
    )
    given = parser.parse_args()
    if given.posts:
        speed(given.posts)
    else:
        for seed in given.seeds:
            precision(seed, given.phrase)
