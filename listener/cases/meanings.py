"""What an act does to a voice, or to whoever raised it, put together from who, what and how, whatever the words are.

`listener.cases.guard` knows phrases; this knows what they are made of: a *voice* is made to vanish, to be unread or to be said
otherwise; a *speaker* loses a place, a thing or peace; something is *traded* for words; a consequence *threatens* whoever goes
on. The vocabularies are short and closed, and every pattern joins two of them at least.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """An act. spares: what, in the clause, shows that another thing is meant. by_them: whether the act may be theirs."""

    code: str
    act: re.Pattern[str]
    spares: re.Pattern[str] | None = None
    by_them: bool = True


def rule_of(code: str, *acts: str, spares: re.Pattern[str] | None = None, by_them: bool = True) -> Rule:
    """The rule of these patterns."""
    return Rule(code, re.compile("|".join(f"(?:{act})" for act in acts), re.IGNORECASE), spares, by_them)


# Who raised the voice; what carries it; where it stands.
_ONE = (
    r"(?:[他她](?:们|这个|那个|的)?|对方|这(?:位|个|种|类)人?|那(?:位|个|种)人?|该(?:用户|博主|达人|作者)|用户|"
    r"博主|达人|作者|KOC|楼主)"
)
_SAID = (
    r"(?:帖|贴子|笔记|微博|视频|评论|评价|差评|吐槽|负面|文章|内容|热搜|话题|动态|主题|楼|聊天记录|"
    r"[这那该]一?[条篇个段]|那段|这段|它"
    r"|post|review|video|comment|thread)"
)
_ACCOUNT = r"(?:账号|帐号|小号|大号|号|主页|发言权|权限)"
_PLACE = r"(?:名单|名额|群|社群|团队|年会|嘉宾|活动|发布会|直播间|体验官|内测|首发|试用|评测团|合作池|邀请)"
_HOST = r"(?:平台|小红书|微博|抖音|B站|知乎|版主|吧主|群主|管理员|审核|运营那边|站方|站长)"

# What is given or kept back; what is to become of the words for it.
_GOOD = (
    r"(?:钱|红包|补偿|补贴|赔偿|赔付|代金券|优惠券|券|礼盒|礼品|样机|新机|新品|产品|名额|资格|退款|佣金|好处|"
    r"辛苦费|酬劳|会员|积分"
    r"|[一二两三四五六七八九十几\d]+(?:块|元|千|万|百)|新款|试用|保修|奖励|money|gift|refund|coupon|voucher|sponsorship)"
)
_TIED = (
    r"(?:前提|条件|作为交换|交换|只要|换(?!货|新|了|一)|才(?:给|能|可以|肯|发|退|赔)|就(?:给|送|补|退|发|赔|没)|"
    r"否则|不然|除非|先[把让请叫]|(?:要|得|须|请|让|叫|劝)(?:[他她其]|对方|用户|博主|作者)|unless|if|provided)"
)
_CHANGED = (
    r"(?:删|撤(?!销订)|下架|隐藏|清空|私密|改(?:口|成|掉|评|好评|标题|文)|别(?:再)?(?:提|说|发|往外)|不(?:再|要|"
    r"得|许|能)?(?:再)?(?:提|往外|对外|公开|发声|曝光)"
    r"|(?:写|补|发|给|来)一?[条个篇][^，]{0,3}好评|五星|闭嘴|保密|delet|remov|edit|tak\w+ (?:it|the \w+) down|"
    r"chang\w+ (?:the|her|his))"
)
_GOES_ON = (
    r"(?:(?:再|还敢?|继续|敢|接着|要是还|如果还)(?:这么|这样|乱|在|往外)?"
    r"(?:发(?!现|生|货|布会)|说(?!明)|写|闹|提(?!供|交|醒)|拍|讲|带|喷|爆))"
)
_LOSES = (
    r"(?:就(?:别想|没|取消|停|不再|别|法庭|告|曝|封|不客气)|别想|别怪|不客气|没(?:有)?(?:任何)?好处|没好果|等着|"
    r"走着瞧|后果|后悔|法庭|吃不了|好看"
    r"|没[他她其]的?份|(?:取消|停掉|没收|收回)[^，]{0,4}(?:保修|资格|会员|名额|合作))"
)

_OURS = re.compile(
    r"我们自己|我方|我司|官方误|误发|重复|广告位|批次|库存|链接|旧款|说明书|第三方|按钮|功能|页面|通知|海报|活动页"
)
_FOR_THEM = re.compile(
    r"本人|自愿|主动|转行|意愿|到期|有序|照常|照旧|继续合作|合作继续|随[他她]|尊重|欢迎|供应商|工厂|物流|经销商|代工"
)

MEANINGS: Final = (
    rule_of(  # the voice vanishes, or nobody reads it
        "removal",
        rf"(?:把|将|给|叫人|找人)[^，]{{0,12}}{_SAID}[^，]{{0,6}}(?:处理掉|和谐|弄没|弄掉|搞没|搞掉|搞定|解决掉|清一下|"
        rf"清了|清掉|沉|藏|压|淹|盖|冲掉|锁|下了|撤了|删)",
        rf"(?:弄没|搞没|和谐掉|处理掉|淹掉|淹没|盖掉|沉下去|冲掉|剪掉|剪了|掐掉)[^，]{{0,6}}{_SAID}|"
        rf"{_SAID}[^，]{{0,6}}(?:弄没|搞没|和谐掉|淹掉|淹没|盖掉|剪掉|剪了|掐掉|封存|冷冻)",
        r"锁[帖贴楼]|[封删]楼|清(?:理|空|一下|掉)?聊天记录",
        r"(?:把|将)[^，]{0,12}(?:淹|盖|压|刷|冲)(?:掉|没|住|过去|下去)",
        spares=_OURS,
    ),
    rule_of(  # whoever decides about it is asked a favor
        "removal",
        rf"(?:跟|和|找|让|请|托|问)[^，]{{0,6}}{_HOST}[^，]{{0,10}}(?:打个?招呼|通融|帮个?忙|处理掉|删|撤|沉|锁|限|降|"
        rf"封|禁|压一?[压下])",
        r"(?:找|托|走|动用)(?:关系|熟人|内部)[^，]{0,12}(?:删|撤|下|压|处理|降|热搜)|公关掉|捞掉",
        spares=re.compile(r"申诉|恢复|冒充|假冒|诈骗|盗|致谢|感谢"),
        by_them=False,
    ),
    rule_of(  # what was said is to be cut, or to be said otherwise
        "rewrite",
        rf"(?:让|叫|请|要求|劝)[^，]{{0,4}}{_ONE}?[^，]{{0,10}}(?:剪掉|剪了|去掉|删减|抹掉|改口|改说|换个说法|换种说法|"
        rf"收回[^，]{{0,3}}话)",
        spares=re.compile(r"我们|设计|工厂|产品|方案"),
    ),
    rule_of(  # the speaker loses the account
        "ban",
        rf"(?:封|停|关|禁|冻)(?:掉|了|停|用|住)?[^，]{{0,5}}(?<![编型口符批])(?:账号|帐号|号(?!召|码|称|线)|发言|权限)|"
        rf"{_ACCOUNT}[^，]{{0,5}}(?:封(?!面)(?:了|掉|停|禁)?|停(?:了|掉|用)|冻结|注销掉|不能留|留不得|发不了)",
        rf"(?:让|叫|使){_ONE}[^，]{{0,6}}(?:发不了|说不了|开不了口|登不上)",
        rf"(?:把|将){_ONE}[^，]{{0,10}}(?:禁言|禁了|封|关小黑屋|拉进?黑|屏蔽)",
        spares=re.compile(
            r"批号|批次|封样|留样|送检|库存|解封|误封|申诉|恢复|冒充|假冒|盗号|诈骗|信号|型号|编号|挂号|门禁|电源|会不会|是否"
        ),
    ),
    rule_of(  # the speaker loses a place among us
        "end-cooperation",
        rf"(?:把|将){_ONE}[^，]{{0,12}}(?:划掉|划去|拿掉|拿下|移走|移出|剔|踢|除名|请出|请走|清出|清掉|赶|换掉|换下|"
        rf"撤掉|砍掉|拿走)",
        rf"{_PLACE}[^，]{{0,8}}(?:把{_ONE}|{_ONE})?[^，]{{0,4}}(?:划掉|拿掉|踢掉|剔除|除名|没[他她]的?份|"
        rf"不(?:再)?(?:叫|邀|请|带|考虑)[他她])",
        rf"(?:别|不(?:再|用|要|必|会)?再?)(?:让|请|叫|邀|邀请|找|用|带|联系|考虑|续|寄给|发给){_ONE}(?![^，]{{0,3}}[删撤改])[^，]{{0,6}}(?:$|"
        rf"来|上|了|出现|参加|合作|进|直播|活动|寄)",
        rf"{_ONE}[^，]{{0,4}}(?:不用|不必|甭|别)再?(?:续|合作|联系|寄|来)",
        rf"(?:不|别)(?:再)?(?:给|跟|和|同|与){_ONE}[^，]{{0,4}}(?:寄|发货|供货|样|合作|续|结|机会|资源|邀请|单)",
        r"不合作(?:也罢|就|算|了)|停单|断供|永不(?:录用|合作|邀请)|再也不(?:用|找|请)[他她]|"
        r"换(?:一)?[个位批][^，]{0,6}(?:KOC|达人|博主|人(?!工|对接|跟进|负责|联系|来|处理))",
        rf"(?:收回|要回|追回|停发|取消)[^，]{{0,3}}(?:送|给|寄|发)?{_ONE}?的?[^，]{{0,4}}(?:样机|样品|产品|礼盒|新品|"
        rf"资格|名额|权限|头衔)",
        rf"(?:佣金|尾款|稿费|报酬|奖励|结算|款)[^，]{{0,4}}(?:扣|压|卡|拖)(?:着|住|下|一|$)|(?:扣|压|卡|拖)(?:着|住|"
        rf"下)?{_ONE}?的?[^，]{{0,4}}(?:佣金|尾款|稿费|报酬|结算)",
        rf"不用再联系(?:了)?$|(?:下|以后|今后)[^，]{{0,6}}(?:不(?:再)?(?:跟|和|找|请|用)){_ONE}",
        spares=_FOR_THEM,
    ),
    rule_of(  # the speaker loses peace: who they are, where they live and work
        "dox",
        r"(?:单位|公司|领导|上司|老板|家人|家里|老婆|老公|妻子|丈夫|父母|爸妈|孩子|学校|导师|同事|"
        r"亲戚)[^，]{0,3}(?:反映|聊聊?|谈谈?|说说|打招呼|告状|施压|知道知道|那边(?:说|聊))",
        r"(?:曝光|公开|公布|放出|挂出来?|散布|抖出?)[^，]{0,6}(?:隐私|身份|住址|个人信息|黑料|丑事|真名|底细|"
        r"黑历史)|(?:隐私|身份证|住址|个人信息|真名|黑料|黑历史)[^，]{0,8}(?:曝光|公开|公布|放出|放到|挂出|挂到|散|"
        r"抖)",
        rf"(?:知道|查到|摸清)[^，]{{0,2}}{_ONE}[^，]{{0,4}}(?:在哪|住|上班|家|单位|底细)",
        spares=re.compile(r"打码|脱敏|删除个人|保护|泄露|客服|我们公司|我们老板|我们领导"),
        by_them=False,
    ),
    rule_of(  # a consequence for whoever goes on
        "pressure",
        rf"{_GOES_ON}[^，]{{0,10}}{_LOSES}|不(?:撤|删|改|收回|停)[^，]{{0,4}}{_LOSES}",
        r"敢不敢|看[他她]还|(?:当|算|是)[^，]{0,3}教训|给[^，]{0,4}教训|长点?记性|杀鸡儆猴|以儆效尤|(?:对|"
        r"跟)[他她][^，]{0,2}没(?:有)?好处|拿(?:来|出)?[^，]{0,6}压一?[压下]?",
        r"(?:打|催|找|盯|磨|烦)[^，]{0,6}(?:到|直到)[^，]{0,5}(?:删|撤|改|下|松口)|(?:每天|天天|轮番|"
        r"反复)[^，]{0,6}(?:催|打|找|盯)[^，]{0,8}(?:删|撤|改|下架)",
        r"承诺[^，]{0,6}不(?:再|得|会)?[^，]{0,3}(?:发声|公开|发布|提起|评论|对外)|(?:和解|协议|"
        r"承诺)书?[^，]{0,10}(?:不再|不得|不对外)",
        r"\bhush\b|shut (?:him|her|them) up|silence (?:him|her|them|the)|(?:keep|stay) quiet|\bor (?:we|he|she|"
        r"they)(?:'ll| will) ",
        spares=re.compile(r"我们(?:自己)?的?教训|吸取|工厂|供应商|内部|价格战"),
        by_them=False,
    ),
    rule_of(  # silence that is paid for
        "paid-removal",
        r"封口费|辛苦费|好处少不了|少不了[他她的]{1,3}(?:好处|份)|(?:花|出|给)(?:点|些|笔)?钱[^，]{0,6}(?:搞定|解决|"
        r"打发|了事|平息|买断)|买断[^，]{0,4}(?:内容|版权|帖)|打点一?下",
        r"\bpay(?:ing)? (?:him|her|them|the \w+) (?:off|to\b)|\bbuy (?:his|her|their) silence|\bbrib",
        by_them=False,
    ),
    rule_of(  # the crowd is made up
        "astroturf",
        r"多(?:发|写|刷|投|铺)[^，]{0,4}(?:正面|好评|软文|稿)[^，]{0,10}(?:淹|盖|压|冲|顶|掉|下去)|(?:号|人|同事|"
        r"员工)[^，]{0,8}(?:去|到)[^，]{0,6}(?:评论区|主页|帖子|楼里)[^，]{0,6}(?:带|骂|怼|刷|踩|说[他她]是?)|"
        r"说[他她]是?(?:收了|拿了)?[^，]{0,4}(?:竞品|对家|黑子|水军)",
        by_them=False,
    ),
)

# Something for words: told across clauses, so that whole sentences are read. The two that may be denied are named.
TRADES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_GOOD}.{{0,12}}(?P<tie>{_TIED}).{{0,10}}?(?P<change>{_CHANGED})",
        rf"(?P<change>{_CHANGED}).{{0,6}}(?P<tie>就|才|才能|可以|便)(?:给|送|补|退|发|赔|有|寄|安排|续).{{0,6}}{_GOOD}?",
        rf"(?P<tie>用|拿|以|凭){_GOOD}?.{{0,6}}{_GOOD}.{{0,4}}(?:换|让|交换).{{0,8}}?(?P<change>{_CHANGED})",
        rf"(?P<tie>不|没)(?P<change>撤|删|改|撤回|下架).{{0,4}}(?:就|便)?(?:取消|停|没收|不给|不发|没有?).{{0,6}}{_GOOD}",
        rf"{_GOOD}\w*.{{0,12}}(?P<tie>unless|only if|once|until).{{0,24}}(?P<change>{_CHANGED})",
    )
)
