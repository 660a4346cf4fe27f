"""Why the guard rail refuses a text, and what to do instead: codes → words in zh-CN and English."""

from __future__ import annotations

from typing import Final

from listener.text.views import Language

# code: (what it does, what to do instead), zh-CN and English
_WORDS: Final = {
    "removal": (
        ("要求删除、隐藏或压下别人的内容", "原帖留着，在它下面公开致谢、说明核实进度和结果"),
        ("asks for words to be taken away", "leave the post, thank under it and say there what is found and done"),
    ),
    "paid-removal": (
        ("有偿删帖违法，本程序从不提供", "原帖留着，公开说明；补偿不附带任何条件"),
        ("pays for removal, which is against the law", "leave the post and answer it; compensate without conditions"),
    ),
    "bought-praise": (
        ("用钱或赠品换好评、换改口", "先解决问题；补偿与评价脱钩，并明说“评价由您决定”"),
        ("buys praise or a changed review", "solve the problem; say that the compensation does not depend on the review"),
    ),
    "astroturf": (
        ("控评、刷评、发动别人反驳", "用品牌自己的账号，公开说事实和期限"),
        ("drowns a voice in bought or organized ones", "answer with facts and a date, from the brand's own account"),
    ),
    "close-comments": (
        ("关闭或清理评论区", "评论区保持开放，置顶一条说明核实进度的回复"),
        ("closes or cleans the comments", "keep them open and pin an answer that tells how far you are"),
    ),
    "rewrite": (
        ("要求别人改口、改文案", "把事实和检测结果公布出来，由对方自己决定要不要更新"),
        ("has somebody change what they said", "publish the facts; whether to update the post is theirs to decide"),
    ),
    "ban": (
        ("拉黑、禁言、移出群聊", "请对接人私下听他说完，群里先感谢提出问题的人"),
        ("shuts somebody out", "have the owner listen in private, thank in the group whoever raised it"),
    ),
    "report": (
        ("举报、投诉、限流批评者", "先核实；确属谣言、侵权、冒充、敲诈的，走“转法务”，须第二人批准"),
        ("has a critic reported or throttled", "verify first; a rumor, infringement, impersonation or extortion is for legal"),
    ),
    "legal-threat": (
        ("以起诉、律师函、追责相威胁", "先核实；确属谣言、侵权、冒充、敲诈的，走“转法务”，须第二人批准"),
        ("threatens with the law", "verify first; only a rumor, infringement, impersonation or extortion goes to legal, with "
            "a second "
            "person's approval"),
    ),
    "end-cooperation": (
        ("把终止合作、扣款、取消权益当作对批评的回应", "合作和权益照常，明说不受影响；合作到期另走有序退出"),
        ("ends or cuts a cooperation in answer to criticism", "go on as agreed and say so; an orderly exit has its own time"),
    ),
    "pressure": (
        ("对批评者施压", "致谢、核实、给出措施与期限，公开跟进"),
        ("presses a critic", "thank, verify, name a measure and a date, follow up in public"),
    ),
    "likeness": (
        (
            "读起来像是压下批评、收买或为难发声的人（按写法判断，可能误判）",
            "不是这个意思就换个写法，写明谁做、做什么、为什么；是的话，改为致谢、核实、公开跟进",
        ),
        ("reads like pressing, buying or punishing a critic (judged by its wording, which may err)",
            "if it is not meant so, say who does what and why; if it is, thank, verify and follow up in public"),
    ),
    "dox": (
        ("查私人信息，或找对方的单位、家人", "只在对方发声的地方，或由对接人，直接与本人沟通"),
        ("digs for private data or goes to an employer or family", "talk to the person alone, where they spoke"),
    ),
    "cites-monitoring": (
        ("向对方提到监测、评分或预警", "只说对方公开说过的事和我们做的事"),
        ("speaks of monitoring, scores or alerts to the KOC", "speak of what they said in public and of what we do"),
    ),
}  # fmt: skip
CODES: Final = frozenset(_WORDS)


def refusal(code: str, words: str, language: Language | None = None) -> str:
    """Why a text is refused, the clause that says so, and the better step; both languages where none is named.

    >>> refusal("ban", "拉黑这个用户", "en")
    'refused: “拉黑这个用户” shuts somebody out. Better: have the owner listen in private, thank in the group whoever raised it'
    """
    (why_zh, way_zh), (why_en, way_en) = _WORDS[code]
    zh = f"不能写：「{words}」是{why_zh}。换成：{way_zh}"
    en = f"refused: “{words}” {why_en}. Better: {way_en}"
    return zh if language == "zh-CN" else en if language == "en" else f"{zh} / {en}"
