"""listener cases: from an alert to an honest answer, step by step."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.commands import output
from listener.commands.context import FAILED, ByOption, opened, time_of, who_of
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from listener.cases.acts import Said
    from storage.records import Case

app = typer.Typer(help="处置单 / cases: from an alert to an honest answer", invoke_without_command=True)
KeyArgument = Annotated[str, typer.Argument(metavar="ID", help="处置单编号的开头 / the first letters of its key")]
NoteOption = Annotated[str, typer.Option("--note", help="做了什么、依据是什么 / what was done, and why")]
ReasonOption = Annotated[str, typer.Option("--reason", help="为什么 / why")]
FormerNoteOption = Annotated[str, typer.Option("--note", hidden=True)]  # as scripts may still write the reason
LinkOption = Annotated[str, typer.Option("--link", help="在哪里看得到 / where it can be seen: https://…")]
ReplyOption = Annotated[str, typer.Option("--reply", help="回复的原文 / the words of the answer")]
ReplyFileOption = Annotated[
    Path | None,
    typer.Option("--reply-file", help="回复的原文在文件里（- 为标准输入）/ the answer's words in a file", metavar="FILE"),
]
TickOption = Annotated[
    str, typer.Option("--tick", help="回复里有：感谢,事实,措施,期限 / what it has: thanks,facts,measure,date")
]
COLUMNS = ("key", "urgent", "name", "brand", "variant", "state", "due", "owner", "opened")
HEADS_ZH = ("编号", "", "谁", "品牌", "回应", "该做", "期限", "接手", "开立")
HEADS_EN = ("Id", "", "Who", "Brand", "Answer", "Due step", "By", "Owner", "Opened")


def add_to(program: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    program.add_typer(app, name="cases")


@app.callback()
def cases(context: typer.Context) -> None:
    """处置单；不写子命令就列出处理中的 / cases; without a command those that are open"""
    if context.invoked_subcommand is None:
        _list(context, Format.table)


@app.command("list")
def case_list(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="连同已结案的 / closed ones too")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="只看已过期的 / only those past their time")] = False,
    mine: Annotated[str | None, typer.Option("--of", help="谁接手或参与的 / whose: owner or member", metavar="NAME")] = None,
    brand: Annotated[str | None, typer.Option(help="只看一个品牌 / of one brand")] = None,
    koc: Annotated[str | None, typer.Option(help="只看一位 KOC / of one KOC")] = None,
    check: Annotated[bool, typer.Option("--check", help="有过期的则退出码 1 / end with 1 if one is past its time")] = False,
    form: FormatOption = Format.table,
) -> None:
    """列出处置单，最急的在前 / list cases, the most urgent first"""
    late = _list(context, form, every=every, overdue=overdue, mine=mine, brand=brand, koc=koc)
    if check and late:
        raise typer.Exit(FAILED)


def _list(
    context: typer.Context,
    form: Format,
    *,
    every: bool = False,
    overdue: bool = False,
    mine: str | None = None,
    brand: str | None = None,
    koc: str | None = None,
) -> int:
    """Print the cases that fit; returns how many of them are past their time."""
    from listener.casework.finding import cases_of
    from listener.commands import casing, showing

    with opened(context) as opened_app:
        koc_id = showing.koc_of(opened_app, koc).koc_id if koc else None
        if brand is not None:
            showing.known_brand(opened_app, brand)
        found = cases_of(opened_app, state=None if every else "open", brand=brand, koc=koc_id, owner=mine)
        now = opened_app.now()
        late = [one for one in found if one.due and one.due.due_at <= now]
        shown = late if overdue else found
        rows = casing.row_of if form is not Format.table else casing.table_row_of
        heads = HEADS_ZH if opened_app.settings.listener.language == "zh-CN" else HEADS_EN
        empty = "没有处理中的处置单 / no open case"
        output.write_rows(
            [rows(one, opened_app) for one in shown], form, columns=list(zip(COLUMNS, heads, strict=True)), empty=empty
        )
        if form is Format.table and shown:
            output.say("listener cases show ID：发生了什么、该做什么、怎么做 / what happened, what is due, how")
        return len(late)


@app.command("show", no_args_is_help=True)
def case_show(context: typer.Context, key: KeyArgument, form: FormatOption = Format.table) -> None:
    """发生了什么，该做哪一步，什么时候之前，用哪条命令 / what happened, which step is due, by when, by which command"""
    from listener.casework.finding import case_named

    with opened(context) as opened_app:
        _tell(opened_app, case_named(opened_app, key), form)


@app.command("open")
def case_open(
    context: typer.Context,
    who: Annotated[str | None, typer.Argument(metavar="[KOC]", help="KOC 编号或名字 / a KOC's id or name")] = None,
    reason: Annotated[str, typer.Option(help="为什么开单 / why")] = "",
    post: Annotated[
        str, typer.Option(help="一条已收录的内容，谁写的都行 / a stored post, whoever wrote it", metavar="LINK")
    ] = "",
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand (default: the first)")] = None,
    variant: Annotated[str, typer.Option(help="public | private | care；默认按情形 / by default as it fits")] = "",
    urgent: Annotated[bool, typer.Option("--urgent", help="安全或质量事故 / an accident of safety or quality")] = False,
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """手工开单：为一位 KOC，或一条内容 / open a case by hand: on a KOC, or on a post"""
    from listener.casework import doing
    from listener.commands import showing
    from listener.commands.stories import brand_of

    with opened(context) as opened_app:
        koc = showing.koc_of(opened_app, who) if who else None
        of = brand_of(opened_app, brand) if brand or not post else None
        chosen = _code("variant", variant, "--variant") if variant else None
        said = _said(opened_app, by, note=reason)
        made = doing.open_case(opened_app, said, koc=koc, brand=of, post=post, variant=chosen, urgent=urgent)  # type: ignore[arg-type]
        _tell(opened_app, made, form)


@app.command("take", no_args_is_help=True)
def case_take(
    context: typer.Context,
    key: KeyArgument,
    to: Annotated[str, typer.Option("--to", help="交给谁（默认自己）/ to whom (default: yourself)")] = "",
    note: NoteOption = "",
    by: ByOption = None,
) -> None:
    """接手，或交给别人；它的预警随之算已接手 / take a case, or give it to somebody; its alerts are acknowledged"""
    from listener.casework import doing

    with opened(context) as opened_app:
        case = doing.take(opened_app, key, _said(opened_app, by, note=note), to)
        output.say(f"{case.key[:12]} 由 {case.owner} 接手 / is {case.owner}'s")


@app.command("share", no_args_is_help=True)
def case_share(
    context: typer.Context,
    key: KeyArgument,
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="还有谁能看到全部 / who else may see all of it")],
    by: ByOption = None,
) -> None:
    """增加成员：私域的原文只给接手人和成员看 / add members: quotes of a private domain are for owner and members"""
    from listener.casework import doing

    with opened(context) as opened_app:
        case = doing.share(opened_app, key, _said(opened_app, by), names)
        output.say(f"{case.key[:12]} 成员：{'、'.join(case.members)} / members")


@app.command("step", no_args_is_help=True)
def case_step(
    context: typer.Context,
    key: KeyArgument,
    step: Annotated[str, typer.Argument(metavar="[STEP]", help="默认：该做的那一步 / default: the one that is due")] = "",
    note: NoteOption = "",
    link: LinkOption = "",
    reply: ReplyOption = "",
    reply_file: ReplyFileOption = None,
    tick: TickOption = "",
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """记下做完的一步 / write down a step that was done"""
    from listener.casework import doing

    with opened(context) as opened_app:
        said = _said(opened_app, by, note=note, link=link, reply=_words_of(reply, reply_file), tick=tick)
        _tell_change(opened_app, doing.do_step(opened_app, key, _code("step", step, "STEP") if step else "", said), form)


@app.command("note", no_args_is_help=True)
def case_note(
    context: typer.Context,
    key: KeyArgument,
    note: NoteOption = "",
    link: LinkOption = "",
    corrects: Annotated[int, typer.Option("--corrects", help="更正第几条记录 / the number of the entry it puts right")] = 0,
    by: ByOption = None,
) -> None:
    """备注，或更正：旧的记录不改，新写一条 / a note or a correction: what was written stays"""
    from listener.casework import doing

    with opened(context) as opened_app:
        case = doing.note(opened_app, key, _said(opened_app, by, note=note, link=link), corrects)
        output.say(f"已写入 {case.key[:12]} / written")


@app.command("react", no_args_is_help=True)
def case_react(
    context: typer.Context,
    key: KeyArgument,
    reaction: Annotated[
        str, typer.Argument(help="满意 | 部分满意 | 不满意 | 没有回应 / satisfied | partly | unhappy | silent")
    ],
    note: NoteOption = "",
    link: LinkOption = "",
    by: ByOption = None,
) -> None:
    """记下对方的反应 / write down how the other side took it"""
    from listener.casework import doing

    with opened(context) as opened_app:
        code = _code("reaction", reaction, "REACTION")
        case = doing.react(opened_app, key, _said(opened_app, by, note=note, link=link), code)
        output.say(f"已写入 {case.key[:12]} / written")


@app.command("urgent", no_args_is_help=True)
def case_urgent(
    context: typer.Context,
    key: KeyArgument,
    reason: ReasonOption = "",
    note: FormerNoteOption = "",
    off: Annotated[bool, typer.Option("--off", help="不是事故 / it is no accident after all")] = False,
    by: ByOption = None,
) -> None:
    """标为安全/质量事故：马上通知当班的人，时限按小时 / mark an accident: whoever is on call hears of it at once"""
    from listener.casework import doing

    with opened(context) as opened_app:
        case = doing.set_urgent(opened_app, key, _said(opened_app, by, note=reason or note), not off)
        output.say(f"{case.key[:12]} {'已标为事故 / is marked' if case.urgent else '不再标为事故 / is not marked any more'}")


@app.command("verdict", no_args_is_help=True)
def case_verdict(
    context: typer.Context,
    key: KeyArgument,
    verdict: Annotated[
        str,
        typer.Argument(
            help="确已转变 turned | 误报 false-alarm | 温和批评仅记录 mild | 重复 duplicate"
            " | 用户自行删除或不愿公开 withdrawn | 转法务 legal"
        ),
    ],
    note: NoteOption = "",
    reason: Annotated[
        str,
        typer.Option("--reason", help="转法务：谣言 | 侵权 | 冒充 | 敲诈 / rumor | infringement | impersonation | extortion"),
    ] = "",
    of: Annotated[str, typer.Option("--of", help="重复：与哪张 / of which case it is a duplicate", metavar="ID")] = "",
    link: LinkOption = "",
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """结论：多数会结案；误报、温和、确已转变会进入校准与回测 / a verdict; calibration and backtest learn from it"""
    from listener.casework import doing

    with opened(context) as opened_app:
        why = _code("legal-reason", reason, "--reason") if reason else ""
        said = _said(opened_app, by, note=note, link=link)
        case, marks = doing.give_verdict(opened_app, key, _code("verdict", verdict, "VERDICT"), said, reason=why, of=of)
        _tell_change(opened_app, case, form)
        if marks:
            output.warn(f"已记入校准与回测：{len(marks)} 处 / {len(marks)} marks for calibration and backtest")
        for other in doing.contradicting(opened_app, marks):
            words = f"注意：与 {other.who} 的标记相反，撤回其一：listener koc mark --take-back {other.key}"
            output.warn(f"{words} / a mark of {other.who} says another thing: take one of them back")


@app.command("approve", no_args_is_help=True)
def case_approve(
    context: typer.Context,
    key: KeyArgument,
    refuse: Annotated[bool, typer.Option("--refuse", help="不批准 / refuse it")] = False,
    note: NoteOption = "",
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """批准转法务：须是申请人以外的人 / approve that a case goes to legal: somebody other than who asked"""
    from listener.casework import doing

    with opened(context) as opened_app:
        _tell_change(opened_app, doing.approve(opened_app, key, _said(opened_app, by, note=note), refuse=refuse), form)


@app.command("reopen", no_args_is_help=True)
def case_reopen(
    context: typer.Context,
    key: KeyArgument,
    reason: ReasonOption = "",
    note: FormerNoteOption = "",
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """重开 / open a closed case again"""
    from listener.casework import doing

    with opened(context) as opened_app:
        _tell_change(opened_app, doing.reopen(opened_app, key, _said(opened_app, by, note=reason or note)), form)


@app.command("draft", no_args_is_help=True)
def case_draft(
    context: typer.Context,
    key: KeyArgument,
    step: Annotated[str, typer.Option("--step", help="哪一步（默认该做的那一步）/ for which step (default: the due one)")] = "",
    language: Annotated[str, typer.Option("--language", help="zh-CN | en")] = "",
) -> None:
    """回复的草稿：事实已填好，请改成自己的话再发；程序从不发送 / a draft to be edited; the program never sends it"""
    from listener.casework.drafting import draft_of
    from listener.casework.finding import case_named, file_of

    if language not in ("", "zh-CN", "en"):
        raise typer.BadParameter("zh-CN | en", param_hint="--language")
    with opened(context) as opened_app:
        one = file_of(opened_app, case_named(opened_app, key))
        made = draft_of(opened_app, one, _code("step", step, "--step") if step else "", language or None)  # type: ignore[arg-type]
        if made.trouble:
            output.warn(made.trouble)
        output.warn(
            "草稿：核对事实，填好【请填】，改成自己的话，由人发出 / a draft: check the facts, fill in, put it in your own words"
        )
        sys.stdout.write(made.text)


@app.command("pack", no_args_is_help=True)
def case_pack(
    context: typer.Context,
    key: KeyArgument,
    out: Annotated[Path | None, typer.Option("--out", help="写到哪里 / where to", metavar="FILE.zip")] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的文件 / overwrite a file that exists")] = False,
    note: NoteOption = "",
    by: ByOption = None,
) -> None:
    """线索留存：原文与历次文本、链接、计数、抓取记录、校验值，打成一个 zip；谁取走会记下 / all that is known, in one zip"""
    from listener.casework import packing
    from listener.casework.finding import case_named, file_of

    with opened(context) as opened_app:
        one = file_of(opened_app, case_named(opened_app, key))
        file = out or Path(packing.name_of(one))
        made = packing.write_pack(opened_app, one, _said(opened_app, by, note=note), file, overwrite=force)
        output.say(f"已写入 {file}（{len(made.files)} 个文件）SHA-256 {made.sha256} / written")
        output.say("这是线索留存，不是公证证据；含个人信息，用完请删除 / leads, no notarized proof; delete it when done")


@app.command("report")
def case_report(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="从哪天开的单算起 / cases opened since", metavar="DATE")] = None,
    brand: Annotated[str | None, typer.Option(help="只看一个品牌 / of one brand")] = None,
    form: FormatOption = Format.table,
) -> None:
    """多少张、多快、按时多少、回应有没有用 / how many, how fast, on time, and whether the answers worked"""
    from listener.casework.reporting import report
    from listener.commands import casing, showing

    with opened(context) as opened_app:
        if brand is not None:
            showing.known_brand(opened_app, brand)
        start = time_of(since, "--since", opened_app.timezone) if since else None
        casing.print_report(report(opened_app, brand=brand, since=start), opened_app, form)


@app.command("audit")
def case_audit(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    expect: Annotated[
        str, typer.Option("--expect", help="先前记下的校验值，要仍在其中 / a hash noted before, which must still be there")
    ] = "",
    form: FormatOption = Format.table,
) -> None:
    """核对记录没有被改过；有出入则退出码 1 / check that no log was changed; ends with 1 if one was"""
    from listener.casework import auditing

    with opened(context) as opened_app:
        report = auditing.audit(opened_app, key, expect)
        rows = auditing.rows_of(report)
        columns = list(zip(("case", "entries", "head", "faults"), ("处置单", "记录", "校验值", "出入"), strict=True))
        output.write_rows(rows, form, columns=columns, empty="还没有处置单 / no case yet")
        if form is Format.table:
            output.say(auditing.words_of(report))
        if not report.is_whole:
            raise typer.Exit(FAILED)


def _said(opened_app: App, by: str | None, *, note: str = "", link: str = "", reply: str = "", tick: str = "") -> Said:
    """Who says what, now; beside a name that was given stands the account of the machine."""
    from listener.cases.acts import Said

    ticked = tuple(
        _code("check", one.strip(), "--tick") for one in tick.replace("、", ",").replace("，", ",").split(",") if one.strip()
    )
    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = ""
    return Said(who_of(by), opened_app.now(), note, link, reply, ticked, login)


def _words_of(reply: str, file: Path | None) -> str:
    if file is None:
        return reply
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"读不了 / can't be read: {file}: {error}", param_hint="--reply-file") from error


def _code(group: str, text: str, option: str) -> str:
    """The code that was written, as it stands or by its word in either language."""
    from listener.text.words import WORDS

    words = WORDS[group]
    for code, (zh, en) in words.items():
        if text.strip().casefold() in (code, zh.casefold(), en.casefold()):
            return code
    known = "、".join(f"{code}（{zh}）" for code, (zh, _) in words.items())
    raise typer.BadParameter(f"没有 {text!r}；有：{known} / unknown; there are: {', '.join(words)}", param_hint=option)


def _tell_change(opened_app: App, case: Case, form: Format) -> None:
    """Say what was just written into a case and what is due now."""
    _tell(opened_app, case, form, is_whole=False)


def _tell(opened_app: App, case: Case, form: Format, *, is_whole: bool = True) -> None:
    """Show a case as it is now."""
    from listener.casework.finding import file_of
    from listener.commands import casing

    one = file_of(opened_app, case)
    if form is Format.table:
        (casing.print_case if is_whole else casing.print_change)(one, opened_app)
    else:
        output.write_rows([casing.full_row_of(one, opened_app)], form, columns=(), empty="")
