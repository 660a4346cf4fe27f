"""The pool: who speaks in an own voice comes before who copies, recites or sells, and each score is the sum of its parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from listener.relations.candidates import Candidate, candidates_of
from listener.relations.copies import BITS, letters_of, near_copies, novelties, scripts_of
from listener.relations.replacements import fading, likeness_of, replacements_for
from storage.records import Brand, DriftState, Koc, PostKey
from storage.roster_records import Author, Said

BRAND = Brand("星澜", products=("控油洗发水",), categories=("洗发水",), claims=("控油",))
DAY = datetime(2026, 1, 1, tzinfo=UTC)
OWN = (
    "换季掉发厉害，用到第三周梳子上的头发明显少了，冲水也快",
    "出差带的旅行装漏了一点在箱子里，盖子要是能再紧一圈就好",
    "给我爸也买了一瓶控油洗发水，他说比原来那种清爽，没有那股药味",
    "泡沫不算多，但是洗完头皮是凉的，夏天挺舒服，冬天会有点冷",
    "同事问我用的什么，说味道像雨后的草，其实就是星澜的绿瓶",
    "双十二囤的还剩两瓶，想试试新出的那款再决定要不要回购",
)
NUMBERS = iter(range(1, 10**9))


def author(key: str, texts: tuple[str, ...] = OWN, *, favor: float = 0.9, days: float = 30, **fields: object) -> Author:
    posts = []
    for n, text in enumerate(texts):
        row = next(NUMBERS)
        said = Said(
            row, PostKey("weibo", f"{row}"), f"https://weibo.example/{row}", "post", DAY + timedelta(days=days * n), text, 5,
            True, favor, 0.05, fingerprint=row * 7919,
        )  # fmt: skip
        posts.append(replace(said, **fields))  # type: ignore[arg-type]
    return Author(key, "weibo", tuple(posts))


def scored(*authors: Author, copied: dict[str, set[int]] | None = None) -> dict[str, Candidate]:
    return {one.author_key: one for one in candidates_of(authors, BRAND, copied or {})}


def points(one: Candidate) -> dict[str, float]:
    return {part.code: part.points for part in one.parts}


def test_every_score_is_the_sum_of_its_parts_and_a_whole_voice_earns_most() -> None:
    (one,) = scored(author("a" * 64)).values()
    assert one.score == round(sum(points(one).values()), 1)
    assert one.score > 60
    assert (one.key, one.mentions, len(one.links)) == ("a" * 12, 6, 5)


@given(
    st.lists(st.tuples(st.text(max_size=40), st.floats(0, 1), st.integers(0, 400), st.booleans()), min_size=1, max_size=8),
    st.integers(0, 3),
)
def test_parts_add_up_whatever_is_said(said: list[tuple[str, float, int, bool]], copies: int) -> None:
    posts = tuple(
        Said(
            n, PostKey("f", str(n)), "u", "post", DAY + timedelta(days=day), text, day, True, favor, 1 - favor, helps,
            ("incentivized",) if helps else (), n,
        )
        for n, (text, favor, day, helps) in enumerate(said)
    )  # fmt: skip
    for one in candidates_of([Author("a", "f", posts)], BRAND, {"a": set(range(copies))}):
        assert one.score == round(sum(part.points for part in one.parts), 1)
        assert -200 <= one.score <= 100
        assert all(part.points >= 0 for part in one.parts if part.code in ("stance", "voice", "novelty", "steady", "fit"))


def test_who_copies_recites_sells_or_comes_for_a_campaign_stands_behind() -> None:
    script = tuple(f"姐妹们星澜真的绝了！{n}天就能看到效果，发质变得超级柔顺，宿舍姐妹都在问我要链接" for n in "一二三四五六")
    reciters = [author(f"s{n}", script, days=1) for n in range(4)]
    seller = author("paid", tuple(f"{text}，优惠码在评论区" for text in OWN))
    gift = author("gift", cues=("incentivized",))
    copier = author("copy")
    found = scored(author("own"), *reciters, seller, gift, copier, copied={"copy": {said.row for said in copier.posts}})
    # the words of OWN are shared by the four of them here: only what sets them apart is compared
    assert points(found["copy"])["copied"] == -40
    assert points(found["paid"])["paid"] == points(found["gift"])["paid"] == -50
    assert {code for code in ("scripted", "phrases", "burst") if points(found["s0"]).get(code, 0) < 0} == {
        "scripted",
        "phrases",
        "burst",
    }
    assert found["own"].score > max(found[key].score for key in ("s0", "paid", "gift", "copy"))


def test_criticism_that_helps_gives_points_and_who_is_against_is_no_candidate() -> None:
    plain, critic = author("plain"), author("critic", favor=0.05, against=0.9)
    helping = author("helping")
    helping = replace(helping, posts=(replace(helping.posts[0], constructive=True, against=0.8, favor=0.1), *helping.posts[1:]))
    found = scored(plain, helping, critic)
    assert "critic" not in found
    assert points(found["helping"])["constructive"] > points(found["plain"])["constructive"] == 0
    assert helping.posts[0].url in [url for _, url in found["helping"].links]  # the criticism is among the posts to look at


def test_engagement_is_measured_against_the_authors_own_other_posts() -> None:
    loud, crowd = author("loud", engagement=4000), [author(f"usual{n}", engagement=5) for n in range(5)]
    others = tuple(replace(said, is_mention=False, engagement=4000) for said in author("x").posts)
    star = Author("star", "weibo", (*others, *author("star", engagement=4000).posts))
    silent = author("silent", engagement=None)
    found = scored(loud, *crowd, star, silent)
    assert points(found["loud"])["engagement"] == 10
    assert points(found["star"])["engagement"] == 5  # it is what the author's posts always get
    assert points(found["silent"])["engagement"] == 5


def test_many_posts_over_months_are_steadier_than_as_many_in_a_week() -> None:
    found = scored(author("months"), author("week", days=1))
    assert points(found["months"])["steady"] > points(found["week"])["steady"]
    assert points(found["week"])["burst"] < 0


def test_posts_that_are_no_mentions_make_nobody_a_candidate() -> None:
    assert scored(author("a", is_mention=False)) == {}


def test_names_and_figures_are_not_what_a_text_says() -> None:
    assert letters_of("【星澜】第 3 次回购 Good!", ["星澜"]) == "第次回购good"


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30), st.integers(0, 63), st.integers(0, 5))
def test_near_copies_are_found_as_by_comparing_all(prints: list[int], bit: int, flips: int) -> None:
    mask = 0
    for n in range(flips):
        mask |= 1 << ((bit + 11 * n) % 64)
    mine = int(np.uint64(prints[0] & (2**64 - 1)) ^ np.uint64(mask))
    mine = mine - 2**64 if mine >= 2**63 else mine
    rows, every = np.arange(len(prints) + 1), np.array([*prints, mine], np.int64)
    me = len(prints)
    found = near_copies({"me": [(me, mine)]}, rows, every)["me"]
    alike = any(((a ^ mine) & (2**64 - 1)).bit_count() <= BITS for a in prints)
    assert found == ({me} if alike and mine else set())


def test_an_authors_own_repetitions_are_no_copies_of_others() -> None:
    rows, prints = np.array([1, 2]), np.array([77, 77])
    assert near_copies({"me": [(1, 77), (2, 77)]}, rows, prints) == {"me": set()}
    assert near_copies({"me": [(1, 77)]}, rows, prints) == {"me": {1}}
    assert near_copies({}, rows, prints) == {}


def test_a_phrase_is_a_scripts_once_several_others_write_it() -> None:
    phrase = "泡沫绵密冲洗也很快"
    texts = {f"a{n}": [phrase] for n in range(3)}
    assert scripts_of({"a0": [phrase], "a1": [phrase]})["a0"].posts == 0
    assert scripts_of(texts)["a0"].posts == 1
    assert scripts_of({"a": ["短"]})["a"].letters == 0


def test_what_was_written_before_is_nothing_new() -> None:
    first, second = author("first"), author("second", days=31)
    texts = {said.row: letters_of(said.text, ()) for one in (first, second) for said in one.posts}
    found = novelties([first, second], texts)
    assert found["first"] > 0.9
    assert found["second"] < found["first"]
    assert novelties([author("x", ("短",))], {}) == {}


# ------------------------------------------------------------------------------------------------------ replacements


def state(status: str, baseline: float = 0.6, recent: float = 0.6) -> DriftState:
    return DriftState("K1", "星澜", status, 9, baseline, recent, DAY, 0.0, "loyal", (), "c1")  # type: ignore[arg-type]


def test_a_place_is_to_be_filled_where_somebody_left_fell_silent_turned_or_cooled() -> None:
    koc = Koc("K1", "阿澜", ())
    assert fading(koc, state("advocate")) == fading(koc, None) == ""
    assert fading(replace(koc, standing="alumni"), None) == "left"
    assert [fading(koc, state(one)) for one in ("silent", "critic")] == ["silent", "critic"]
    assert fading(koc, state("advocate", 0.6, 0.2)) == "cooled"


def test_who_is_on_the_same_platform_speaks_of_the_same_and_reaches_as_far_comes_first() -> None:
    like, other = author("like"), author("other", tuple(text.replace("洗发水", "牙膏") for text in OWN), engagement=900)
    other = replace(other, platform="forum")
    pool = candidates_of([like, other], BRAND, {})
    koc = likeness_of(author("koc").posts, frozenset({"weibo"}), BRAND)
    best, second = replacements_for(koc, pool, [like, other], BRAND)
    assert best.author_key == "like"
    assert points(best)["same-platform"] == 10 > points(second)["same-platform"] == 0
    assert points(best)["same-topic"] > points(second)["same-topic"]
    assert points(best)["same-reach"] > points(second)["same-reach"]
    assert best.score == round(sum(points(best).values()), 1)


def test_a_koc_of_whom_nothing_is_stored_is_still_given_candidates() -> None:
    one = author("one")
    found = replacements_for(likeness_of((), frozenset({"weibo"}), BRAND), candidates_of([one], BRAND, {}), [one], BRAND)
    assert [each.author_key for each in found] == ["one"]
    assert points(found[0])["same-topic"] == 0
