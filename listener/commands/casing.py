"""What a case looks like on a terminal, and as rows: what happened, what is due by when, and the very command that does it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape

from listener.app import App
from listener.cases.acts import asked_by
from listener.cases.clocks import Target
from listener.cases.quality import CHECKS
from listener.cases.reports import CaseReport, Share
from listener.cases.steps import PROGRAM, STEPS, done_in
from listener.casework.finding import CaseFile, CasePost
from listener.commands import output
from listener.commands.files import contact_lines
from listener.commands.output import Format
from listener.explain import json_of
from listener.text.quotes import line_of, link_of, quote_of
from listener.text.story import HINTS, story_of
from listener.text.views import Language
from listener.text.words import word
from storage.records import CaseStep

MOST_QUOTES, MOST_LOG = 6, 12
CARE_GUARD = (
    "不提监测、评分或预警；不要求他发什么、改什么、删什么：他一旦觉得被盯着，信任就没有了",
    "no word of monitoring, scores or alerts; ask for no post, no change, no removal: trust does not outlive being watched",
)
GUARD = (
    "不施压、不删帖、不控评、不拉黑、不以终止合作或起诉相威胁：批评被压下去，只会换个地方让更多人听见",
    "no pressure, no removal, no drowned comments, no ban, no threat: what is pressed down is heard elsewhere, by more people",
)


def words_of_span(span: timedelta | None, zh: bool) -> str:
    """A span of time, roughly.

    >>> words_of_span(timedelta(hours=26, minutes=5), True), words_of_span(timedelta(minutes=9), False)
    ('1 天 2 小时', '9 min')
    """
    if span is None:
        return "–"
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "天", "d"), (hours, "小时", "h"), (rest if not days else 0, "分钟", "min")]
    told = [f"{n} {one if zh else other}" for n, one, other in parts if n]
    return " ".join(told) or ("0 分钟" if zh else "0 min")


def row_of(one: CaseFile, app: App) -> dict[str, Any]:
    """A case as the machine reads it, times in the workspace's zone."""
    zone, case, clock = ZoneInfo(app.timezone), one.case, one.clock

    def at(value: datetime | None) -> str | None:
        return value.astimezone(zone).isoformat() if value else None

    def seconds(span: timedelta | None) -> float | None:
        return span.total_seconds() if span is not None else None

    return {
        "key": case.key,
        "brand": case.brand,
        "koc_id": case.koc_id,
        "name": line_of(one.name),
        "variant": case.variant,
        "state": case.state,
        "urgent": case.urgent,
        "next_step": case.next_step,
        "due": one.due.step if one.due else None,
        "due_at": at(one.due.due_at) if one.due else None,
        "stage": (stage.value if (stage := one.due.stage(app.now())) else None) if one.due else None,
        "owner": case.owner,
        "members": list(case.members),
        "opened_at": at(case.opened_at),
        "opened_by": case.opened_by,
        "reason": case.reason,
        "verdict": case.verdict,
        "merged_into": case.merged_into,
        "closed_at": at(case.closed_at),
        "recovered_at": at(case.recovered_at),
        "first_negative_at": at(clock.first_at),
        "answered_at": at(clock.answered_at),
        "seconds_to_find": seconds(clock.to_find),
        "seconds_to_answer": seconds(clock.to_answer),
        "found_on_time": clock.found_on_time,
        "answered_on_time": clock.answered_on_time,
        "quality": list(one.quality),
        "reaction": one.reaction,
        "alerts": list(case.alerts),
        "post": f"{case.post.platform}:{case.post.post_id}" if case.post else None,
        "causes": list(one.causes),
    }


def full_row_of(one: CaseFile, app: App) -> dict[str, Any]:
    """The same with its posts and its log."""
    zone, language = ZoneInfo(app.timezone), app.settings.listener.language
    posts = [
        {
            "platform": each.view.key.platform,
            "post_id": each.view.key.post_id,
            "url": link_of(each.view.url),
            "posted_at": each.view.posted_at.astimezone(zone).isoformat(),
            "text": quote_of(each.view.text, language, 10_000),
            "is_against": each.is_against,
            "gone_at": each.gone_at.astimezone(zone).isoformat() if each.gone_at else None,
            "edited": bool(each.view.revisions),
        }
        for each in one.posts
    ]
    log = [
        {
            "number": number,
            "at": entry.at.astimezone(zone).isoformat(),
            "who": entry.who,
            "step": entry.step,
            "note": entry.note,
            "link": entry.link,
            "data": dict(entry.data),
        }
        for number, entry in enumerate(one.log, 1)
    ]
    return row_of(one, app) | {"posts": posts, "log": log}


def table_row_of(one: CaseFile, app: App) -> dict[str, Any]:
    """A case as a line of a table."""
    language, zone, now = app.settings.listener.language, ZoneInfo(app.timezone), app.now()
    due = ""
    if one.due:
        left = one.due.due_at - now
        zh = language == "zh-CN"
        late = "已过 " if zh else "late by "
        due = f"{one.due.due_at.astimezone(zone):%m-%d %H:%M} " + (
            f"（{late}{words_of_span(-left, zh)}）" if left < timedelta() else f"（{words_of_span(left, zh)}）"
        )
    state = word("step", one.due.step, language) if one.due else word("verdict", one.case.verdict or "", language)
    return {
        "key": one.case.key[:12],
        "urgent": "‼" if one.case.urgent else "",
        "name": line_of(one.name) or _post_of(one) or ("整个品牌" if language == "zh-CN" else "the whole brand"),
        "brand": line_of(one.case.brand),
        "variant": word("variant", one.case.variant, language),
        "state": state or word("case-state", one.case.state, language),
        "due": due,
        "owner": line_of(one.case.owner),
        "opened": f"{one.case.opened_at.astimezone(zone):%Y-%m-%d}",
    }


def _post_of(one: CaseFile) -> str:
    return f"{one.case.post.platform}:{one.case.post.post_id}" if one.case.post else ""


def print_case(one: CaseFile, app: App) -> None:
    """What happened, the quotes, which step is due by when, which command does it, what not to do and why."""
    page = _Page(one, app)
    for line in page.lines():
        output.out.print(line, soft_wrap=True)


def print_change(one: CaseFile, app: App) -> None:
    """What was just written into a case, and which step is due now, by which command."""
    for line in _Page(one, app).change():
        output.out.print(line, soft_wrap=True)


class _Page:
    """A case, while it is written out line by line; every text in it is escaped."""

    def __init__(self, one: CaseFile, app: App) -> None:
        self.one, self.app, self.case = one, app, one.case
        self.language: Language = app.settings.listener.language
        self.zh = self.language == "zh-CN"
        self.zone, self.now = ZoneInfo(app.timezone), app.now()
        self.id = one.case.key[:12]

    def say(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def at(self, when: datetime) -> str:
        return f"{when.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def word(self, group: str, code: str) -> str:
        return word(group, code, self.language)

    def lines(self) -> Iterator[str]:
        yield from self.head()
        yield from self.happened()
        yield from self.clocks()
        yield from self.ladder()
        if self.one.due:
            yield from self.next()
        else:
            yield from self.ended()
        yield from self.beside()
        yield from self.log()

    def change(self) -> Iterator[str]:
        yield from self.head()
        written = [entry for entry in self.one.log if entry.at == self.one.log[-1].at]
        for entry in written:
            told = list(filter(None, [self.told(entry), self.entry_words(entry)]))
            yield f"  [green]✓[/green] {self.word('step', entry.step)}  {escape(' · '.join(told))}"
        yield from self.next() if self.one.due else self.ended()
        yield f"  [dim]{self.say('整张处置单', 'the whole case')}  $ listener cases show {self.id}[/dim]"

    def told(self, entry: CaseStep) -> str:
        """The verdict or the reason that an entry gives."""
        codes = (("verdict", "verdict"), ("legal-reason", "reason"))
        return " · ".join(self.word(group, str(entry.data[key])) for group, key in codes if entry.data.get(key))

    def title(self, zh: str, en: str) -> str:
        return f"\n[bold]{self.say(zh, en)}[/bold]"

    def head(self) -> Iterator[str]:
        case, koc = self.case, self.one.koc
        who = line_of(self.one.name) or (_post_of(self.one) or self.say("整个品牌", "the whole brand"))
        state = self.word("case-state", case.state)
        more = " · ".join(filter(None, [koc.koc_id, koc.tier, self.word("domain", koc.domain), koc.owner] if koc else []))
        line = f"{self.say('处置单', 'Case')} {self.id} · {self.word('variant', case.variant)} · {state} · {case.brand} · {who}"
        yield f"[bold]{escape(line_of(line))}[/bold]" + (f"（{escape(line_of(more))}）" if more else "")
        if case.urgent:
            told = self.say("安全/质量事故：立刻处理，每一步都按小时计", "an accident: act at once, each step within the hour")
            yield f"[bold red]‼ {told}[/]"
        owner = case.owner or self.say("还没有人接手", "nobody has taken it")
        members = f" · {self.say('成员', 'members')} {'、'.join(case.members)}" if case.members else ""
        yield escape(line_of(f"{self.say('接手', 'Owner')} {owner}{members}"))

    def happened(self) -> Iterator[str]:
        yield self.title("发生了什么", "What happened")
        if self.case.reason:
            yield escape(f"  {self.at(self.case.opened_at)} {self.case.opened_by}：{line_of(self.case.reason)}")
        for view in self.app.views_of(self.one.alerts):
            story = story_of(view)
            gone = "" if view.state == "current" else f"（{self.word('alert-state', view.state)}）"
            yield escape(f"  {self.at(view.alert.fired_at)} {story.badge}：{story.headline}{gone}")
        if self.one.causes:
            departments = dict(self.app.settings.departments.by_cause)
            told = [f"{self.word('cause', code)}（{departments.get(code) or '–'}）" for code in self.one.causes]
            yield escape(f"  {self.say('涉及', 'about')} {'、'.join(told)}")
        for each in self.one.posts[-MOST_QUOTES:]:
            yield from self.quote(each)
        if len(self.one.posts) > MOST_QUOTES:
            yield f"  [dim]… {self.say('更早的', 'earlier')} {len(self.one.posts) - MOST_QUOTES}[/dim]"

    def quote(self, each: CasePost) -> Iterator[str]:
        view = each.view
        mark = "▼" if each.is_against else "·"
        told = [
            self.say("已改过", "edited") if view.revisions else "",
            f"{self.at(each.gone_at)} {self.say('已不在', 'gone')}" if each.gone_at else "",
        ]
        more = "、".join(filter(None, told))
        text = (
            self.say("（正文已过保留期）", "(text past its days)") if view.text_purged else quote_of(view.text, self.language)
        )
        yield f"  {mark} [dim]{view.posted_at.astimezone(self.zone):%m-%d %H:%M}[/dim] 「{escape(text)}」" + (
            f"[yellow]（{escape(more)}）[/yellow]" if more else ""
        )
        if link := link_of(view.url):
            yield f"      [dim]{escape(link)}[/dim]"

    def clocks(self) -> Iterator[str]:
        clock = self.one.clock
        target = self.app.case_targets().of(self.one.koc.tier if self.one.koc else "")
        yield self.title("时钟", "Clocks")
        for which, zh, en, span, kept in (
            ("found", "首条负面 → 发现", "first negative → found", clock.to_find, clock.found_on_time),
            ("answered", "发现 → 响应", "found → answered", clock.to_answer, clock.answered_on_time),
        ):
            waiting = which == "answered" and clock.answered_at is None
            told = self.say("还没有响应", "not answered yet") if waiting else words_of_span(span, self.zh)
            yield f"  {self.say(zh, en)}  {told}{self.kept(kept, target, which)}"

    def kept(self, on_time: bool | None, target: Target, which: str) -> str:
        is_working_time = which == "answered" and not self.case.urgent
        span: timedelta = getattr(target, which)
        if which == "answered" and self.case.urgent:
            span = self.app.case_targets().urgent
        unit = self.say("工时", " of work") if is_working_time else ""
        goal = f"{self.say('目标', 'target')} {words_of_span(span, self.zh)}{unit}"
        sign = {True: "[green]✓[/green] ", False: "[red]✗[/red] ", None: ""}[on_time]
        return f"  {sign}[dim]{goal}[/dim]"

    def ladder(self) -> Iterator[str]:
        yield self.title("步骤", "Steps")
        done = done_in(self.case, self.one.log)
        for step in STEPS[self.case.variant]:
            entry = next((one for one in reversed(self.one.log) if one.step == step and one.who != PROGRAM), None)
            if step in done and entry:
                yield f"  [green]✓[/green] {self.word('step', step)}  [dim]{escape(self.entry_words(entry))}[/dim]"
            elif step == self.case.next_step:
                yield f"  [bold]▶ {self.word('step', step)}[/bold]"
            else:
                yield f"  [dim]○ {self.word('step', step)}[/dim]"

    def entry_words(self, entry: CaseStep) -> str:
        told = [f"{entry.who} {self.at(entry.at)}", line_of(entry.note), link_of(entry.link)]
        checks = [code for code in CHECKS if code in {*entry.data.get("checks", ()), *entry.data.get("ticked", ())}]
        if "reply" in entry.data:
            told.append(f"「{quote_of(str(entry.data['reply']), self.language, 60)}」")
            lacking = [self.word("check", code) for code in CHECKS if code not in checks]
            if lacking:
                told.append(self.say("没有写：", "lacks: ") + "、".join(lacking))
        return " · ".join(filter(None, told))

    def next(self) -> Iterator[str]:
        due = self.one.due
        assert due
        left = due.due_at - self.now
        when = (
            self.say(f"还有 {words_of_span(left, True)}", f"{words_of_span(left, False)} left")
            if left >= timedelta()
            else self.say(f"已过期 {words_of_span(-left, True)}", f"late by {words_of_span(-left, False)}")
        )
        colour = "red" if left < timedelta() else "bold"
        yield self.title("现在该做", "Due now")
        name = self.word("step", due.step)
        yield f"  [{colour}]{name}[/]  {self.say('期限', 'by')} {self.at(due.due_at)}（{when}）"
        if asked := asked_by(self.one.log):
            reason = self.word("legal-reason", str(asked.data.get("reason", "")))
            told = self.say(
                f"{asked.who} 申请转法务（{reason}），要另一个人批准",
                f"{asked.who} asks for legal ({reason}); a second person decides",
            )
            yield escape(f"  {told}")
            yield from self.commands(f"listener cases approve {self.id}", f"listener cases approve {self.id} --refuse --note …")
        else:
            hint = HINTS.get(due.step, ("", ""))[0 if self.zh else 1]
            yield f"  {hint}"
            yield from self.commands(*self.how(due.step))
        guard = CARE_GUARD if self.case.variant == "care" else GUARD
        yield f"  [red]{self.say('不要', 'Do not')}[/red]  {self.say(*guard)}"

    def how(self, step: str) -> tuple[str, ...]:
        link = " --link https://…" if step in ("acknowledge", "follow-up") else ""
        reply = (
            " --reply-file 回复.txt" if step in ("acknowledge", "thank", "support", "contact", "follow-up", "publish") else ""
        )
        note = "" if step == "close" else " --note …"
        done = f"listener cases step {self.id} {step}{note}{link}{reply}"
        draft = (f"listener cases draft {self.id}",) if step != "close" else ()
        return (*draft, done)

    def commands(self, *commands: str) -> Iterator[str]:
        for command in commands:
            yield f"  [cyan]$ {escape(command)}[/cyan]"

    def ended(self) -> Iterator[str]:
        yield self.title("已结案", "Closed")
        verdict = self.word("verdict", self.case.verdict) if self.case.verdict else self.say("步骤全部完成", "all steps done")
        into = f" → {self.case.merged_into[:12]}" if self.case.merged_into else ""
        yield escape(f"  {self.at(self.case.closed_at) if self.case.closed_at else ''} {verdict}{into}")
        if not self.case.merged_into:
            yield from self.commands(f"listener cases reopen {self.id} --reason …")

    def beside(self) -> Iterator[str]:
        told = []
        if self.case.recovered_at:
            told.append(
                self.say(
                    f"态度已回暖：{self.at(self.case.recovered_at)}（按内容）",
                    f"recovered {self.at(self.case.recovered_at)}, by the posts",
                )
            )
        if self.one.reaction:
            told.append(f"{self.say('对方反应', 'reaction')}：{self.word('reaction', self.one.reaction)}")
        if any("reply" in entry.data or entry.data.get("ticked") for entry in self.one.log):
            have = "　".join(f"{self.word('check', code)} {'✓' if code in self.one.quality else '✗'}" for code in CHECKS)
            told.append(f"{self.say('回应的质量', 'the answer has')}：{have}")
        told += [f"{self.say('未了的承诺', 'promised')}：{line_of(one.what)}（{one.due}）" for one in self.one.promises]
        if self.one.koc:
            contacts = self.app.standing_with(self.one.koc.koc_id).contacts
            told += [line.plain for line in contact_lines(contacts, self.now, self.language, self.one.koc.koc_id)]
        if told:
            yield self.title("其他", "Besides")
            for line in told:
                yield escape(f"  {line}")
        if self.one.due:
            others = f"listener cases verdict {self.id} false-alarm|mild|duplicate|withdrawn|legal|turned --note …"
            words = self.say("不走完步骤就结案，只能写明结论", "to end without all steps, name a verdict")
            yield f"  [dim]{words}：{escape(others)}[/dim]"

    def log(self) -> Iterator[str]:
        yield self.title("记录", "Log")
        entries = list(enumerate(self.one.log, 1))
        if len(entries) > MOST_LOG:
            yield f"  [dim]… {len(entries) - MOST_LOG}（-f json）[/dim]"
        for number, entry in entries[-MOST_LOG:]:
            who = self.say("程序", "program") if entry.who == PROGRAM else entry.who
            fixed = f"（{self.say('更正', 'corrects')} {entry.data['corrects']}）" if "corrects" in entry.data else ""
            told = [f"{number:>3} {self.at(entry.at)} {who} {self.word('step', entry.step)}{fixed}"]
            told += [self.log_words(entry), link_of(entry.link)]
            yield f"  [dim]{escape('  '.join(filter(None, told)))}[/dim]"

    def log_words(self, entry: CaseStep) -> str:
        """A note as people read it: the program notes codes, keys and moments."""
        if entry.step == "take":
            owner = str(entry.data.get("owner", ""))
            return "  ".join(filter(None, [f"→ {line_of(owner)}" if owner != entry.who else "", line_of(entry.note)]))
        if entry.step == "share":
            return line_of("、".join(map(str, entry.data.get("members", ()))))
        if entry.step == "react":
            return "  ".join(filter(None, [self.word("reaction", str(entry.data["reaction"])), line_of(entry.note)]))
        if entry.who != PROGRAM:
            return line_of(entry.note)
        if entry.step == "variant":
            return self.word("variant", entry.note)
        if entry.step == "recovered":
            return self.at(datetime.fromisoformat(entry.note))
        return entry.note[:12] if entry.note in {alert.alert.key for alert in self.one.alerts} else line_of(entry.note)


# ---------------------------------------------------------------------------------------------------------- the report


def print_report(report: CaseReport, app: App, form: Format) -> None:
    """The figures of cases, in words or as JSON (spans in seconds, shares as so many of so many)."""
    if form is not Format.table:
        sys.stdout.write(json.dumps(json_of(report), ensure_ascii=False, indent=1 if form is Format.json else None) + "\n")
        return
    language = app.settings.listener.language
    zh = language == "zh-CN"

    def counted(group: str, counts: Mapping[str, int]) -> str:
        steps = {"steps": "步骤全部完成" if zh else "all steps done"}
        return "　".join(f"{steps.get(code) or word(group, code, language)} {n}" for code, n in counts.items()) or "–"

    def share(one: Share) -> str:
        return "–" if one.share is None else f"{one.n} / {one.of}（{one.share:.0%}）"

    def span(one: timedelta | None) -> str:
        return words_of_span(one, zh)

    quality = "　".join(f"{word('check', code, language)} {share(one)}" for code, one in report.quality.items())
    rows = [
        ("处置单", "Cases", f"{report.cases}　{counted('case-state', report.states)}"),
        ("回应方式", "Variants", counted("variant", report.variants)),
        ("结案", "Closed as", counted("verdict", report.verdicts)),
        ("事故", "Accidents", str(report.urgent)),
        ("现在过期", "Overdue now", str(report.overdue)),
        ("首条负面 → 发现", "First negative → found", f"{span(report.to_find)}　{share(report.found_on_time)}"),
        ("发现 → 响应", "Found → answered", f"{span(report.to_answer)}　{share(report.answered_on_time)}"),
        ("开单 → 结案", "Opened → closed", span(report.to_close)),
        ("回应里有", "Answers had", quality),
        ("对方反应", "Reactions", counted("reaction", report.reactions)),
        ("响应后回暖", "Recovered after an answer", share(report.recovered)),
        ("没响应也回暖", "Recovered without one", share(report.unanswered)),
    ]
    for zh_label, en_label, text in rows:
        output.say(f"{zh_label if zh else en_label}：{text}")
    output.say(
        "中位数；按时的占能判断的比例；回暖按内容判断，响应后满 30 天或已回暖才算"
        if zh
        else "Medians; shares of what can be judged; recovery is by the posts, once it came or 30 days have passed"
    )
