"""What is told to whoever runs the program: a source that is not heard any more, a channel that takes no messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from listener.text import phrases
from listener.text.quotes import line_of
from listener.text.signals.wording import Fact, Told, local
from listener.text.views import AlertView

# outcome → what happened, the way out; zh-CN and English
_OUTAGES: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "blocked": (
        ("被平台拦截（登录墙、验证码或请求过多）", "the platform refuses us (a log-in, a captcha, too many requests)"),
        (
            "不要硬闯：放慢抓取（delay_seconds），或改用导出文件、公开接口",
            "do not force it: crawl more slowly (delay_seconds), or use exports or a public interface",
        ),
    ),
    "changed": (
        ("平台页面变了，读不懂", "its pages have another shape, nothing can be read"),
        (
            "升级 koc-listener，或用 listener source try 对照页面改选择器",
            "update koc-listener, or see with `listener source try` which selectors no longer fit",
        ),
    ),
    "failed": (
        ("抓取连续出错", "every crawl fails"),
        ("看下面的原因；listener crawl 来源名 可立即重试", "see the error below; `listener crawl SOURCE` tries at once"),
    ),
    "silent": (
        ("能读到底，但没有新内容", "it is read to its end and brings nothing new"),
        (
            "打开这个来源看看：搜索词是否被屏蔽、地址是否换了、账号是否搬走",
            "open it and look: a search switched off, an address changed, an account moved",
        ),
    ),
}


def source_silent(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Evidence: source, platform, what, since, done_at; silent_days and usual, or crawls and error."""
    (what_zh, what_en), (way_zh, way_en) = _OUTAGES[e["what"]]
    name = line_of(e["source"])
    head = f"来源「{name}」失声：{what_zh}" if zh else f"source “{name}” is not heard: {what_en}"
    facts: list[Fact] = []
    if e["what"] == "silent":
        usual, last = f"{e['usual']:.1f}", phrases.day(date.fromisoformat(e["since"]), view.language)
        facts.append(("平时", f"每天约 {usual} 条") if zh else ("Usual", f"about {usual} posts a day"))
        facts.append(("最后一条", last) if zh else ("Last post", last))
    else:
        since = phrases.day(local(view, e["since"]), view.language)
        facts.append(
            ("开始", f"{since} 起 {e['crawls']} 次抓取都没有读完")
            if zh
            else ("Since", f"{since}, {e['crawls']} crawls that did not reach their end")
        )
    done = phrases.day(local(view, e["done_at"]), view.language) if e["done_at"] else ("从未" if zh else "never")
    facts.append(("最后读完", done) if zh else ("Last read to its end", done))
    if e.get("error"):
        facts.append(("原因", line_of(e["error"])) if zh else ("Error", line_of(e["error"])))
    facts.append(("怎么办", way_zh) if zh else ("What to do", way_en))
    facts.append(
        ("影响", "这段时间没听到不等于没人说；KOC 的「久未提及」不按没听到的时间算")
        if zh
        else ("Mind", "what was not heard may have been said; no KOC is called silent over that time")
    )
    return Told(head, tuple(facts), "", "", "", "amber")


def delivery_failing(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Evidence: channel, waiting, dead, since, sent_at, error."""
    name, waiting, dead = line_of(e["channel"]), e["waiting"], e["dead"]
    head = f"渠道「{name}」推送失败" if zh else f"channel “{name}” takes no messages"
    since = phrases.day(local(view, e["since"]), view.language)
    sent = phrases.day(local(view, e["sent_at"]), view.language) if e["sent_at"] else ("从未" if zh else "never")
    facts: list[Fact] = [
        ("积压", f"{since} 起 {waiting} 条待重试，{dead} 条已放弃")
        if zh
        else ("Waiting", f"since {since}: {waiting} to be tried again, {dead} given up"),
        ("最后送达", sent) if zh else ("Last sent", sent),
    ]
    if e["error"]:
        facts.append(("原因", line_of(e["error"])) if zh else ("Error", line_of(e["error"])))
    facts.append(
        ("怎么办", f"listener channel test {name} 试发；修好后 listener deliver --retry 把已放弃的重新排队")
        if zh
        else ("What to do", f"`listener channel test {name}`; then `listener deliver --retry` queues what was given up")
    )
    return Told(head, tuple(facts), "", "", "", "amber")
