"""A clause → how it ranks the target against other brands: by comparing, beating, moving from one to the other, or staying.

No labelled posts that could teach these words name two brands, so they are rules. Each tells which side it puts first; what
it cannot tell, a question, a move that was not made or was made by others, ranks nothing.
"""

from __future__ import annotations

import re

from nlp.text import NAME, RIVAL, TARGET

T, R = TARGET, RIVAL
_REACH = 18  # characters before a word of comparing within which what is compared is named
_ANY = f"[{T}{R}]"
_OTHERS = re.compile(
    f"{NAME}|别家|[其别][他它的](?:家|牌子|品牌|店家?|产品|平台|大牌)(?:的|们)?|隔壁(?![房桌间床])(?:家的?)?|友商|竞品|某(?:友商|品牌|大牌|牌|家)|同行(?!业)"
)
_SELF = re.compile(
    "(?:一)?(?:以前|之前|从前|过去|原来|当年|当初|去年|前年|上次|上个|上一|上回|往年|预期|预想|预料|想象|老款|旧款|老版|前一?代|前几|第一次|同期|平时|实体店|网上)"
)
_OLD = re.compile("的?(?:以前|之前|从前|过去|原来|其[他它]|普通|旧|老|上一?代|同款|同级)")
_BETTER = re.compile(
    "(?<!不)(?:好|强|香|便宜|划算|实惠|稳|舒服|舒适|耐|靠谱|良心|贴心|快|清爽|温和|省|值|高(?!价)|优|细腻|厉害|喜欢|爱|推荐|适合|顺|轻|薄|亮|美|漂亮|人性|用心|方便"
    "|干净|干爽|持久|安静|安心|放心|给力|牛|丝滑|专业|热情|大方|新鲜)"
)
_WORSE = re.compile(
    "(?<![不没])(?:差(?!不多)|烂|坑|卡|糟|垃圾|恶心|掉价|弱|难|贵|慢|重|吵|油|逊|拉胯|拉垮|鸡肋|敷衍|离谱|过分|廉价|脏|臭|涩|累|烦|麻烦|丑|黑心|抠)|不好|不行|不如"
)
_SAME = re.compile("差不多|一样|没啥?(?:什么)?(?:区别|差别|两样)|不相上下|半斤八两|差不了|有的一拼")
_ASKED = re.compile(
    f"吗|[?？]|哪个|哪家|还是{_ANY}[^{T}{R}]{{0,4}}呢|(?:选|买|用|入){_ANY}还是{_ANY}|{_ANY}好?还是{_ANY}[^{T}{R}]{{0,3}}$"
)
_DENIED = re.compile("(?:不会?|没有?|并不|并没有?|未必|不见得|不再|再也不|谈不上|说不上|难以|无法|没法|别想)$")
_THAN = re.compile("(?<![对价相占无类环同向])比(?!较|如|赛|例|分|价|重(?!要)|心|划|肩|邻|方|试|特币|亚迪|不|起|之)")
_BESIDE = re.compile(f"[和跟与同]({_ANY})(?:家的?)?(?:相比|比起来|比较|对比|比)|(?:比起|相比于?|相较于?|对比|较之)({_ANY})")
_BEATS = re.compile(
    "完爆|吊打|碾压|秒杀(?![价活抢团款])|完胜|打败|胜过|强过|好过|超过|超越|干翻|吊锤|暴打|甩(?=.{0,4}(?:条街|开|身后))|赢过|好于|优于|强于|胜于"
    "|不输|不逊色?于?|不亚于"
)
_ONLY_BETWEEN = ("秒杀", "超过", "超越", "甩", "打败")  # they say other things too where no loser is named
_LACKS = re.compile("不如|比不上|比不了|比不过|不及(?![时格])|输给|干不过|打不过|赶不上|追不上|不敌|逊于|差于|弱于|逊色于")
_ADVICE = re.compile("^(?:去|直接|早点|趁早|就|改|来)?(?:买|用|换|选|试试?|入|喝|吃|看看|考虑)")
_NO_MATCH = re.compile(
    f"[和跟与同]({_ANY})[^{T}{R}]{{0,4}}(?:没法比|没得比|没的比|不能比|不可比|比不了|差远了|差太?远|差.{{0,3}}截|差.{{0,2}}条街)"
    f"|(?:没法|不能|无法|没得|怎么|哪能|休想)[和跟与同]({_ANY})[^{T}{R}]{{0,3}}(?:相?比|抗衡|相提并论|争)"
)
_NOT_AS = re.compile(f"(?<!有)(?:没有?|不像)({_ANY})(?:家的?)?(?:那么|这么|的)?")
_LEAVES = re.compile(
    f"从({_ANY})[^{T}{R}]{{0,8}}(?:换|转|跳|改|投|奔|入坑)|(?:抛弃|放弃|告别|弃用?|卸载|扔掉?|丢掉?|拜拜|离开|退出)了?({_ANY})(?!的)"
)
_MOVES = re.compile(
    "(?:(?<![切更])换(?:成|到|去|回|了|用|为|上)?(?![电季气个位句])|改[用买喝吃投穿开成签点坐]|转(?:投|战|向|用|到|粉|去)|(?:已|全|又|想|就)转|迁[到去移]|落脚[到在]?|投[奔靠向]|跳[到去]|入坑|[用买喝]回|回[归坑]|[又新是]回到|回来用|跑去用?|倒向)"
    f"了?[^{T}{R}，的]{{0,4}}?({_ANY})"
)
_NOT_MADE = re.compile(
    "(?:差点|差一点|还没|还未|尚未|本来|曾经?|原本|原来|如果|要是|何必|劝|让|叫|推荐|安利|催|考虑过?|想过|为什么|干嘛|怎么可能|试过|一度|有人|听说|以为|没必要|是否|要不要|该不该|打消|纠结)[^，]{0,8}$"
)
_REFUSED = re.compile("(?:不会?|不想|不愿|不打算|绝不|不可能|舍不得|拒绝|没有?|别|不要|不用|懒得|再也不)[^，]{0,3}$")
_THEIRS = re.compile(
    "(?:朋友|同事|室友|同学|闺蜜|大家|别人|身边|周围|人家|他们?|她们?|老公|老婆|男友|女友|妹妹|姐姐|哥哥|弟弟|妈妈?|爸爸?|家人|邻居|网友|[很不好]多人|不少人|有人|有些人|个个|都)"
)
_MINE = re.compile("我(?!的?(?:朋友|同事|室友|同学|闺蜜|老公|老婆|男友|女友|妹|姐|哥|弟|妈|爸|家人|身边|们?家|邻居))")
_WHEN = re.compile(f"^[^{T}{R}]{{0,6}}?(?:后|以来|期间|的时候|那(?:天|段|会)|才|试了|用了|试试)")
_STAYS = re.compile(  # repeats are bounded: a text that says 还是 ten thousand times must not take minutes
    "(?:还(?=[用买喝吃穿开坐守拿])|还得|还要|还数|还属|终究|到底|果然|最后|最终|依旧|依然|仍然?|始终|一直|继续|坚持|坚定|死守|坚守|还是|保住了?|离不开|认定了?){1,3}(?:会|要|得|是|数|属|看|靠|我们?|咱们?|自家|老|回来|乖乖|老老实实|选择|最|更){0,4}"
    f"(?P<verb>守着?|留在|留着|抱着|用回?|买|喝|吃|选择?|爱用?|喜欢|认准?|支持|站|穿|开|回购|相信|信|推荐|偏爱|怀念)?(?:了|着|我的|我们的|自家)?({_ANY})"
)
_STAYS_FIRM = re.compile("坚守|死守|保住|离不开|认定|还得|还要数|还数|还属|得是|要数|得看|得靠|还是得")
_FOLLOWS_PRAISE = re.compile(
    "^(?:家|的.{1,4}?)?(?:最|更|真|比较)?(?:好|香|稳|强|靠谱|舒服|顺手|良心|省心|实在|耐|适合|给力|牛|懂|贴心|值|行|ok|yyds)"
)
_ENDS = re.compile("^[吧！。!，,~\\s]*$")
_BLAMES = re.compile("^的?(?:问题|锅|错|套路|那套|老样子|太|又|不|没|差|垃圾|坑|这德行|这副)")
_ONLY = re.compile(
    f"(?:只[认爱信服选买用喝穿吃点坐去推]|只(?:推荐|相信|喜欢|给)|最?[偏钟]爱|最喜欢|更喜欢|更推荐|更看好|更爱|独爱|首选|认准|就[认爱服信]|我推|带头支持|力挺|支持|安利|吹爆)"
    f"(?:的(?:就|还)?是|的|了|一?下|一波)?({_ANY})(?![取支付服金]|的人)"
    f"|({_ANY})(?:yyds|赢麻|天花板|永远的神|才是(?:王道|真爱|最)|就是王道|是首选|遥遥领先|封神|不二之选|赛高|救了我|救我|没让我失望|值得信赖)"
    f"|(?:多亏|幸好有|幸亏有|全靠|感恩|自从有了|自从用了|感谢)({_ANY})(?=.?(?:[，,!！。\\s]|$|救))|(?:除了|没有)({_ANY})(?:还有谁|没谁|真不知道|我可能|我真|我怎么)"
)
_SHUNS = re.compile(  # what somebody turns their back on
    "(?:抵制|避雷|拉黑|卸载?[了掉]?|停了|戒了?|退了|退订|弃坑|退坑|脱粉|取关|劝退|再见了?|拜拜了?|劝大家别买|大家别买|谁买谁|谴责|曝光|投诉|举报"
    "|(?:再也不会?|不会再|不再|永不|绝不会?|一辈子不会?|以后不)(?:[来去]|给.{1,3})?(?:买|用|喝|吃|去|坐|穿|碰|点|选|信|回购|光顾|踏进|考虑|支持|推荐|相信|换)|不推荐|别买|别用|千万别)"
    f"(?:了|那个|这个|什么|破|垃圾|掉)?({_ANY})"
    f"|({_ANY})(?:滚|给爷爬|爬|去死|倒闭|再见|拜拜|拉黑|已拉黑|卸载|拜了个拜)"
)
_TOLD = re.compile("有人(?:喊|说|在|要)|怎么|为什么|为啥|的话题|听说|据说|热搜|帖子|该不该|要不要|别再")


def comparison(clause: str) -> float:
    """1 where the clause ranks the target above others, −1 below, between where it does so mildly, 0 where it ranks nothing.

    >>> comparison("\\ue000不如\\ue001"), comparison("比\\ue001好多了"), comparison("\\ue000比\\ue001差远了")
    (-1.0, 1.0, -1.0)
    >>> comparison("朋友都换成\\ue001了"), comparison("我还是用\\ue000")
    (0.0, 0.8)
    """
    said = _OTHERS.sub(R, clause)
    if (T not in said and R not in said) or _ASKED.search(said):
        return 0.0
    return next((found for rule in _RULES if (found := rule(said))), 0.0)


def names_others(clause: str) -> bool:
    """Whether it speaks of other brands without naming one: 别家, 其他牌子, 友商."""
    return bool(_OTHERS.search(clause))


def _side(name: str | None) -> float:
    return 1.0 if name == T else -1.0 if name == R else 0.0


def _last(words: str) -> str | None:
    return next((sign for sign in reversed(words[-_REACH:]) if sign in (T, R)), None)


def _first(words: str, within: int = 60) -> str | None:
    return next((sign for sign in words[:within] if sign in (T, R)), None)


def _verdict(rest: str) -> float:
    """What is said in comparing: 1 better, −1 worse, 0 neither, half where its words are not known."""
    if _SAME.search(rest) or not rest.strip(" 了的，,。.!！~"):
        return 0.0
    better, worse = _BETTER.search(rest), _WORSE.search(rest)
    if better and worse:
        return 1.0 if better.start() < worse.start() else -1.0
    return 1.0 if better else -1.0 if worse else 0.5


def _beside(said: str) -> float:
    """和…比, 比起…: the words that follow say it, of another that they name or of the one that is implied."""
    found = _BESIDE.search(said)
    if not found:
        return 0.0
    other, rest = found.group(1) or found.group(2), said[found.end() :]
    subject = _first(rest)
    if subject and subject != other:
        return _preferring(rest) or _side(subject) * _verdict(rest.split(subject, 1)[1])
    return -_side(other) * _verdict(rest)


def _than(said: str) -> float:
    found = _THAN.search(said)
    if not found:
        return 0.0
    before, after = said[: found.start()], said[found.end() :]
    subject, other = _last(before), _first(after, 8)
    if other and (_OLD.search(after.split(other, 1)[0]) or _OLD.match(after.split(other, 1)[1])):
        return 0.0  # of themselves, in other times or models
    if other is None:
        if subject is None or _SELF.match(after):
            return 0.0
        known = _BETTER.search(after) or _WORSE.search(after)
        verdict = _verdict(after) if known and 0 < known.start() <= 10 else 0.0
    else:
        subject = subject if subject and subject != other else {T: R, R: T}[other]
        verdict = _verdict(after.split(other, 1)[1])
    return _side(subject) * verdict * (-0.5 if _DENIED.search(before) else 1.0)


def _beating(said: str) -> float:
    found = _BEATS.search(said)
    if not found:
        return 0.0
    before, after, verb = said[: found.start()], said[found.end() :], found.group()
    at = before.rfind("被")
    winner, loser = (_first(before[at:]), _last(before[:at])) if at >= 0 else (_last(before), _first(after, 10))
    if loser is None and verb in _ONLY_BETWEEN:
        return 0.0
    ranked = (_side(winner) or -_side(loser)) if winner != loser else 0.0
    return ranked * (0.6 if verb[0] == "不" else 1.0) * (-0.5 if _DENIED.search(before) else 1.0)


def _lacking(said: str) -> float:
    if found := _NO_MATCH.search(said):
        return _side(found.group(1) or found.group(2))
    if found := _LACKS.search(said):
        before, after = said[: found.start()], said[found.end() :]
        subject, other = _last(before), _first(after, 5)
        if found.group() == "不如" and _ADVICE.search(after):
            return 0.8 * _side(other)
        if other and other != subject:
            return _side(other)
        return -1.0 if subject == T else 0.0
    if found := _NOT_AS.search(said):
        rest = said[found.end() :]
        for words, sign in ((_BETTER, 1.0), (_WORSE, -1.0)):
            if words.match(rest):
                return sign * _side(found.group(1))
    return 0.0


def _moving(said: str) -> float:
    if found := _LEAVES.search(said):
        first = -_side(found.group(1) or found.group(2))
        return 0.0 if _void(said[: found.start()]) else first
    found = max(_MOVES.finditer(said), key=re.Match.end, default=None)  # the last move is where they are
    if found is None:
        return 0.0
    before, to = said[: found.start()], _side(found.group(1))
    if _REFUSED.search(before):
        return -0.6 * to
    return 0.0 if _void(before) or _WHEN.search(said[found.end() :]) else to


def _void(before: str) -> bool:
    """Whether a move was not made, or was made by others."""
    return bool(_NOT_MADE.search(before)) or bool(_THEIRS.search(before) and not _MINE.search(before))


def _preferring(said: str) -> float:
    if found := _STAYS.search(said):
        rest, way = said[found.end() :], said[found.start() : found.end()]
        firm = (
            found.group("verb")
            or _STAYS_FIRM.search(way)
            or _FOLLOWS_PRAISE.search(rest)
            or (_ENDS.search(rest) and re.search("还是|果然|终究|到底", way))
        )
        if firm and not _BLAMES.search(rest) and not _theirs_alone(said[: found.start()]):
            return 0.8 * _side(found.group(2)) * (-1.0 if _DENIED.search(said[: found.start()]) else 1.0)
    if found := _ONLY.search(said):
        side = _side(next(name for name in found.groups() if name))
        return 0.8 * side * (-1.0 if _DENIED.search(said[: found.start()]) else 1.0)
    return 0.0


def _shunning(said: str) -> float:
    """抵制…, 再也不买…: of the target against it; of another, a little for the target."""
    found = _SHUNS.search(said)
    if not found or _TOLD.search(said) or _void(said[: found.start()]):
        return 0.0
    return {T: -0.8, R: 0.3}[found.group(1) or found.group(2)]


def _theirs_alone(before: str) -> bool:
    return bool(_THEIRS.search(before) and not _MINE.search(before))


_RULES = (_beside, _lacking, _than, _beating, _moving, _shunning, _preferring)
