"""Codes → words, in zh-CN and English: one table a vocabulary. They describe posts and states, never brand a person."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from listener.text.views import Language

Pair = tuple[str, str]  # zh-CN, English

# fmt: off
WORDS: Mapping[str, Mapping[str, Pair]] = {
    "level": {
        "amber": ("黄色预警", "Amber alert"),
        "red": ("红色预警", "Red alert"),
    },
    "level-short": {
        "amber": ("黄", "amber"),
        "red": ("红", "red"),
    },
    "severity": {
        "info": ("提示", "for information"),
        "watch": ("关注", "watch"),
        "important": ("重要", "important"),
        "urgent": ("紧急", "urgent"),
    },
    "status": {
        "candidate": ("观察中", "candidate"),
        "advocate": ("支持", "advocate"),
        "wavering": ("态度动摇", "wavering"),
        "critic": ("转为批评", "turned critical"),
        "recovered": ("态度回暖", "recovered"),
        "silent": ("久未发声", "silent"),
        "not-covered": ("未覆盖", "not covered"),
    },
    "stance": {
        "favor": ("支持", "in favor"),
        "against": ("负面", "against"),
        "none": ("中性", "neutral"),
    },
    "alert-kind": {
        "drift": ("态度转变", "drift"),
        "first-negative": ("首条负面", "First negative"),
        "silence": ("久未提及", "Silence"),
        "praise-withdrawal": ("不再称赞", "No more praise"),
        "brand-shift": ("品牌口碑", "Brand mood"),
        "grave-post": ("严重负面内容", "Grave post"),
        "defection": ("转向竞品", "Defection"),
        "unresolved-feedback": ("反馈未解决", "Unresolved feedback"),
        "accusation": ("KOC 被质疑", "Accusation"),
        "opinion-storm": ("舆论风暴", "Opinion storm"),
        "spread": ("负面扩散", "Spread"),
        "contagion": ("连带转变", "Contagion"),
        "source-silent": ("来源静默", "Source silent"),
        "delivery-failing": ("推送失败", "Delivery failing"),
        "case-due": ("处置到期", "Case due"),
        "promise-due": ("承诺到期", "Promise due"),
    },
    "tie": {
        "answer": ("回复过对方", "had answered the other"),
        "repost": ("转发过对方", "had reposted the other"),
        "tree": ("在同一条内容下发言", "spoke under the same post"),
        "group": ("在同一个群", "in the same group"),
    },
    "promise-stage": {
        "soon": ("快到期", "is due soon"),
        "today": ("今天到期", "is due today"),
        "overdue": ("已过期", "is overdue"),
        "long-overdue": ("过期已久", "is long overdue"),
    },
    "promise-state": {
        "open": ("未了", "open"),
        "kept": ("已兑现", "kept"),
        "broken": ("未兑现", "broken"),
        "waived": ("已免除", "waived"),
    },
    "agreement-state": {
        "active": ("履行中", "active"),
        "done": ("已完成", "done"),
        "ended": ("已结束", "ended"),
    },
    "standing": {
        "active": ("合作中", "active"),
        "alumni": ("荣誉", "alumni"),
    },
    "koc-log": {
        "contact": ("联系", "contact"),
        "inquiry": ("来询", "wrote to us"),
        "honor": ("荣誉", "honor"),
        "thanks": ("感谢", "thanks"),
        "event": ("活动", "event"),
        "adopted": ("内容被采用", "content adopted"),
        "contribution": ("贡献", "contribution"),
        "exit-asked": ("提出退出", "exit asked for"),
        "exit-refused": ("退出被拦下", "exit refused"),
        "exit-thanks": ("退出：致谢", "exit: thanks"),
        "exit-waived": ("退出：免除", "exit: waived"),
        "exit-title": ("退出：荣誉称号", "exit: title"),
        "exit-done": ("退出完成", "exit done"),
        "exit-stopped": ("退出中止", "exit stopped"),
    },
    "candidate-part": {
        "stance": ("支持", "in favor"),
        "voice": ("言之有物", "says much"),
        "novelty": ("有新内容", "says new things"),
        "steady": ("持续", "steady"),
        "engagement": ("互动", "engagement"),
        "fit": ("契合品类", "fits the category"),
        "constructive": ("建设性批评", "helpful criticism"),
        "copied": ("与他人雷同", "same as others"),
        "scripted": ("套话", "a script's words"),
        "phrases": ("多人同句", "phrases that many use"),
        "paid": ("广告用语", "words of an ad"),
        "burst": ("集中几天", "all in a few days"),
        "same-platform": ("同平台", "same platform"),
        "same-topic": ("同话题", "same topics"),
        "same-reach": ("互动相当", "like reach"),
    },
    "fading": {
        "left": ("已有序退出", "left in friendship"),
        "silent": ("久未发声", "silent"),
        "critic": ("转为批评", "turned critical"),
        "cooled": ("热情减退", "cooled"),
    },
    "operational-step": {
        "promise-due": ("兑现、改期或说明", "keep it, move it, or say why not"),
        "case-due": ("做到期的一步", "do the step that is due"),
        "source-silent": ("看一眼来源", "look at the source"),
        "delivery-failing": ("看一眼渠道", "look at the channel"),
    },
    "operational-hint": {
        "promise-due": (
            "做到了就记下；一时做不到，先告诉对方，再改期。",
            "Note it once it is kept; if it can't be, tell them first, then move it.",
        ),
        "case-due": ("listener cases show 写着怎么做。", "listener cases show says how."),
        "source-silent": ("listener status 写着原因。", "listener status says why."),
        "delivery-failing": ("修好后用 listener deliver --retry 重发。", "Once it works: listener deliver --retry."),
    },
    "exit-step": {
        "ask": ("说明谁提出", "say who asks for it"),
        "thanks": ("致谢", "thanks"),
        "settle": ("办结未了的事", "settle what is open"),
        "title": ("荣誉称号", "honorary title"),
        "finish": ("完成", "finish"),
    },
    "withheld": {
        "abroad": ("境外渠道，不发原文和名字，查看", "a channel abroad: no words of posts and no names; see"),
        "private": ("私域内容不发到这里，处置人查看", "words of the private domain are not sent here; who handles it sees"),
    },
    "withheld-short": {
        "abroad": ("原文不发往境外", "its words are not sent abroad"),
        "private": ("私域内容，这里不显示", "private domain, not shown here"),
    },
    "alert-state": {
        "current": ("有效", "current"),
        "superseded": ("已更正", "superseded"),
    },
    "letter-kind": {
        "alert": ("预警", "alert"),
        "summary": ("汇总", "summary"),
        "correction": ("更正", "correction"),
        "digest": ("摘要", "digest"),
        "storm": ("预警风暴", "alert storm"),
        "escalation": ("升级", "escalation"),
        "test": ("测试", "test"),
    },
    "delivery-kind": {
        "alert": ("预警", "alert"),
        "correction": ("更正", "correction"),
        "escalation": ("升级", "escalation"),
    },
    "delivery-state": {
        "pending": ("待发送", "pending"),
        "sending": ("发送中", "sending"),
        "sent": ("已发送", "sent"),
        "summarized": ("已汇总", "summarized"),
        "cancelled": ("已取消", "cancelled"),
        "dead": ("发送失败", "given up"),
    },
    "channel-type": {
        "email": ("电子邮件", "e-mail"),
        "webhook": ("Webhook", "webhook"),
        "wecom": ("企业微信机器人", "WeCom robot"),
        "dingtalk": ("钉钉机器人", "DingTalk robot"),
        "feishu": ("飞书机器人", "Feishu robot"),
        "apprise": ("Apprise", "Apprise"),
    },
    "outlet": {
        "off": ("已停用", "switched off"),
        "lacking": ("不能用", "can't send"),
        "unused": ("还没用过", "not used yet"),
        "fine": ("正常", "fine"),
        "failing": ("在失败", "failing"),
        "resting": ("休息中", "resting"),
    },
    "shows": {
        "all": ("全部", "all"),
        "no-private": ("不含私域原文", "no words of the private domain"),
        "counts": ("只有编号和条数", "ids and counts alone"),
    },
    "case-state": {
        "open": ("处理中", "open"),
        "closed": ("已结案", "closed"),
    },
    "variant": {
        "public": ("公开回应", "public answer"),
        "private": ("私域回应", "answer in the private group"),
        "care": ("关怀回访", "care visit"),
    },
    "step": {
        "open": ("开立", "open"),
        "acknowledge": ("公开致谢", "thank in public"),
        "route": ("转责任部门", "bring it to the right department"),
        "verify": ("内部核实", "verify inside"),
        "resolve": ("解决问题", "resolve"),
        "follow-up": ("公开跟进", "follow up in public"),
        "thank": ("感谢提出者", "thank who raised it"),
        "support": ("私下支持", "stand by the KOC in private"),
        "publish": ("群内公布结果", "publish the result in the group"),
        "contact": ("关怀回访", "get in touch"),
        "fix": ("解决或承诺", "fix or promise"),
        "record": ("记录", "record"),
        "close": ("结案", "close"),
        "reopen": ("重新开立", "reopen"),
        "alert": ("新预警", "another alert"),
        "superseded": ("预警已更正", "alert superseded"),
        "recovered": ("态度已回暖", "recovered"),
        "relapsed": ("回暖不再成立", "no longer recovered"),
        "variant": ("改用另一种回应", "another kind of answer"),
        "note": ("备注", "note"),
        "take": ("接手", "taken"),
        "share": ("增加成员", "members added"),
        "react": ("对方反应", "reaction"),
        "verdict": ("结论", "verdict"),
        "urgent": ("标为安全/质量事故", "marked as an accident"),
        "not-urgent": ("取消事故标记", "no accident after all"),
        "legal-asked": ("申请转法务", "legal was asked for"),
        "legal-refused": ("不批准转法务", "legal was refused"),
        "approve": ("批准转法务", "legal was approved"),
        "merge": ("并入另一张处置单", "another case was merged in"),
        "pack": ("导出线索包", "evidence was exported"),
        "draft": ("取用草稿", "a draft was made"),
    },
    "case-stage": {
        "urgent": ("要立刻处理", "needs somebody at once"),
        "soon": ("快到期", "is due soon"),
        "overdue": ("已过期", "is overdue"),
        "long-overdue": ("过期已久", "is long overdue"),
    },
    "verdict": {
        "turned": ("确已转变", "turned"),
        "false-alarm": ("误报", "false alarm"),
        "mild": ("温和批评仅记录", "mild criticism, recorded"),
        "duplicate": ("重复", "duplicate"),
        "withdrawn": ("用户自行删除或不愿公开", "the user deleted it, or wants no public answer"),
        "legal": ("转法务", "handed to legal"),
    },
    "legal-reason": {
        "rumor": ("谣言", "rumor"),
        "infringement": ("侵权", "infringement"),
        "impersonation": ("冒充", "impersonation"),
        "extortion": ("敲诈", "extortion"),
    },
    "reaction": {
        "satisfied": ("满意", "satisfied"),
        "partly": ("部分满意", "partly satisfied"),
        "unhappy": ("不满意", "unhappy"),
        "silent": ("没有回应", "no answer"),
    },
    "check": {
        "thanks": ("感谢", "thanks"),
        "facts": ("事实", "facts"),
        "measure": ("措施", "measure"),
        "date": ("期限", "date"),
    },
    "closest": {
        "advocate": ("仍是支持者，只是碰巧有几条重话", "still an advocate who happened to write a few harsh posts"),
        "never": ("原本就没有那么支持", "never was much of an advocate"),
        "cooled": ("只是热情减退，并没有转为批评", "has merely cooled, without turning critical"),
    },
    "closest-short": {
        "advocate": ("仍是支持者", "still an advocate"),
        "never": ("原本就不太支持", "never one"),
        "cooled": ("只是热情减退", "merely cooled"),
    },
    "via": {
        "named": ("点名提及", "named in the text"),
        "source": ("来源即关于本品牌（推断）", "the source is about the brand (inferred)"),
        "parent": ("回应的内容提及本品牌（推断）", "answers a post about the brand (inferred)"),
    },
    "post-kind": {
        "post": ("原帖", "post"),
        "comment": ("评论", "comment"),
        "repost": ("转发", "repost"),
    },
    "platform": {
        "weibo": ("微博", "Weibo"),
        "bilibili": ("哔哩哔哩", "Bilibili"),
        "xiaohongshu": ("小红书", "Xiaohongshu"),
        "douyin": ("抖音", "Douyin"),
        "kuaishou": ("快手", "Kuaishou"),
        "zhihu": ("知乎", "Zhihu"),
        "douban": ("豆瓣", "Douban"),
        "tieba": ("百度贴吧", "Tieba"),
        "wechat": ("微信", "WeChat"),
        "rss": ("RSS 订阅", "RSS"),
        "feed": ("订阅源", "feed"),
    },
    "domain": {
        "public": ("公域", "public"),
        "private": ("私域", "private domain"),
    },
    "crawl-outcome": {
        "running": ("进行中", "running"),
        "done": ("完成", "done"),
        "blocked": ("被平台拦截", "blocked by the platform"),
        "changed": ("平台页面已变化", "the platform's pages have changed"),
        "failed": ("失败", "failed"),
        "cut": ("中途中断", "cut off"),
    },
    "reach": {
        "covered": ("已覆盖", "covered"),
        "partly": ("部分覆盖", "partly covered"),
        "imported": ("仅导入", "imported only"),
        "not-covered": ("未覆盖", "not covered"),
    },
    "why": {
        "timeline": ("完整读取主页时间线", "its timeline is read to the end"),
        "empty": ("完整读取，没有内容", "its timeline is read to the end, there is no post"),
        "search-only": ("只听得到搜索命中的内容", "only posts that match a query are heard"),
        "feed-only": ("只听得到订阅地址里的内容", "only what stands at the feed's address is heard"),
        "import-only": ("只在导入文件中出现", "heard in imported files alone"),
        "no-source": ("没有来源读取这个平台或账号", "no source reads this platform or account"),
        "source-off": ("来源已停用", "the source is switched off"),
        "no-account": ("名单里没有可识别的账号", "the roster holds no account that can be recognized"),
        "never-heard": ("来源还没有完成过一次抓取", "the source has not ended a crawl yet"),
        "not-reached": ("上次抓取没有读完这条时间线", "the last crawl did not read this timeline to the end"),
        "not-heard": ("来源很久没有运行", "the source has not run for long"),
        "blocked": ("被平台拦截（登录、验证码或限流）", "blocked by the platform: log-in, captcha or too many requests"),
        "changed": ("平台页面已变化，读不懂", "the platform's pages have another shape"),
        "failed": ("抓取失败", "the crawl failed"),
        "cut": ("抓取中断", "the crawl was cut short"),
    },
    "mark": {
        "turned": ("确已转变", "turned"),
        "false-alarm": ("误报", "false alarm"),
        "mild": ("温和、诚实的批评", "mild criticism"),
    },
    "unscored": {
        "empty": ("没有文字", "no text"),
        "no-words": ("没有可读的词", "no words to read"),
        "other-language": ("其他语言，未读", "another language, not read"),
        "media-only": ("只有图片或视频，未读", "only an image or a video, not read"),
        "own-account": ("品牌自己的账号", "the brand's own account"),
    },
    "cue": {
        "accusation": ("被指只说好话", "accused of one-sided praise"),
        "accusation-paid": ("被指收钱", "accused of being paid"),
        "after-sales": ("售后", "after-sales"),
        "complaint": ("有凭有据的长篇投诉", "long complaint with evidence"),
        "defection": ("明说不再购买或离开", "says it leaves"),
        "dissuasion": ("劝别人不要买", "advises against buying"),
        "escalation": ("要投诉或维权", "goes to authorities or the press"),
        "expose": ("曝光", "exposes"),
        "ignored": ("反映了没人理", "was not answered"),
        "incentivized": ("有偿或赠品", "was paid or got a gift"),
        "irony": ("反话", "irony"),
        "let-down": ("失望", "let down"),
        "price-grievance": ("价格不满", "about the price"),
        "product-grievance": ("产品不满", "about the product"),
        "silencing": ("提到被要求删改或被控评", "says it was silenced"),
        "switch": ("改用竞品", "moves to a rival"),
        "unresolved": ("问题没解决", "not resolved"),
        "used": ("觉得被利用", "feels used"),
    },
    "held-back": {
        "mild-criticism": ("温和、具体的批评：只记录", "mild and constructive: recorded, not told"),
        "too-few-mentions": ("此前提及太少，还没有基线", "too few mentions before it to know a baseline"),
        "no-favorable-baseline": ("此前并不偏向支持", "what came before was not in favor"),
        "not-the-first": ("不久前刚有过一条", "another one came shortly before"),
        "usual-for-this-koc": ("按其常态，这样的内容时有出现", "this KOC writes such a post now and then"),
        "brand-shift": ("公众口碑整体转差，先不归因于个人", "the whole public's mood had fallen just then"),
        "not-against": ("有这样的字句，但并不是针对本品牌的负面", "has such words, and is not against the brand"),
        "copy": ("与本人先前的内容重复", "repeats what this KOC wrote shortly before"),
        "already-critic": ("已转为批评，按态度转变处理", "has turned critical, which is answered as such"),
        "already-raised": ("同样的内容已经报过", "the same posts have been told already"),
        "rival-not-praised": ("提到竞品，但没有称赞", "names a rival, and does not praise it"),
        "single-voice": ("只有一个人这样说", "a single voice"),
        "told-as-graver": ("同一条已作为更严重的预警发出", "the same post was told as something graver"),
    },
    "cause": {
        "product": ("产品", "product"),
        "after-sales": ("售后", "after-sales"),
        "logistics": ("物流", "delivery"),
        "price": ("价格", "price"),
        "marketing": ("营销", "marketing"),
        "cooperation": ("合作关系", "cooperation"),
    },
    "held-short": {
        "not-read": ("未读", "not read"),
        "no-own-words": ("无自己的话", "no own words"),
        "copy": ("重复", "copy"),
    },
    "kept": {
        "quiet-hours": ("免打扰时段", "quiet hours"),
        "rest-day": ("休息日", "a free day"),
        "weekend": ("周末（这一年的节假日安排尚未收录，按周末计）", "a weekend; that year's holidays are not known yet"),
        "digest": ("较轻，等下一次摘要", "mild, waits for the next digest"),
        "acknowledged": ("已有人接手，等下一次摘要", "taken on already, waits for the next digest"),
        "muted": ("免打扰", "muted"),
        "cooling-down": ("刚为同一位 KOC 打扰过", "the same KOC was told of a short while ago"),
        "storm": ("预警风暴，合并到下一条", "an alert storm, waits for its next message"),
    },
    "reason": {
        "no-mentions": ("还没有提及", "no mentions yet"),
        "first-mention": ("首次提及", "first mention"),
        "loyal": ("提及足够多，持续支持", "enough mentions, steadily in favor"),
        "wavering": ("近期内容偏离自己的基线", "recent posts leave the own baseline"),
        "turned": ("证据达到红色阈值", "the evidence reached the red bar"),
        "recovered": ("近期内容重新支持", "recent posts are in favor again"),
        "settled": ("证据回落，恢复平稳", "the evidence fell back, calm again"),
        "silent": ("在听的期间久未发声", "nothing said for long while somebody listened"),
    },
}
# fmt: on


def word(group: str, code: str, language: Language = "zh-CN") -> str:
    """The word for a code. An unknown one is shown as it is: better an odd word than no alert; a test keeps the tables full.

    >>> word("severity", "urgent"), word("severity", "urgent", "en"), word("severity", "new-code")
    ('紧急', 'urgent', 'new-code')
    """
    pair = WORDS.get(group, {}).get(code)
    if pair is None:
        return code
    return pair[0] if language == "zh-CN" else pair[1]


def group_of(codes: type[StrEnum]) -> str:
    """The table that holds the words of a class of codes: its name in kebab case.

    >>> class HeldBack(StrEnum): MILD = "mild"
    >>> group_of(HeldBack)
    'held-back'
    """
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in codes.__name__).lstrip("-")
