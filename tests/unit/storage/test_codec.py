"""What is written is what is read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from storage import codec
from storage.records import CueHit, Media, PostKey, StatusChange
from tests.stored import at, drift

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones))
def test_times_keep_their_instant(moment: datetime) -> None:
    assert codec.when(codec.us(moment)) == moment
    assert codec.when_or_none(codec.us_or_none(None)) is None


@given(st.integers(0, 10_000))
def test_probabilities_of_four_digits_come_back_exactly(units: int) -> None:
    assert codec.units(units / 10_000) == units
    assert codec.units(round(units / 10_000, 4)) / 10_000 == round(units / 10_000, 4)


@given(st.text(st.characters(blacklist_categories=())))
def test_a_cleaned_text_can_be_stored(text: str) -> None:
    cleaned = codec.clean(text)
    assert "\x00" not in cleaned
    cleaned.encode()
    assert codec.clean(cleaned) == cleaned


def test_a_pair_of_surrogates_becomes_the_character_it_stands_for() -> None:
    assert codec.clean("\ud83d\ude00") == "😀"


def test_lists_come_back() -> None:
    media = (Media("image", "u", "说明", "图中字"),)
    assert codec.media_of(codec.media_text(media)) == media
    assert codec.media_of(codec.media_text(())) == ()
    cues = (CueHit("let-down", "失望"),)
    assert codec.cues_of(codec.cues_text(cues)) == cues
    keys = (PostKey("forum", "1"), PostKey("weibo", "2"))
    assert codec.keys_of(codec.keys_text(keys)) == keys
    assert codec.pairs_of(codec.pairs_text((("weibo", "7"),))) == (("weibo", "7"),)
    assert codec.names_of(codec.names_text(frozenset("ba"))) == ("a", "b")
    found = (StatusChange(at(2), "wavering", "cooled"),)
    assert codec.changes_of(codec.changes_text(found)) == found
    full = (StatusChange(at(2), "wavering", "cooled", "advocate", PostKey("forum", "7")),)
    assert codec.changes_of(codec.changes_text(full)) == full
    assert codec.changes_of('[[1,"advocate","loyal"]]')[0].key is None


def test_evidence_comes_back_bit_by_bit() -> None:
    evidence = drift("k1", PostKey("forum", "1")).evidence
    assert codec.evidence_of(codec.evidence_text(evidence)) == evidence
