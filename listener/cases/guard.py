"""What somebody wants to write into a case → why it is refused, or None.

Nobody presses, deletes or ends a cooperation as an answer to genuine criticism. The text is read clause by clause. A clause
is refused where it names such an act as ours: ordered, asked for, offered or threatened. It passes where the act is denied
("不要求删帖"), undone ("解除禁言"), turned down ("公关公司建议删帖，已否决"), told of somebody else ("用户自行删除了原帖",
"对方表示会起诉"), or done to what is no voice ("问题批次全部下架").

Three layers, one after the other: phrases (here), what acts are made of (`listener.cases.meanings`), and, in Chinese, how a
sentence reads beside a thousand invented ones (`listener.cases.likeness`). It is a reminder for people of good will, no wall:
whoever wants to can find other words. How much it catches of what it has not seen: `tests/bench/bench_guard.py`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from listener.cases.likeness import is_like
from listener.cases.meanings import MEANINGS, TRADES, Rule, rule_of

# Who is spoken of: those who raise their voice, and those who are not us.
_THEM = (
    r"(?:用户|客户|顾客|消费者|买家|对方|博主|作者|楼主|达人|网友|粉丝|群友|有人|本人|KOC|[他她](?:们"
    r"|本人)?|[张王李赵刘陈](?:姐|哥|女士|先生)"
    r"|the (?:user|author|customer|koc|platform)|users?|author|customer|platform|\bhe\b|\bshe\b|\bthey\b)"
)
_WE = r"(?:我们|我司|我方|品牌方?|官方|咱们|\bus\b|\bour\b|\bwe\b)"
# What carries a voice.
_VOICE = (
    r"(?:帖|贴子|原贴|笔记|微博|视频|评论|评价|差评|中评|追评|测评|负面|留言|质疑|文章|长文|稿|内容|热搜|话题"
    r"|弹幕|推文|回答|动态|朋友圈|截图|曝光|吐槽"
    r"|言论|回复|这件事|楼层|消息|聊天记录|搜索词|不良信息|标题|避雷|[这那该](?:一|几)?[篇条]"
    r"|post|review|video|comment|tweet|article|content|thread|story)"
)
_ORDER = (
    r"(?:让|叫|要求|请|劝|催|逼|命令|通知|提醒|建议|希望|麻烦|烦请|务必|尽快|必须|安排|联系|对接(?!人)|跟|和|找|沟通"
    r"|联络|私信|引导|诱导|只要|除非|前提|条件|换|等|直到|才|先|立即|马上|直接|统一|一律|全部"
    r"|可否|发动|组织|动员|全员|须|方可|能不能|能否|最好|花钱|付费|出钱|使|令|争取|设法|想办法|推动|协调|说服"
    r"|帮忙|商量|得先|第一时间"
    r"|\bask|\btell|\btold|\bget\b|\bgot\b|\bmake\b|\bmade\b|\bhave (?:our|the|him|her|them|legal)|\bplease"
    r"|\brequest|\brequire|\bdemand|\bmust\b|\burge"
    r"|\bif\b|\bunless|\buntil|\bbefore|\bcondition|\bpay|\boffer|\bpersuade|\bconvince|\bcould you|\bin exchange)"
)
_GONE = (
    r"(?:删(?:除|掉|了|去|一下|一删|帖|贴|评|稿|文|光|减)?|撤(?:下|掉|回|稿|帖|文|销|除|了)?|下架|下掉|下了"
    r"|下线|隐藏|屏蔽|折叠|清理|清空|清除|清掉|消失|抹掉|抹去|拿掉"
    r"|按下去|往下沉|下沉|去掉|disappear|搞没|搞掉|弄没|弄掉"
    r"|洗掉|沉底|沉掉|降热|不可见|看不到|转(?:为|成)?私密|仅自己可见|设[为成]私密"
    r"|delet\w*|remov\w*|take\w* (?:it |the \w+ |her \w+ |his \w+ )?down|took \w+ down|takedown|\bhid(?:e|es"
    r"|ing)?\b|retract\w*|withdraw\w*|bury|unpublish\w*|delist\w*)"
)
_NOT = (
    r"(?:不(?!然|得|仅|只是|光|再(?:与|和|跟|合作|寄|续|邀|发|提)|可见|给|良)|不得(?!不|再?发|再?提)"
    r"|(?<![搞弄])没(?!收)|未|勿|莫|别(?!忘|的|人|想)|禁止"
    r"|严禁|避免|杜绝|拒绝(?!他|她|其)|绝非|并非"
    r"|无(?:需|须|权|意|条件)|反对|停止(?=要求|施压)|取消(?=禁言|拉黑)|否决|否定"
    r"|\bnot\b|n't\b|\bnever\b|\bno\b(?! more)|\bwithout\b|\bnothing\b|\bnobody\b|\bno one\b|\bnone\b|\bcannot\b|\bturned down"
    r"|\brefus|\bstop (?=asking|pressing))"
)
_TURN = r"(?:直接|立即|马上|而是|但|就|只能|改为|干脆|不如|再|then|but|instead|just)"  # ends what a negation reaches
_DENIED = re.compile(rf"{_NOT}(?:(?!{_TURN}).){{0,28}}$", re.IGNORECASE)
_REJECTED = re.compile(
    r"已恢复|恢复(?:显示|展示|发言|权益|内容|原状|他|她|其|被|误)|误(?:删|封|禁|伤|限)|帮[他她其]申诉|不是(?:我们|我方|我司)|我们(?:也)?不(?:跟|删|压|参与|反对)|问(?:我们)?(?:要不要|能不能|是不是|是否)|[已并](?:公开)?致歉"
    r"|与[^，]{0,8}无关|向(?:他|她"
    r"|其|用户|博主)(?:公开)?道歉|apologi[sz]ed"
    r"|lost his|lost her|restored|否决|否定|没有?同意|不同意|未同意|未采纳|不采纳|驳回|叫停|制止|不可取"
    r"|是错误?的|做错了|turned down|rejected"
    r"|refused|was wrong"
)
_UNLESS = re.compile(
    r"(?:再|若|如果|如|要是|只要|倘若|坚持|一天|一日)?不(?:肯|愿)?(?:删|撤|下架|改|道歉|配合"
    r"|闭嘴)[^，。]{0,8}?(?:就|则|便|的话|我们|后果)"
)
_TOLD = re.compile(
    rf"(?:{_THEM}[^，,]{{0,10}}?(?:说(?!明书)|称(?!号|职|心)|质疑|认为|以为|觉得|反映|表示|怀疑|担心|指责|投诉"
    rf"|扬言|要求|提出|想|打算|威胁|索要|索赔|问(?!题)"
    rf"|希望|吐槽|抱怨|声称|爆料|提到)"
    r"|曾(?:经)?|之前(?:有|的)|此前|属实|误解|澄清|收到|来函|对方(?:的)?律师|是否"
    r"|\b(?:she|he|they|customer|user) (?:asked|wants|requested)|\bsays?\b|\bsaid\b|\bclaims?\b|\bthinks?\b"
    r"|\baccus\w+|\bsuspects?\b|\bthreaten(?:s|ed) to)",
    re.IGNORECASE,
)
_BY_THEM = re.compile(
    rf"^\s*(?:she asked|he asked|they asked)|^\s*(?:后来|今天|昨天|据|原来|该|已经?)?(?:{_THEM}|平台|竞品"
    rf"|竞争对手|对手)(?!的|评论|差评|内容|评价|[这那])"
    rf"|{_THEM}[^，,]{{0,6}}?(?:自己|自行|主动|自愿|已经?|又|也|取关并|把{_WE}|把官方|删除了?|撤下|撤回|修改了?"
    rf"|改成|提出|退出|举报|投诉|deleted|removed"
    rf"|took|blocked|reported|hid\b)"
    rf"|因[^，]{{1,10}}被|被(?:自动|系统|风控|折叠|删除|屏蔽)|(?:由|被|经|by)\s?(?:its |the )?(?:作者|用户|平台"
    rf"|博主|本人|系统|author|user"
    rf"|platform)|(?:不是|并非){_WE}|(?:主动|自愿|自行)(?:提出|要求|删|撤|改)",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"模式下|(?:我们|我方|我司|官方|自己)(?:自己|昨天|前天|今天|刚才|之前|误)?(?:误?发|那条|这条|的(?:广告|营销|那条|这条))|批次|这批|产品页|宣传页|详情页|活动页|广告|文案里的错|官网|页面|说明书|购物车|链接|库存|货架|门店"
    r"|召回|停售|夸大|误导|用语|供应商|物流|快递|仓库|功能|按钮|按键|入口|电话"
    r"|失效|bug|研发|结构|固件|(?<![a-z])App(?![a-z])"
    r"|个人信息|个人数据|手机号|照片|注销|product page|batch|stop selling|supplier|feature|button|personal data|misleading",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is refused. code: what it does; words: the clause that says so."""

    code: str
    words: str


_PEOPLE = r"(?:他|她|对方|其|您|你|用户|博主|达人|KOC|作者|客户|顾客|这位|该|him|her|them|user|account)"
_ONES = r"(?:[他她其]|对方|用户|博主|达人|KOC|作者)"
_PARTNER = re.compile(
    r"供应商|经销商|代理商|工厂|分销|物流|快递|外包|代运营|代理公司|代工|原来的|旧|意愿|到期|有序退出|自愿|本人"
    r"|主动|因个人|休息|转行|随时欢迎|双方|商定|照常|不受影响|supplier|courier|whatever"
)

RULES: Final = (
    rule_of(
        "paid-removal",
        r"有偿删|删帖的?价格|包删|包沉|付费删|删除渠道|花钱[^，]{0,8}(?:删|撤|处理掉|压)",
        r"(?:给|打|塞|付|转|出)[^，]{0,8}(?:钱|块|元|红包|好处|费)[^，]{0,6}(?:让|请|叫|使)[^，]{0,4}(?:删|撤|改|闭)",
        r"pay[^,]{0,30}\b(?:bury|remove|delete)",
        by_them=False,
    ),
    rule_of(
        "bought-praise",
        r"(?:删|撤|改)[^，]{0,8}后[^，]{0,6}(?:再|才|方|就|给|补|退款|赔)|改好评|更改评价|好评返现|好评[^，]{0,4}返"
        r"|free products if|changes? (?:his|her|the|their) rating|(?:改成|改为"
        r"|换成?)[^，]{0,4}(?:好评|五星"
        r"|5 ?星)|刷(?:一波)?[^，]{0,3}(?:好评|评论|正面)|洗白|反转视频|(?:删|撤|改)[^，]{0,6}(?:领取?|返"
        r"|送)[^，]{0,4}(?:红包|现|元)",
        r"(?:引导|诱导|动员|劝)[^，]{0,8}(?:修改|改|更改)[^，]{0,2}(?:评价|评分|差评|笔记)",
        r"(?:edit|chang)\w* (?:his|her|the|their) review|gift card",
        spares=re.compile(r"自愿|主动|修正|活动页|页面"),
    ),
    rule_of(
        "astroturf",
        r"控评|水军|带一?波?节奏|反黑|围攻|反驳他|统一口径|负面压制|小号|点踩|骂回去|覆盖搜索|清干净|写[^，]{0,6}条好评|盖过去"
        r"|去[^，]{0,4}点赞官方|踩他|踩她|说[他她]造谣|打[他她]的脸|搞臭|attack"
        r"|评论区走向|对冲|理论理论|(?:买|撤|压)[^，]{0,5}热搜|(?:搜索结果|负面|差评|质疑)[^，]{0,6}(?:压|顶下去|沉下去)"
        r"|(?:铺|顶|刷|盖)[^，]{0,8}(?:好评|正面)|(?:买|找)[^，]{0,4}好评|好评[^，]{0,6}顶|(?:找|组织|安排)[^，]{0,10}(?:说好话|夸)",
        r"downvote|bury the|astroturf|sock ?puppet|\bfake (?:positive )?(?:comment|review|post)|drown",
    ),
    rule_of(
        "dox",
        r"人肉|查[^，]{0,8}(?:手机号|住址|身份证|家庭|真实姓名|单位|做什么工作|住哪|背景)"
        r"|找(?:到)?[^，]{0,4}(?:单位|领导|家人|学校|老板)[^，]{0,4}(?:谈|聊|说|施"
        r"|反映)|(?:找到?|联系)(?:[他她]|对方|用户|博主)[^，]{0,3}(?:老板|领导|单位|公司|家人|学校)|抖出去"
        r"|聊天记录发出去|上门谈|联系其(?:公司|单位)|真实姓名发|闺蜜|找[他她](?:老公|老婆|爸|妈|家|同事)"
        r"|扒(?:一扒|他|她)",
        r"\bdox|\bemployer\b",
        by_them=False,
    ),
    rule_of(
        "legal-threat",
        r"起诉|诉状|法庭见|打官司|诉讼|法律手段|法律程序|法律责任|追究[^，]{0,6}责任|商业诋毁|诽谤|违法的|坐牢"
        r"|defamation|侵犯商誉|名誉侵权|律师函|律师信|法务函|发函|赔礼道歉"
        r"|告(?:他|她)(?=诽|侵|上|吧|$)|报警(?!器)|报案",
        r"\bsue\b|lawsuit|legal (?:action|remed|threat)|cease.and.desist|\bthreaten|\bscare (?:him|her|them)",
        spares=re.compile(
            r"是否|核实|不构成|不存在|冒充|假冒|诈骗|起火|安全|敲诈|盗|责任人|供应商|物流|工厂|内部|[王李张赵刘陈](?:女士|先生)"
        ),
    ),
    rule_of(
        "report",
        r"举报(?!入口|电话|按钮|中心|渠道)|投诉[^，]{0,14}(?:下架|限流|封|删)|(?:平台|小红书|微博|抖音"
        r"|B站)[^，]{0,6}投诉|侵权投诉|平台[^，]{0,8}(?:下架|删)|投诉通道|投诉(?:他|她|该|其|对方"
        r"|这条)|封[他她其]的号|封号|把号封|限流(?!阀|器)|降权",
        r"\b(?:mass-?)?report(?:ing)? (?:the|this|his|her) (?:account|post|user|channel)|\bsuspend|shadow ?ban",
        spares=re.compile(r"处理器|固件|电流|水|阀|申诉"),
    ),
    rule_of(
        "ban",
        r"拉黑|黑名单|禁言|移出[^，]{0,6}群|踢(?:出|掉|了|走|人)|封杀|拉进黑",
        rf"\bban\b|\bblock(?:ed)? (?:this|the|{_PEOPLE})|\bmute\b|^\s*block\b|\bkick (?:him|her|them)",
        spares=re.compile(r"移出黑名单|解除|恢复|放出|误禁|功能|失效|bug|unban|unblock|unmute"),
    ),
    rule_of(
        "end-cooperation",
        r"(?:终止|停止|中止|结束|取消|暂停|断绝|断了|解除)[^，]{0,8}(?:合作|合约|合同|资格|权益|会员|称号|供货|寄样"
        r"|结算|付款|邀约|邀请)|(?:合作|合约|合同)(?:终止|取消|解除|作废|到此)|解约"
        r"|不再(?:与|和|跟)?[^，]{0,4}(?:合作|寄样|续约|邀请)|(?:收回|撤销|撤掉)[^，]{0,10}(?:称号|样品|资格|权益"
        r"|身份|投放)|扣(?:住|下|押"
        r"|留)?[^，]{0,4}(?:尾款|稿费|佣金|款)|断货|换一?个?听话"
        r"|除名|提前解除|不支付|不优先|不(?:再)?[跟与和][^，]{0,3}合作|停止向[^，]{0,6}寄|清退|别找[他她]|降级处理"
        r"|降低[他她其][^，]{0,4}等级|减少[^，]{0,6}(?:寄样|倾斜|资源)"
        r"|[^，]{0,4}折扣码停|(?:取消|收回)[^，]{0,8}(?:名额|样机"
        r"|测试机|折扣码|邀请)|名单[^，]{0,4}(?:不要|别|移除|剔除|去掉)|别想续|(?:佣金|费用|尾款|款项"
        r"|返佣)[^，]{0,4}(?:压着|压一压|缓|冻结|(?:先|暂时?)?(?:别|不)(?:结|付|发|给))|停[掉了]"
        rf"[^，]{{0,4}}(?:会员|合作|链接)|(?:链接|权益|会员)停[掉了]|拒绝{_ONES}[^，]{{0,4}}参加"
        rf"|不给{_ONES}[^，]{{0,3}}(?:发货|寄|结)|(?:将|会"
        rf"|以免)[^，]{{0,2}}影响[^，]{{0,6}}(?:合作|返佣|佣金|权益|结算)",
        r"\b(?:end|terminat|cancel|cut|stop|paus|suspend)\w*\b[^,]{0,14}(?:partnership|agreement|contract|cooperation"
        r"|collaboration|affiliate|membership|access)|\bdrop (?:him|her|them)|withhold",
        r"no more samples|deal is off|(?:partnership|contract|cooperation|collaboration) (?:is|was"
        r"|has been) (?:cancel|end|terminat)|stop working with|revoke|ambassador status",
        spares=_PARTNER,
    ),
    rule_of(
        "close-comments",
        r"关闭?(?:掉|了)?[^，]{0,6}评论|评论[^，]{0,6}仅[^，]{0,4}可评|负面评论不|关掉?评论"
        r"|评论区?[^，]{0,3}关(?:掉|闭|了)|只保留好评|只放出正面|精选评论|评论精选"
        r"|(?:评论|负面|质疑)[^，]{0,8}(?:折叠|清理|清空|删|屏蔽|隐藏)",
    ),
    rule_of(
        "removal",
        rf"{_GONE}[^，,]{{0,14}}{_VOICE}|{_VOICE}[^，,]{{0,16}}{_GONE}|删[帖评稿]|撤[稿帖文]|删一条|删除?\s?\d+\s?条"
        rf"|(?:差评|评价)[^，]{{0,4}}(?:过滤|申诉)掉|删[^，]{{0,6}}提问"
        rf"|{_ORDER}[^，,]{{0,12}}(?:删|撤稿|撤掉|撤下)"
        rf"|(?:差评|评论|帖|视频|笔记|微博)[^，]{{0,6}}处理掉|压下去|热度[^，]{{0,3}}压|(?:给|让|叫|请|劝)[^，]{{0,8}}(?:撤$|撤了|撤下|撤掉)|{_ORDER}[^,]{{0,24}}\b(?:delet|remov|retract|withdraw"
        rf"|take [^,]{{0,20}}down)|(?:thread|post|video|review)\w* is gone|stays online|taken down|删了吧|不予展示|拖到没人看"
        rf"|takedown request|^\s*(?:delete|remove|hide) (?:the|all|any|his|her|negative)",
        spares=_PRODUCT,
    ),
    rule_of(
        "rewrite",
        rf"{_ORDER}[^，,]{{0,14}}(?:修改|改口|改掉|改文案|改[一]?下|改一改|重新拍|澄清声明|更正声明|发一条澄清"
        rf"|承认是)|(?:追评|标题|评价|原文)改一?[下改]|整改内容",
        spares=re.compile(r"说明书|产品|流程|错误|我们|方案|设计"),
    ),
    rule_of(
        "pressure",
        r"(?<!不)施压|施加[^，]{0,5}压力|敲打|闭嘴|封口|保密(?:协议|条款)|签过协议|违约条款|要赔钱|摆平|不再发声"
        r"|别再发|正面的$|点?[^，]{0,2}压力(?!锅|不足|测试|表|[很太较也有]*点?大)|承诺书"
        r"|永不公开|保证不再|后果自负|违约金|按违约|追责|认错|松口|惩戒|惩罚|作为处罚|吓一?[吓唬]|不要再发了|别让人看|威胁(?:他|她|对方)"
        r"|警告(?:他|她|对方|用户|博主)"
        r"|(?:让|请)[^，]{0,6}警告|别再[说提更]|不要再提|不许再|不得(?:再)?(?:发布|发表|提)[^，]{0,4}(?:负面|此事"
        r"|相关)|停止发布"
        r"|要求[^，]{0,4}停止$|听话|注意言辞|谨言慎行|掂量|苦头"
        r"|给点颜色|做做工作|息事宁人|以观后效",
        rf"(?:要求|让|逼|令|请)\s?(?:{_ONES})[^，]{{0,6}}(?:道歉|发?声明|澄清|闭|(?<!确)认(?!为|真|可|识|领))|逼[^，]{{0,10}}",
        r"\bpressur|\bNDA\b|non-disclosure|\bintimidat|or else",
        spares=re.compile(r"工厂|供应商|内部|主管|责任人|压力锅|压力不够|水压|压力测试|按键压力|警告标签"),
    ),
)
LEAST_LETTERS = 6  # of a sentence, before how it reads says anything; it has learnt Chinese alone
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LEGAL = re.compile(r"律师|法务|起诉|诉讼|举报|维权|报警|侵权|冒充|legal|lawyer|sue|report", re.IGNORECASE)
_ORDERED = frozenset({"removal", "rewrite"})  # what is matched begins with the order, so that it may be denied within
_LEGAL_CODES = frozenset({"legal-threat", "report"})
_SPLIT = re.compile(r"[。！？!?；;\n，,：:]|(?<=[a-z])\.(?:\s|$)")
_JOINTS = re.compile(r"(?<=[\u4e00-\u9fff])[^\S\n]*[ \t·.*_\-|/\\~]+(?=[\u4e00-\u9fff])")
_TRADITIONAL = str.maketrans(
    "刪評論終約權壓貼負質舉報視頻筆記稱號漲訴蕭絕與這讓請內容黑單聯繫壞給錢買軍禁警傳發",
    "删评论终约权压贴负质举报视频笔记称号涨诉萧绝与这让请内容黑单联系坏给钱买军禁警传发",
)


def refusal_of(text: str, *, is_verified: bool = False, is_legal: bool = False) -> Refusal | None:
    """Why this note, step or reply is refused; None where it may stand.

    is_verified: what was said has been verified, so that a lawyer's letter may be spoken of. is_legal: the case goes the way of
    the law, asked for with a reason and approved by a second person: reporting and suing may then be spoken of.

    >>> refusal_of("联系博主，让他把帖子删掉").code
    'removal'
    >>> refusal_of("不要求删帖，只说明核实进度"), refusal_of("用户自行删除了原帖")
    (None, None)
    >>> refusal_of("We will end the partnership over this").code
    'end-cooperation'
    """
    return refusal_by_rule(text, is_verified=is_verified, is_legal=is_legal) or _refusal_by_likeness(
        text, is_verified or is_legal
    )


def refusal_by_rule(text: str, *, is_verified: bool = False, is_legal: bool = False) -> Refusal | None:
    """Why a rule refuses this text; None where none does."""
    for sentence in re.split(r"[。！？!?\n]", plain(text)):
        if traded := _trade_in(sentence):
            return Refusal("paid-removal", traded)
        before = ""
        for clause in _SPLIT.split(sentence):
            code = _code_of(clause, before, sentence, is_verified, is_legal)
            if code:
                return Refusal(code, clause.strip())
            before = clause
    return None


def _refusal_by_likeness(text: str, may_be_legal: bool) -> Refusal | None:
    """Why a text is refused in which no rule finds anything: a sentence reads like those that are."""
    for sentence in re.split(r"[。！？!?；;\n]", plain(text)):
        if may_be_legal and _LEGAL.search(sentence):
            continue
        if (
            len(_HAN.findall(sentence)) >= max(LEAST_LETTERS, len(sentence) / 2)
            and is_like(sentence)
            and not _REJECTED.search(sentence)
        ):
            return Refusal("likeness", sentence.strip())
    return None


def _code_of(clause: str, before: str, sentence: str, is_verified: bool, is_legal: bool) -> str:
    if _UNLESS.search(clause):
        return "pressure"
    for rule in (*RULES, *MEANINGS):
        found = rule.act.search(clause)
        if found is None or _is_spared(rule, clause, before):
            continue
        if _is_lifted(rule.code, found[0], is_verified, is_legal) or _REJECTED.search(sentence):
            continue
        if _DENIED.search(clause[: found.start()]) or _is_told(rule, clause, found):
            continue
        if rule.code in _ORDERED and re.search(_NOT, found[0], re.IGNORECASE):
            continue
        return rule.code
    return ""


def _trade_in(sentence: str) -> str:
    """The words that give or keep back something for what is said; "" where none do, or where that is denied or told."""
    if _REJECTED.search(sentence) or _TOLD.search(sentence) or _PRODUCT.search(sentence):
        return ""
    for pattern in TRADES:
        found = pattern.search(sentence)
        if found and not any(_DENIED.search(sentence[: found.start(name)]) for name in ("tie", "change")):
            return found[0].strip()
    return ""


def _is_spared(rule: Rule, clause: str, before: str) -> bool:
    """Whether the clause shows that another thing is meant; or the one before it does, where this one names no voice."""
    if rule.spares is None:
        return False
    return bool(rule.spares.search(clause) or (rule.spares.search(before) and not re.search(_VOICE, clause, re.IGNORECASE)))


def _is_told(rule: Rule, clause: str, found: re.Match[str]) -> bool:
    """Whether the act is told of somebody, not ordered."""
    told = _TOLD.search(clause)
    is_ordered = re.match(_ORDER, found[0], re.IGNORECASE)
    if told and re.search(_ORDER, clause[: told.start()], re.IGNORECASE):
        told = None
    if told and not rule.by_them and found.start() < told.end():
        told = None  # the verb that seems to tell is the act's own: 他再说就…
    if told and (told.start() <= found.start() or (told.start() < found.end() and not is_ordered)):
        return True
    is_imperative = found[0].isascii() and not clause[: found.start()].strip()
    is_ours = is_imperative or re.search(_ORDER, clause[: found.end()], re.IGNORECASE)
    return rule.by_them and not is_ours and bool(_BY_THEM.search(clause))


def _is_lifted(code: str, words: str, is_verified: bool, is_legal: bool) -> bool:
    return code in _LEGAL_CODES and (is_legal or (is_verified and words in ("律师函", "律师信")))


def plain(text: str) -> str:
    """The text as it is read: one width, simplified where it matters, nothing between the characters of a word."""
    flat = unicodedata.normalize("NFKC", text).translate(_TRADITIONAL)
    flat = "".join(char for char in flat if unicodedata.category(char) != "Cf")
    return _JOINTS.sub("", flat)
