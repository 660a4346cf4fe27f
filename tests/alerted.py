"""An alert and all that belongs to it, for the tests of its faces: a KOC of the invented brand 星澜 whose posts turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from listener.text.views import AlertView, Language, Letter, LetterKind, letter_of, trial_of, view_of
from storage.records import (
    Alert,
    Case,
    Delivery,
    History,
    Koc,
    KocMention,
    Mention,
    Message,
    PostKey,
    StoredAlert,
)

NOW = datetime(2026, 7, 8, 1, 0, tzinfo=UTC)
START = datetime(2026, 1, 5, 4, tzinfo=UTC)
GOOD = "用星澜控油洗发水半年了，头皮终于不油了，@~0123456789 你也试试！"
BAD = "新批次的星澜控油洗发水，用完头皮又痒又起屑。问了客服三天，只回复请耐心等待。"
HOSTILE = "<script>alert('x')</script><b>粗</b> \u202eevil\u202c &amp; \"q\" {{7*7}} \r\nBcc: a@b.c \x00\x1b[31m"


def mention(at: int, text: str, favor: float, against: float, *, own: bool = True, url: str | None = None) -> KocMention:
    """The KOC's mention number `at`, nine days after the one before."""
    key = PostKey("weibo", f"{5000 + at}")
    scored = Mention(
        key=key,
        brand="星澜",
        target="星澜",
        is_rival=False,
        via="named",
        neg=against,
        neu=round(1 - favor - against, 4),
        pos=favor,
        favor=favor,
        against=against,
        none=round(1 - favor - against, 4),
        cues=(),
        constructive=False,
        own_words=own,
        unscored=None,
        fingerprint=at,
        model="m1",
    )
    link = f"https://m.weibo.cn/status/{key.post_id}" if url is None else url
    return KocMention(START + timedelta(days=9 * at), scored, "post", link, text, ("weibo", "1"))


def history(before: int = 11, after: int = 10, bad: str = BAD) -> History:
    """Favorable mentions, two of them reposts, then unfavorable ones with every third neutral."""
    first = [mention(at, GOOD, 0.9, 0.03, own=at not in (3, 6)) for at in range(before)]
    then = [mention(before + at, bad, *((0.2, 0.3) if at % 3 == 2 else (0.03, 0.9 + at / 1000))) for at in range(after)]
    return History("K017", "星澜", (*first, *then))


def stored(
    mentions: Sequence[KocMention], *, key: str = "a" * 32, level: str | None = "red", evidence: bool = True
) -> StoredAlert:
    """The alert that these mentions raised: those after the eleventh are its evidence."""
    posts = [each.mention.key for each in mentions[11:]]
    turned = mentions[11].posted_at
    found = {
        "before_n": 11,
        "before_mean": 0.75,
        "after_n": 10,
        "after_mean": -0.39,
        "after_against": 7,
        "log_odds_advocate": 9.55,
        "log_odds_never": 7.2,
        "log_odds_cooled": 6.4,
        "posterior": 0.91,
        "closest": "cooled",
        "turn_low": (turned - timedelta(days=5)).isoformat(),
        "turn_high": (turned + timedelta(days=4)).isoformat(),
        "shares": [{"platform": k.platform, "post_id": k.post_id, "nats": at / 4} for at, k in enumerate(posts)],
        "promise_per_1000_koc_years": 1.0,
        "calibration": "2026-01-01.1",
    }
    alert = Alert(
        key=key,
        kind="drift",
        level=level,  # type: ignore[arg-type]
        severity="important",
        koc_id="K017",
        brand="星澜",
        fired_at=mentions[-1].posted_at,
        turned_at=turned,
        evidence=found if evidence else {},
        posts=tuple(posts),
    )
    return StoredAlert(alert, "current", NOW, None)


def case(alert: Alert, step: str = "acknowledge") -> Case:
    """The open case of the alert."""
    return Case("c" * 32, alert.brand, alert.koc_id, "public", "open", NOW, alert.key, step, (alert.key,))


KOC = Koc("K017", "小鹿爱洗头", (), owner="王敏", tier="A")


def view(
    language: Language = "zh-CN", *, bad: str = BAD, koc: Koc | None = KOC, key: str = "a" * 32, level: str = "red"
) -> AlertView:
    """The alert with everything that belongs to it."""
    told = history(bad=bad)
    alert = stored(told.mentions, key=key, level=level)
    return view_of(alert, told, koc=koc, case=case(alert.alert), language=language)


def message(*views: AlertView, kind: LetterKind = "alert", attempts: int = 1) -> Message:
    """What is planned for these alerts on the channel 邮件."""
    is_correction = kind == "correction"
    rows = tuple(
        Delivery(
            key=f"d{each.alert.key[1:]}",
            alert_key=each.alert.key,
            channel="邮件",
            kind="correction" if is_correction else "alert",
            state="sending",
            created_at=NOW,
            attempts=attempts,
        )
        for each in views
    )
    assert kind != "test"
    return Message("邮件", kind, rows)


def letter(*views: AlertView, kind: LetterKind = "alert") -> Letter:
    """The letter of these alerts."""
    if kind == "test":
        return trial_of("邮件", at=NOW)
    return letter_of(message(*views, kind=kind), views, views[0].language)


def many(n: int) -> list[AlertView]:
    """So many alerts of as many KOCs."""
    one = view()
    assert one.koc
    return [
        replace(one, alert=replace(one.alert, key=f"{at:032x}", koc_id=f"K{at}"), koc=replace(one.koc, name=f"听众{at}"))
        for at in range(n)
    ]
