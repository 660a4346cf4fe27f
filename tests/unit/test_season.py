"""The season that `listener demo` plays: written by hand, composed to any last day."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from listener import mentions
from listener.demo.compose import DAYS, GROUP, OFFICIAL, ZONE, Season, compose, script, spoken

ENDS = date(2026, 3, 1)
SCENARIOS = {
    "stable",
    "mild",
    "abrupt",
    "gradual",
    "recovered",
    "silent",
    "rival_fan",
    "burst",
    "grumpy",
    "rival_basher",
    "short",
    "never",
    "complaint",
    "not_covered",
}
NAMELESS = {"K39", "K40"}
ABOUT_THE_BRAND = ("favor", "mild", "against", "plain", "long", "burst", "nameless_favor", "nameless_against")


@pytest.fixture(scope="module")
def season() -> Season:
    return compose(ENDS)


def test_the_same_day_makes_the_same_season(season: Season) -> None:
    assert compose(ENDS) == season


def test_another_last_day_moves_the_days_and_never_the_words(season: Season) -> None:
    later = compose(ENDS + timedelta(days=17))
    assert [i.text for i in later.items] == [i.text for i in season.items]
    assert {b.posted_at - a.posted_at for a, b in zip(season.items, later.items, strict=True)} == {timedelta(days=17)}
    assert [i.post_id for i in later.items] == [i.post_id for i in season.items]


def test_everything_is_posted_before_the_last_day_begins(season: Season) -> None:
    end = datetime(ENDS.year, ENDS.month, ENDS.day, 12, tzinfo=ZONE)
    begin = end - timedelta(days=DAYS + 1)
    assert all(begin < item.posted_at < end for item in season.items)
    assert [i.posted_at for i in season.items] == sorted(i.posted_at for i in season.items)


def test_the_season_holds_every_scenario(season: Season) -> None:
    assert {person.truth.scenario for person in season.people} == SCENARIOS
    assert len(season.people) >= 40
    assert {p.koc_id for p in season.people if p.truth.alert} == {p.koc_id for p in season.people if p.truth.turned_at}


def test_post_ids_are_unique_and_every_answer_has_its_parent(season: Season) -> None:
    at = {item.post_id: item for item in season.items}
    assert len(at) == len(season.items)
    answers = [item for item in season.items if item.kind != "post"]
    assert {item.kind for item in answers} == {"comment", "repost"}
    for item in answers:
        parent = at[item.parent_id or ""]
        assert parent.platform == item.platform
        assert parent.posted_at < item.posted_at


def test_a_posts_comment_count_is_the_number_of_its_comments(season: Season) -> None:
    answered = Counter(item.parent_id for item in season.items if item.kind == "comment")
    assert all(item.comments == answered[item.post_id] for item in season.items if item.kind != "comment")


def test_words_vary_from_post_to_post(season: Season) -> None:
    texts = [item.text for item in season.items if item.kind == "post" and not item.media]
    assert len(set(texts)) > 0.85 * len(texts)
    assert len(season.items) > 1800


def test_nobody_says_the_same_twice_but_who_repeats_on_purpose(season: Season) -> None:
    for person in season.people:
        accounts = set(person.accounts)
        texts = [i.text for i in season.items if (i.platform, i.author_id) in accounts and i.kind == "post" and not i.media]
        twice = {text for text, n in Counter(texts).items() if n > 1}
        assert bool(twice) == (person.koc_id == "K29"), (person.koc_id, twice)


def test_no_slot_is_left_unfilled(season: Season) -> None:
    assert not [item.text for item in season.items if "{" in item.text or "|" in item.text]
    assert all(item.text.strip() for item in season.items)


def test_most_own_lines_about_the_brand_name_it_except_where_nobody_does(season: Season) -> None:
    finder = mentions.finder_of([season.brand], {}, {})
    for koc in script()["people"]["koc"]:
        for mood, lines in koc.get("own", {}).items():
            if mood not in ABOUT_THE_BRAND:
                continue
            named = [bool(finder.named_in(line)) for line in lines]
            if koc["id"] in NAMELESS:
                assert not any(named), (koc["id"], mood)
            else:
                assert sum(named) >= 0.5 * len(named), (koc["id"], mood)


def test_the_brands_own_group_is_not_told_its_name_by_the_kocs_who_live_there(season: Season) -> None:
    finder = mentions.finder_of([season.brand], {}, {})
    nameless = [i for i in season.items if (i.platform, i.author_id) in {(GROUP, "guihua"), (GROUP, "rain13")}]
    assert len(nameless) > 50
    assert not [i.text for i in nameless if finder.named_in(i.text)]


def test_comments_stand_under_the_brands_own_posts(season: Season) -> None:
    at = {item.post_id: item for item in season.items}
    under = [item for item in season.items if item.kind == "comment" and at[item.parent_id or ""].author_id == OFFICIAL[0]]
    assert len(under) > 40


def test_who_turns_recently_can_still_be_mailed(season: Season) -> None:
    end = datetime(ENDS.year, ENDS.month, ENDS.day, tzinfo=ZONE)
    recent = [p for p in season.people if p.truth.turned_at and (end - p.truth.turned_at).days <= 30]
    assert len(recent) >= 2


def test_a_line_is_said_in_one_of_its_ways() -> None:
    said = {spoken("{p}[真好|很好]用[微笑]", random.Random(n), {"p": "小灶锅"}) for n in range(20)}
    assert said == {"小灶锅真好用[微笑]", "小灶锅很好用[微笑]"}
