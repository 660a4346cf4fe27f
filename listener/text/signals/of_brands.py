"""What is told of a brand as a whole: the public's mood, a storm in one place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from listener.text import phrases
from listener.text.quotes import line_of
from listener.text.signals.wording import Fact, Told, local, titles
from listener.text.views import AlertView
from listener.text.words import word

MOST_LINKS = 6  # of a chain, told one by one


def brand_shift(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """The public speaks worse of the brand."""
    head = "公众口碑整体转差" if zh else "the public's mood has fallen"
    first, last = date.fromisoformat(e["first"]), date.fromisoformat(e["last"])
    a, b = phrases.day(first, view.language), phrases.day(last, view.language, like=first)
    ended = view.alert.ended_at is not None
    if ended:
        head += f"，{e['days']} 天后恢复" if zh else f", and recovered after {e['days']} days"
    usual, worst = phrases.mean(e["before_mean"]), phrases.mean(e["worst_mean"])
    span = (
        (f"{a} 至 {b}，共 {e['days']} 天，已恢复" if ended else f"{a} 起，仍在持续")
        if zh
        else (f"{a} to {b}, {e['days']} days, recovered" if ended else f"since {a}, it goes on")
    )
    facts = (
        ("此前", f"平均态度 {usual}（{e['before_n']} 条）")
        if zh
        else ("Before", f"mean stance {usual} ({e['before_n']} mentions)"),
        ("最差一周", f"平均 {worst}（{e['worst_n']} 条）") if zh else ("Worst week", f"mean {worst} ({e['worst_n']} mentions)"),
        ("期间", span) if zh else ("Span", span),
        ("谁在说", "名单以外的公众；KOC 自己的内容没有算在内")
        if zh
        else ("Who", "the public; what KOCs of the roster wrote is not counted"),
        ("同时", "单个 KOC 的黄色预警暂缓，等其证据明显超出大盘，或波动结束；红色预警照常")
        if zh
        else ("Meanwhile", "ambers of single KOCs wait until they stand out against the market, or it is over; reds do not"),
    )
    return Told(head, facts, *titles("公众怎么说", "What the public says", zh), mood_note(zh), "amber")


def opinion_storm(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Many authors of one place speak against the brand within hours."""
    where = _place(e, zh)
    hours = 24 if e["place_kind"] == "thread" else 6
    n, copies = e["first"], e["copies"]
    head = (
        f"{where}：{hours} 小时内 {n} 人发表负面内容"
        if zh
        else f"{where}: {n} people spoke against the brand within {hours} hours"
    )
    first, last = local(view, e["from_at"]), local(view, e["last_at"])
    a, b = phrases.day(first, view.language), phrases.day(last, view.language, like=first)
    usual = f"{e['usual']:.1f}"
    facts: list[Fact] = [
        (("平时", f"同一时段约 {usual} 人") if zh else ("Usual", f"about {usual} people at that time of day"))
        if e["place_kind"] != "thread"
        else (
            ("平时", f"此前 180 天，评论负面第三多的内容有 {usual} 人")
            if zh
            else ("Usual", f"{usual} people under the post with the third most of them in 180 days")
        ),
        ("规模", f"共 {e['authors']} 人 {e['posts']} 条，最多时 {hours} 小时内 {e['peak']} 人")
        if zh
        else ("Size", f"{e['authors']} people, {e['posts']} posts; {e['peak']} people within {hours} hours at the most"),
        ("期间", f"{a} 至 {b}" if a != b else a) if zh else ("Span", f"{a} to {b}" if a != b else a),
    ]
    if copies >= 3:
        facts.append(
            ("文字", f"其中 {copies} 人的文字几乎相同：可能是转贴或组织发帖，也可能是同一件事；请先看内容")
            if zh
            else ("Words", f"{copies} of them wrote nearly the same text: copied or organized, or one same incident; read it")
        )
    if e["also"]:
        names = ("、" if zh else ", ").join(line_of(name) for name in e["also"])
        facts.append(("同时见于", names) if zh else ("Seen in", names))
    facts += [_promise(e, zh)] if e["place_kind"] != "thread" else []
    if view.alert.ended_at is not None:
        facts.append(("后来", "24 小时内没有再达到这一程度") if zh else ("Then", "calm for 24 hours since"))
    facts.append(
        ("说明", "人数按作者计，温和批评不计入。先核实事实，再公开回应")
        if zh
        else ("Mind", "authors are counted, mild criticism is not: check the facts, then answer in public")
    )
    return Told(head, tuple(facts), *titles("他们怎么说", "What they say", zh), mood_note(zh), "red")


def mood_note(zh: bool) -> str:
    """What the chart of a brand shows."""
    if zh:
        return "纵轴：公众每天对品牌的平均态度，+1 支持，−1 负面。"
    return "Vertical: the public's mean stance toward the brand, day by day, +1 in favor, −1 against."


def _place(e: Mapping[str, Any], zh: bool) -> str:
    name = line_of(e["place"])
    if e["place_kind"] == "group":
        return f"群「{name}」" if zh else f"group “{name}”"
    if e["place_kind"] == "thread":
        return "一条内容的评论区" if zh else "the answers to one post"
    return f"来源「{name}」" if zh else f"source “{name}”"


def _promise(e: Mapping[str, Any], zh: bool) -> Fact:
    promised = e["promised_per_place_year"]
    if zh:
        return "承诺", f"平时怎么波动就还怎么波动的地方，每处每年误报不超过 {promised:g} 次"
    return "Promise", f"at most {promised:g} false ones a year for a place that only scatters as it always did"


def spread(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """A post against the brand goes far: fast, taken up by media, or in the same words on several platforms."""
    ways, facts = e["ways"], list[Fact]()
    heads = [_spread_way(view, way, e[way], zh) for way in ways]
    for way, (_, fact) in zip(ways, heads, strict=True):
        label = {"fast": ("互动", "Reach"), "press": ("被转发", "Taken up"), "platforms": ("多平台", "Platforms")}[way]
        facts.append((label[0] if zh else label[1], fact))
    if e["koc"]:
        facts.insert(
            0, ("作者", f"名单内的 KOC {line_of(e['koc'])}") if zh else ("Author", f"KOC {line_of(e['koc'])} of the roster")
        )
    if "fast" in ways:
        promised = e["promised_per_1000_posts"]
        facts.append(
            ("承诺", f"每 1000 条负面内容误报不超过 {promised:g} 条")
            if zh
            else ("Promise", f"at most {promised:g} false ones in 1000 posts against the brand")
        )
    if view.alert.ended_at is not None:
        facts.append(("后来", "7 天内没有再扩散") if zh else ("Then", "it has gone no farther for 7 days"))
    facts.append(
        ("说明", "尽快核实并公开回应；不删帖、不施压，删帖会让扩散更快")
        if zh
        else ("Mind", "check the facts and answer in public soon; never press or delete, it only spreads faster")
    )
    head = ("，" if zh else ", ").join(head for head, _ in heads)
    return Told(
        f"负面内容扩散：{head}" if zh else f"a post against the brand spreads: {head}",
        tuple(facts),
        *titles("这条怎么说", "What it says", zh),
        mood_note(zh),
        "red",
    )


def _age(hours: float, zh: bool) -> str:
    """How long a post has been there, as one says it.

    >>> _age(0.5, True), _age(5.4, True), _age(139.9, True), _age(139.9, False)
    (' 30 分钟', ' 5 小时', ' 6 天', '6 days')
    """
    if hours < 1:
        minutes = max(round(hours * 60), 1)
        return f" {minutes} 分钟" if zh else f"{minutes} minutes"
    if hours < 48:
        return f" {round(hours)} 小时" if zh else f"{round(hours)} hours"
    return f" {round(hours / 24)} 天" if zh else f"{round(hours / 24)} days"


def _spread_way(view: AlertView, way: str, e: Mapping[str, Any], zh: bool) -> tuple[str, str]:
    """The words of one way in which a post goes far: for the headline, and in full."""
    if way == "fast":
        total, usual, hours, own = e["total"], e["usual"], e["age_hours"], e["own_n"]
        age = _age(hours, zh)
        head = f"发布{age}互动 {total} 次" if zh else f"{total} interactions after {age}"
        last = e["last_total"]
        more = (f"，此后增至 {last}" if zh else f", {last} later") if last > total else ""
        by_whom = (
            (f"该作者前 {own} 条与该平台的负面内容" if own else "该平台的负面内容")
            if zh
            else (
                f"this author's last {own} posts and negative ones on the platform" if own else "negative posts on the platform"
            )
        )
        fact = (
            f"点赞、评论、转发共 {total}{more}；按{by_whom}，同样时长约 {usual}"
            if zh
            else f"{total} likes, comments and reposts{more}; usual at that age, by {by_whom}: about {usual}"
        )
        return head, fact
    if way == "press":
        at = phrases.day(local(view, e["at"]), view.language)
        n, posts = e["accounts"], e["posts"]
        head = f"被 {n} 个媒体或竞品账号转发或回应" if zh else f"taken up by {n} media or rival accounts"
        return head, f"{at} 起 {posts} 条" if zh else f"{posts} posts since {at}"
    names = ("、" if zh else ", ").join(line_of(name) for name in e["platforms"])
    authors, posts = e["authors"], e["posts"]
    head = f"{len(e['platforms'])} 个平台出现同样文字" if zh else f"the same words on {len(e['platforms'])} platforms"
    fact = (
        f"{names}：{authors} 人 {posts} 条，按同一事件计"
        if zh
        else f"{names}: {authors} people, {posts} posts, told as one story"
    )
    return head, fact


def contagion(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """KOCs with ties to a critic turned after them, more than by chance."""
    n, chain = e["followers"], e["chain"]
    head = f"{n} 位 KOC 在有往来的 KOC 之后转为负面" if zh else f"{n} KOCs turned after KOCs they have ties to"
    facts: list[Fact] = []
    for link in chain[:MOST_LINKS]:
        critic, follower = line_of(link["critic"]), line_of(link["follower"])
        a, b = (phrases.day(local(view, link[at]), view.language) for at in ("critic_turned_at", "follower_turned_at"))
        tie = word("tie", link["tie"], view.language)
        text = f"{critic}（{a}）→ {follower}（{b}）：{tie}" if zh else f"{critic} ({a}) → {follower} ({b}): {tie}"
        facts.append(("链条", text) if zh else ("Chain", text))
    if len(chain) > MOST_LINKS:
        facts.append(("链条", f"另有 {len(chain) - MOST_LINKS} 位") if zh else ("Chain", f"{len(chain) - MOST_LINKS} more"))
    by_chance, p, deals = f"{e['by_chance']:.1f}", e["p"], e["deals"]
    promised = e["promised_per_brand_year"]
    facts += [
        ("偶然", f"把转变随机分给同平台的 {e['people']} 位 KOC，平均 {by_chance} 位；{deals} 次中至少 {n} 位的占 {p:.2%}")
        if zh
        else (
            "By chance",
            f"dealt out among {e['people']} KOCs: {by_chance} on average; {n} or more in {p:.2%} of {deals} deals",
        ),
        ("承诺", f"每品牌每年误报不超过 {promised:g} 次")
        if zh
        else ("Promise", f"at most {promised:g} false ones per brand and year"),
        ("说明", "先后与往来不等于因果：可能是同一批次的问题。先找共同原因，再分别关怀回访")
        if zh
        else (
            "Mind",
            "order and ties are no cause: it may be one bad batch. Look for what they share, then visit each with care",
        ),
    ]
    if view.alert.ended_at is not None:
        facts.append(("后来", "45 天内没有新的 KOC 跟着转变") if zh else ("Then", "no further KOC has followed for 45 days"))
    return Told(head, tuple(facts), *titles("转变时怎么说", "What they said as they turned", zh), mood_note(zh), "red")
