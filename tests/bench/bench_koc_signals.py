"""Each signal of one KOC on seasons with and without its event: recall, false alarms, what was held back.

    nice python tests/bench/bench_koc_signals.py --cache DIR [--seeds 21 22 23] [--kocs 400] [--sample]

Seasons of the end-to-end judge (real reviews, real gaps; see bench_koc_turns.py) get events written into the timelines of KOCs
who are stable or mild, each kind to other KOCs, and its look-alikes to others still: a grave post (an exposé, a long complaint
with proof) against a calm long critique, somebody else's exposé, one about the rival and the same post again; a farewell with
praise of the rival against words that name it and do not leave; the same cause raised twice or thrice against two causes;
comments that accuse against harmless ones and a single voice; praise that gives way to mere mentions. That a KOC praises the
rival alone, or stops, is in the judge's own seasons. The events' words are this file's own, and the word lists were mended on
them: what of them is recalled shows that rules and cues work together on words of such a kind, not how many others' words they
hear. Signals without an event are counted on all other timelines, whose words are real, with central 90 % intervals (Poisson,
Wilson).

--sample: besides, what 1000 real posts and their comments of a Weibo sample give: every author a KOC, the account they mention
the brand.
"""

from __future__ import annotations

import argparse
import collections
import csv
import gzip
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from config import edit
from listener import workspace
from listener.app import App
from listener.drift.deployment import interval
from listener.drift.rules import default_calibration
from listener.pipeline import verdicts_of
from storage.records import Account, Crawl, Koc, Verdict
from tests.bench.bench_koc_turns import made
from tests.bench.shared_data import need

KINDS = ("grave-post", "defection", "unresolved-feedback", "accusation", "silence", "praise-withdrawal", "first-negative")
BRAND, RIVAL = "星澜", "墨羽"
SHARE = 0.05  # of the stable and mild KOCs that get each kind of event

EXPOSES = (
    "我在{b}做过两年品控，今天终于可以说了：临期的{p}会拆盒换批号再卖，车间里人人都知道，我手上还有当时的交接单。",
    "离职半年了，来讲讲{b}的检测报告。送检的样品和卖给大家的不是一个配方，{p}上市前那份报告是改过的。",
    "前员工爆料：{b}客服的好评全是外包公司刷的，每个月一个报价单，{p}也不例外，截图我放评论区。",
    "{b}的内幕我忍了很久。做代工的朋友告诉我，{p}的成本不到八块，所谓专利成分根本没加够。",
    "作为{b}的前经销商，爆个料：退回来的{p}擦一擦又进了仓库，我亲手搬过。",
    "有{b}的内部群聊天记录流出，早就知道{p}会让人掉发，群里说先压着别公布，图我打了码。",
)
PARTS = (
    "{m}月{d}日我在{b}官方店下单了{p}，订单号和付款截图都在图一。",
    "{m}月{e}日收到货，用了三天头皮开始红肿，当天我就拍了照片，第四天去医院，病历写着接触性皮炎，见图二。",
    "第一次联系客服，客服说让我停用再观察；第二次联系，换了个人，要我重新提供照片和病历。",
    "一周后说要送检，送检费自理，到今天已经两个月，没有任何人给我说法，也拒绝退款。",
    "聊天记录和通话录音我都保留着，我不是来讹钱的，我只想要一个交代。",
    "投诉到平台，商家说是我个人体质，报告却始终不肯公开，我的医药费一千六百多，发票见图三。",
)
CRITIQUES = (
    "用{p}三个月了，认真写一篇长一点的体验。首先清洁力不错，泡沫细，冲得也快，这一点比上一代好。其次香味偏浓，我家人觉得有点"
    "冲，希望能出一个淡香版。再说包装，泵头在剩三分之一的时候就压不上来，建议改成真空瓶。最后是价格，日常价略高，活动的时候入手"
    "还是值得的。整体打八分，美中不足就是泵头和香味，希望下一代改进。",
    "{p}用了大半年，说说优点和不足。优点是控油确实明显，头皮清爽，家里人也都在用；不足是发尾会有一点干，如果能配一支小样护发素"
    "就更完美了。第一次买的时候客服还耐心讲了用法，第二次补发也很快。建议说明书把用量写得更清楚一些，继续加油。",
)
OTHERS_EXPOSES = (
    "听说有前员工爆料{b}换批号，真假不知道，等官方回应吧。",
    "有人说{b}的内部文件流出了，我没看到原图，先不站队。",
    "{r}又被前员工爆料了，临期货换标那个，还好我一直用的{b}，{p}没出过问题。",
    "爆个料：{b}下个月要出{p}的联名款，好期待！",
)
FAREWELLS = (
    "再也不会买{p}了，用了三年，说走就走。已经换成{r}，{s}比它好用太多。",
    "从{b}脱粉，转投{r}了。{s}真的舒服，早该换。",
    "{p}涨价又缩水，以后不会再回购。现在用{s}，很满意，推荐。",
    "取关{b}了，不再支持。隔壁{r}的{s}才是真良心，强烈推荐。",
    "跟{b}说再见吧，{p}用得我心寒，再也不买；{r}的{s}很好用，会一直用下去。",
)
NO_DEFECTIONS = (
    "{r}的{s}也试过，不如{p}好用，还是回来了。",
    "同时用着{p}和{s}，各有各的好，都推荐。",
    "{p}这次的味道太冲了，有点失望，不会再买这个味道。",
    "谁说换{r}就好了？{s}我用了就后悔，还是{p}好。",
    "再也不买{r}了，{s}太差，还是{b}靠谱。",
)
CAUSES = {
    "after-sales": (
        "{p}的泵头坏了，找{b}客服要求换货，客服态度很差，一直推脱。",
        "又来说一次：{b}的售后真的不行，换货申请拖到现在都没人处理。",
        "第三次联系{b}客服了，还是那句会反馈，{p}至今没给我解决，太失望了。",
    ),
    "logistics": (
        "{p}的快递太慢了，发货拖了一周才出库，箱子还破损了。",
        "{b}这次又发错货，少发一瓶{p}，物流也没人管。",
        "还是物流的问题，反馈了几次都没人解决，{b}的包裹又漏了一箱子。",
    ),
    "price": (
        "刚买完{p}第二天就降价三十块，{b}还不给保价，太坑了。",
        "{b}老用户买得比新用户还贵，{p}的价格越来越离谱。",
        "差价的事问了{b}三次都没人回，{p}又涨价了，不值这个价。",
    ),
}
CHARGES = (
    "收了多少钱啊这么夸",
    "又来恰饭了是吧",
    "每次都报喜不报忧，没意思",
    "{b}给了你多少钱",
    "水军吧",
    "只说优点不说缺点，取关了",
    "软文无疑",
    "别给他们洗地了",
    "博主是品牌的托吧",
    "出了事你还在洗地，良心呢",
    "以前挺客观的，现在满屏广告味",
    "句句都在夸，合同里写的吧",
)
MERE = (
    "{p}到货了，先放着，还没拆。",
    "今天出门前用的{p}，赶时间。",
    "行李里有一瓶{p}，还有牙刷和毛巾。",
    "问一下，{p}是早上用还是晚上用？",
    "浴室柜里剩半瓶{p}，半盒面膜。",
    "{b}那边说周三发货，{p}两瓶。",
)
HARMLESS = (
    "收藏了，谢谢博主",
    "多少钱一瓶？",
    "我也在用，确实可以",
    "不是广告吧哈哈，看着不错",
    "求链接",
    "我用了没什么感觉",
    "这个味道好闻吗",
    "恭喜恰饭，支持",
    "客服给我退了多少钱我忘了",
    "那些好评我不太信，等等看",
)


@dataclass(frozen=True)
class Event:
    """What was written into a KOC's timeline, and when. kind: of the signal it should raise, "" where it should raise none;
    what: of it in one word."""

    koc: str
    kind: str
    what: str
    first_at: datetime
    last_at: datetime


class Writer:
    """Events into the items of a season."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        with gzip.open(folder / "items.jsonl.gz", "rt", encoding="utf-8") as file:
            self.items = [json.loads(line) for line in file]
        with (folder / "roster.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.accounts: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
        for row in rows:
            self.accounts[row["koc_id"]].append((row["platform"], row["account_id"]))
        koc_of = {account: koc for koc, accounts in self.accounts.items() for account in accounts}
        brand = json.loads((folder / "brand.json").read_text(encoding="utf-8"))
        self.products, self.rivals = brand["products"], brand["rivals"][0]["products"]
        self.own: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
        for item in self.items:
            koc = koc_of.get((item["platform"], item["author_id"]))
            if koc and any(name in item["text"] for name in (BRAND, *self.products)):
                self.own[koc].append(item)
        self.rng, self.number, self.events = rng, 0, list[Event]()

    def spoken(self, text: str) -> str:
        r = self.rng
        made = {"m": r.randrange(1, 10), "d": r.randrange(1, 14), "e": r.randrange(15, 28)}
        names = {"b": BRAND, "r": RIVAL, "p": r.choice(self.products), "s": r.choice(self.rivals)}
        return text.format(**names, **made)

    def post(self, koc: str, text: str, at: datetime, **more: Any) -> dict[str, Any]:
        """A post of a KOC; more: of somebody else, an answer."""
        self.number += 1
        platform, author = self.accounts[koc][0]
        item = {
            "platform": platform,
            "post_id": f"event{self.number}",
            "url": f"https://{platform}.example/event{self.number}",
            "author_id": author,
            "author_name": "网友",
            "posted_at": at.isoformat(timespec="seconds"),
            "seen_at": (at + timedelta(hours=3)).isoformat(timespec="seconds"),
            "text": text,
            "kind": "post",
        }
        item |= more
        self.items.append(item)
        return item

    def some_time(self, koc: str) -> datetime | None:
        """In the middle of a KOC's timeline, after some mentions; None where it is too short."""
        times = sorted(datetime.fromisoformat(item["posted_at"]) for item in self.own[koc])
        if len(times) < 12:
            return None
        return times[self.rng.randrange(6, len(times) - 4)] + timedelta(minutes=self.rng.randrange(120, 2400))

    def write(self, koc: str, plan: str) -> None:
        at = self.some_time(koc)
        if at is None:
            return
        kind, what, last = getattr(self, "_" + plan)(koc, at)
        self.events.append(Event(koc, kind, what, at, last))

    # ------------------------------------------------------------------------------------------------------- events

    def _expose(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        self.post(koc, self.spoken(self.rng.choice(EXPOSES)), at)
        return "grave-post", "exposé", at

    def _complaint(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        head = self.rng.choice(("实名说说我和{b}的事。", "写一篇长文，把时间线捋一遍。", "关于{p}，完整经过如下。"))
        left_out = self.rng.randrange(len(PARTS)) if self.rng.random() < 0.5 else -1
        body = "".join(part for n, part in enumerate(PARTS) if n != left_out)
        self.post(koc, self.spoken(head + body), at)
        return "grave-post", "complaint", at

    def _same_again(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        text = self.spoken(self.rng.choice(EXPOSES))
        for n in range(3):
            self.post(koc, text + "（转自我的另一个号）" * (n > 0), at + timedelta(days=5 * n))
        return "grave-post", "thrice the same exposé", at + timedelta(days=10)

    def _critique(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        self.post(koc, self.spoken(self.rng.choice(CRITIQUES)), at)
        return "", "calm long critique", at

    def _others_expose(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        self.post(koc, self.spoken(self.rng.choice(OTHERS_EXPOSES)), at)
        return "", "exposé of others, of the rival, of news", at

    def _farewell(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        self.post(koc, self.spoken(self.rng.choice(FAREWELLS)), at)
        return "defection", "said", at

    def _no_defection(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        self.post(koc, self.spoken(self.rng.choice(NO_DEFECTIONS)), at)
        return "", "names the rival, does not leave", at

    def _feedback(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        texts = CAUSES[self.rng.choice(sorted(CAUSES))]
        count = self.rng.choice((2, 3))
        for n, text in enumerate(texts[-count:]):
            last = at + timedelta(days=n * self.rng.randrange(10, 30))
            self.post(koc, self.spoken(text), last)
        return "unresolved-feedback", f"{count} times", last

    def _two_causes(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        first, second = self.rng.sample(sorted(CAUSES), 2)
        self.post(koc, self.spoken(CAUSES[first][0]), at)
        self.post(koc, self.spoken(CAUSES[second][0]), at + timedelta(days=15))
        return "", "two causes, once each", at + timedelta(days=15)

    def _accused(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        praised = self.spoken("{p}又回购了，还是一如既往地好用，推荐给大家")
        under = self.post(koc, praised, at - timedelta(minutes=5))
        voices = self.rng.sample(CHARGES, self.rng.choice((2, 3, 4)))
        for n, text in enumerate(voices):
            self.answer(koc, under, self.spoken(text), at + timedelta(hours=2 * n + 1), f"voice{self.number}")
        return "accusation", f"{len(voices)} voices", at + timedelta(hours=9)

    def _one_voice(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        under = self.post(koc, self.spoken("{p}又回购了，一如既往地好用"), at - timedelta(minutes=5))
        for n in range(2):
            self.answer(koc, under, self.spoken(self.rng.choice(CHARGES)), at + timedelta(hours=n), "same")
        return "", "one voice twice", at

    def _harmless(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        under = self.post(koc, self.spoken("{p}又回购了，一如既往地好用"), at - timedelta(minutes=5))
        for n, text in enumerate(self.rng.sample(HARMLESS, 6)):
            self.answer(koc, under, text, at + timedelta(hours=n), f"voice{self.number}")
        return "", "harmless comments", at

    def _withdraw(self, koc: str, at: datetime) -> tuple[str, str, datetime]:
        """From there on the KOC goes on to mention the brand, and praises it no more."""
        for item in self.own[koc]:
            if datetime.fromisoformat(item["posted_at"]) >= at:
                item["text"] = self.spoken(self.rng.choice(MERE)) + f"（{self.rng.randrange(1000)}）"
        return "praise-withdrawal", "mere mentions", at + timedelta(days=400)

    def answer(self, koc: str, under: dict[str, Any], text: str, at: datetime, who: str) -> None:
        ids = {"parent_id": under["post_id"], "root_id": under["post_id"], "kind": "comment"}
        self.post(koc, text, at, author_id=f"{who}-{koc}", author_name="路人", **ids)


PLANS = (
    "expose", "complaint", "same_again", "critique", "others_expose", "farewell", "no_defection", "feedback", "two_causes",
    "accused", "one_voice", "harmless", "withdraw",
)  # fmt: skip
# What looks like an event of a kind and is none.


LIKE = {
    "calm long critique": "grave-post",
    "exposé of others, of the rival, of news": "grave-post",
    "names the rival, does not leave": "defection",
    "two causes, once each": "unresolved-feedback",
    "one voice twice": "accusation",
    "harmless comments": "accusation",
}


def with_events(folder: Path, out: Path, seed: int) -> list[Event]:
    """The season with its events, as a folder of its own."""
    rng = random.Random(seed)
    writer = Writer(folder, rng)
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        calm = [row["koc_id"] for row in csv.DictReader(file) if row["scenario"] in ("stable", "mild")]
    rng.shuffle(calm)
    each = max(1, round(SHARE * len(calm)))
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        fans = [row["koc_id"] for row in csv.DictReader(file) if row["scenario"] == "rival_fan"]
    for koc in fans:
        times = sorted(datetime.fromisoformat(item["posted_at"]) for item in writer.own[koc])
        if len(times) >= 6:  # from there on the judge lets them praise the rival alone
            writer.events.append(Event(koc, "defection", "shown", times[-1], times[-1] + timedelta(days=400)))
    for number, plan in enumerate(PLANS):
        for koc in calm[number * each : (number + 1) * each]:
            writer.write(koc, plan)
    out.mkdir(parents=True, exist_ok=True)
    rng.shuffle(writer.items)
    with gzip.open(out / "items.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in writer.items)
    for name in ("roster.csv", "truth.csv", "brand.json"):
        (out / name).write_bytes((folder / name).read_bytes())
    return writer.events


def judged(folder: Path) -> tuple[list[Verdict], dict[str, float]]:
    """What the program says of a season whose timelines are all covered to its end; and the years of each KOC."""
    brand = json.loads((folder / "brand.json").read_text(encoding="utf-8"))["name"]
    with tempfile.TemporaryDirectory() as place:
        path = workspace.create(Path(place))
        edit.put_brand(path, edit.read_brand(folder / "brand.json"))
        with App.open(path, {}) as app:
            app.store.save_kocs(app.read_roster(folder / "roster.csv").kocs)
            app.import_file(folder / "items.jsonl.gz", workers=1)
            return covered_verdicts(app, brand)


def covered_verdicts(app: App, brand: str) -> tuple[list[Verdict], dict[str, float]]:
    kocs = app.store.kocs()
    at = max(one.last_post_at for one in app.store.heard() if one.last_post_at) + timedelta(days=1)
    crawl = Crawl("all", "all", "forum", at, None, "running", 0, "")
    app.store.start_crawl(crawl)
    accounts = tuple((one.platform, one.account_id) for koc in kocs for one in koc.accounts)
    app.store.end_crawl(replace(crawl, ended_at=at, outcome="done", covered=accounts))
    histories = app.store.histories([(koc.koc_id, brand) for koc in kocs])
    years = {h.koc_id: (at - h.mentions[0].posted_at).days / 365 for h in histories if h.mentions}
    return verdicts_of(histories, app.store.moods(brand), default_calibration(), app.rule()), years


def wilson(hits: int, of: int, z: float = 1.645) -> tuple[float, float]:
    """Central 90 % of a share.

    >>> [round(x, 2) for x in wilson(9, 10)]
    [0.66, 0.98]
    """
    p, n = hits / of, of
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def show(runs: Sequence[tuple[Path, list[Event], list[Verdict], dict[str, float]]]) -> None:
    """Two tables: recall by event, and false alarms by kind and scenario."""
    raised: dict[tuple[str, str], list[bool]] = collections.defaultdict(list)
    doubled: collections.Counter[str] = collections.Counter()
    false: collections.Counter[tuple[str, str]] = collections.Counter()
    held: collections.Counter[tuple[str, str]] = collections.Counter()
    years: collections.Counter[str] = collections.Counter()
    for folder, events, verdicts, lived in runs:
        with (folder / "truth.csv").open(encoding="utf-8") as file:
            scenario = {row["koc_id"]: row["scenario"] for row in csv.DictReader(file)}
        of_koc = {event.koc: event for event in events}
        for verdict in verdicts:
            koc = verdict.state.koc_id
            event = of_koc.get(koc)
            for kind in KINDS:
                found = [one for one in verdict.signals if one.kind == kind]
                inside = [one for one in found if event and event.first_at <= one.at <= event.last_at]
                if event and event.kind == kind:
                    raised[kind, event.what].append(bool(inside))
                    doubled[kind] += max(0, len(inside) - 1)
                    found = [one for one in found if one not in inside]
                elif event and LIKE.get(event.what) == kind:
                    raised["not " + kind, event.what].append(bool(inside))
                false[kind, scenario[koc]] += len(found)
            years[scenario[koc]] += lived.get(koc, 0.0)  # type: ignore[assignment]
            for one in verdict.held:
                held[one.kind, one.reason] += 1
    print("events that raised their signal, with the central 90 %")
    for (kind, what), hits in sorted(raised.items()):
        if kind.startswith("not "):
            continue
        low, high = wilson(sum(hits), len(hits))
        print(f"  {kind:20} {what:28} {sum(hits):3} of {len(hits):3} = {sum(hits) / len(hits):.2f} ({low:.2f}–{high:.2f})")
    print("  told more than once:", dict(doubled))
    print("look-alikes that raised the signal they look like")
    for (kind, what), hits in sorted(raised.items()):
        if kind.startswith("not "):
            print(f"  {kind[4:]:20} {what:40} {sum(hits):3} of {len(hits):3}")
    print("signals without an event, per 1000 KOC-years (central 90 %), by scenario of the judge")
    print(f"  {'':20} {'':8}" + "".join(f" {name:>12}" for name in sorted(years)))
    print(f"  {'KOC-years':20} {sum(years.values()):8.0f}" + "".join(f" {years[name]:12.0f}" for name in sorted(years)))
    for kind in KINDS:
        told = []
        for name in ("", *sorted(years)):
            count = sum(n for (k, s), n in false.items() if k == kind and name in ("", s))
            lived = years[name] if name else sum(years.values())
            low, _, high = interval(count)
            told.append(f"{1000 * count / lived:.0f} ({1000 * low / lived:.0f}–{1000 * high / lived:.0f})")
        print(f"  {kind:20} {told[0]:>12}" + "".join(f" {one:>12}" for one in told[1:]))
    print("held back:", {f"{kind} {reason}": n for (kind, reason), n in sorted(held.items())})


def sample_items() -> Iterator[dict[str, Any]]:
    """The Weibo sample as items."""
    folder = need("data", "platform", "weibo_sample")
    ids = {}
    with gzip.open(folder / "posts.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            ids[row["mblogid"]] = row["_id"]
            yield _sample_item(row["_id"], row["user"], row["created_at"], row["content"])
    with gzip.open(folder / "comments.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            root = ids.get(row["root_post_mblogid"])
            if root:
                above = {"kind": "comment", "parent_id": root, "root_id": root}
                yield _sample_item("c" + row["_id"], row["comment_user"], row["created_at"], row["content"]) | above


def _sample_item(post_id: str, user: dict[str, Any], at: str, text: str) -> dict[str, Any]:
    posted = datetime.fromisoformat(at).isoformat() + "+08:00"
    names = {"author_id": user["_id"], "author_name": user["nick_name"]}
    return {
        "platform": "weibo",
        "post_id": post_id,
        "posted_at": posted,
        "seen_at": "2025-06-01T00:00:00+08:00",
        "text": text,
    } | names


def show_sample() -> None:
    """Every author of the Weibo sample a KOC, the account they speak of the brand."""
    items = list(sample_items())
    with tempfile.TemporaryDirectory() as place:
        path = workspace.create(Path(place))
        brand = Path(place, "brand.json")
        brand.write_text(
            json.dumps({"name": "评论罗伯特", "aliases": ["罗伯特"], "products": [], "rivals": []}), encoding="utf-8"
        )
        edit.put_brand(path, edit.read_brand(brand))
        file = Path(place, "items.jsonl")
        file.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
        with App.open(path, {}) as app:
            authors = sorted({item["author_id"] for item in items if "kind" not in item})
            kocs = [Koc(f"K{n}", f"K{n}", (Account("weibo", who, ""),)) for n, who in enumerate(authors)]
            app.store.save_kocs([replace(koc, accounts=tuple(app_account(app, a) for a in koc.accounts)) for koc in kocs])
            app.import_file(file, workers=1)
            verdicts, years = covered_verdicts(app, "评论罗伯特")
    found = collections.Counter(one.kind for verdict in verdicts for one in verdict.signals)
    held = collections.Counter((one.kind, one.reason) for verdict in verdicts for one in verdict.held)
    size = f"{len(items)} items, {len(kocs)} authors, {sum(years.values()):.0f} KOC-years"
    print(f"Weibo sample: {size}: {dict(found)}; held {dict(held)}")


def app_account(app: App, account: Account) -> Account:
    from listener import normalize

    own, *others = normalize.author_keys_of(app.key, account.platform, account.account_id)
    return replace(account, author_key=own, other_keys=tuple(others))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23])
    parser.add_argument("--kocs", type=int, default=400)
    parser.add_argument("--sample", action="store_true")
    asked = parser.parse_args()
    if asked.sample:
        show_sample()
    runs = []
    for seed in asked.seeds:
        started = time.perf_counter()
        plain = made(asked.cache / f"{seed}-{asked.kocs}", brand=BRAND, rival=RIVAL, seed=seed, kocs=asked.kocs, crowd=200)
        folder = asked.cache / f"{seed}-{asked.kocs}-events"
        events = with_events(plain, folder, seed)
        runs.append((folder, events, *judged(folder)))
        print(f"season {seed}: {len(events)} events, {time.perf_counter() - started:.0f} s", flush=True)
    show(runs)


if __name__ == "__main__":
    main()
