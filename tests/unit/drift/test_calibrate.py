"""Calibration learns from unlabelled histories alone, the same from the same, and keeps its promise on new ones."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from listener.drift.calibrate import calibrate
from listener.drift.class_shares import class_shares
from listener.drift.detect import detect
from listener.drift.profile_weights import log_likelihoods, mixture_of, prior_mixture
from listener.drift.readings import Counted, rates_of, tempered
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.drift.simulations import null_maxima, with_bars, with_never_less
from listener.drift.temperatures import repetition, with_temperature
from listener.drift.turn_filter import TurnFilter

RULE = Rule()


def people(make_history, seed, n, weights=(85, 8, 7)):
    rng = random.Random(seed)
    return [
        make_history("".join(rng.choices("fna", weights, k=30)), koc=f"S{seed}-{i}", every_days=rng.uniform(6, 14))
        for i in range(n)
    ]


@pytest.fixture
def histories(make_history):
    critics = people(make_history, 2, 12, (10, 10, 80))
    turned = [make_history("f" * 15 + "a" * 15, koc=f"T{i}") for i in range(6)]
    return people(make_history, 1, 80) + critics + turned


def test_the_same_histories_in_any_order_give_the_same_row(histories):
    one = calibrate(histories, (), default_calibration(), RULE, null_years=1500)
    two = calibrate(histories[::-1], (), default_calibration(), RULE, null_years=1500)
    assert one == two
    assert one.version.startswith("fitted-")
    assert one.effective_at == max(m.posted_at for h in histories for m in h.mentions)


def test_it_learns_how_many_never_were_advocates_and_sets_bars(histories):
    row = calibrate(histories, (), default_calibration(), RULE, null_years=1500, effective_at=datetime(2027, 1, 1, tzinfo=UTC))
    p = parameters_of(row)
    assert 0.1 <= p.never_share <= 0.3
    assert p.bar(0.1) > p.bar(1) > p.bar(10) > 0
    assert abs(p.expected(p.bar(3.0)) - 3.0) < 1e-6
    assert row.effective_at == datetime(2027, 1, 1, tzinfo=UTC)


def test_the_fitted_numbers_find_turns_and_spare_the_loyal(histories, make_history):
    row = calibrate(histories, (), default_calibration(), RULE, null_years=3000)
    turned = detect([make_history("f" * 15 + "a" * 15)], (), row, RULE)[0]
    assert turned.drifts[-1].level == "red"
    assert turned.drifts[-1].evidence.calibration == row.version
    loyal = detect(people(make_history, 9, 200), (), row, RULE)
    assert sum(d.level == "red" for v in loyal for d in v.drifts) <= 1


def test_too_little_history_keeps_the_cold_start(make_history):
    base = default_calibration()
    assert calibrate(people(make_history, 3, 10), (), base, RULE) == base


def test_bars_are_where_so_many_maxima_remain():
    maxima = np.sort(np.random.default_rng(5).exponential(0.6, 20_000))
    p = with_bars(parameters_of(default_calibration()), maxima, 20_000.0)
    left = (maxima > p.bar(1)).sum() / 20
    assert 0.4 < left < 1.2


def test_the_null_is_seeded(histories):
    p = parameters_of(default_calibration())
    days = np.arange(20) * 9.0
    posts = np.tile([[0.05, 0.05, 0.9], [0.9, 0.05, 0.05]], (10, 1))
    plain = np.zeros(20, dtype=np.bool_)
    one = Counted((), days, posts, plain, plain, np.ones(20), np.ones((20, 3)))
    draws = [null_maxima([one], np.array(p.advocate), p, seed=s, years=400)[0] for s in (1, 1, 2)]
    assert draws[0].tolist() == draws[1].tolist()
    assert draws[0].tolist() != draws[2].tolist()


def test_class_shares_sum_to_one():
    evidence = np.abs(np.random.default_rng(1).normal(1, 0.3, (50, 4)))
    assert abs(class_shares(evidence).sum() - 1) < 1e-9


def test_over_confidence_is_taken_back():
    warm = tempered(np.array([[0.98, 0.01, 0.01]]), 2.0)
    assert 0.5 < warm[0, 0] < 0.98
    assert abs(warm.sum() - 1) < 1e-9


def test_a_fast_poster_is_asked_for_more():
    p = parameters_of(default_calibration())
    fast, slow = (rates_of(np.arange(40) * gap, p)[-1] for gap in (1.0, 30.0))
    assert fast > 100 > slow


def test_the_state_fits_into_512_bytes():
    state = TurnFilter(parameters_of(default_calibration())).start(1)
    assert state.bytes_per_koc <= 512


def counted_people(seed, kocs, posts, share_of, *, sharper=1.0, repeated=0.0, gap=9.0):
    """KOCs whose posts are against with the chance that share_of(koc) tells; a scorer with known errors, calibrated at the
    shares of the cold start when ``sharper`` is 1, over-confident above."""
    rng = np.random.default_rng(seed)
    prior = np.array(parameters_of(default_calibration()).class_prior)
    means = np.array([[-2.0, 0.0], [0.0, 1.6], [2.0, 0.0]])
    out = []
    for koc in range(kocs):
        against = share_of(koc)
        kinds = rng.choice(3, posts, p=[against, 0.06, 0.94 - against])
        for i in range(1, posts):
            if rng.random() < repeated:
                kinds[i] = kinds[i - 1]
        seen = means[kinds] + rng.normal(size=(posts, 2))
        density = np.exp(-0.5 * ((seen[:, None, :] - means[None]) ** 2).sum(axis=2)) * prior
        probabilities = (density / density.sum(axis=1, keepdims=True)) ** sharper
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        plain = np.zeros(posts, dtype=np.bool_)
        days = np.arange(posts) * gap
        out.append(Counted((), days, probabilities.round(4), plain, plain, np.ones(posts), np.ones((posts, 3))))
    return out


def mixed(koc):
    return 0.75 if koc % 5 == 0 else 0.08


def test_a_shy_scorer_gets_a_lower_temperature_and_chance_moves_none():
    p = replace(parameters_of(default_calibration()), temperature=1.0)
    shy, true, few = (
        with_temperature(counted_people(3, n, 20, mixed, sharper=s), p).temperature
        for n, s in ((500, 0.5), (500, 1.0), (60, 0.5))
    )
    assert shy < 1.0
    assert true == few == 1.0


def test_repetition_is_found_where_there_is_some():
    p = parameters_of(default_calibration())
    free, stuck = (repetition(counted_people(4, 120, 25, mixed, repeated=r, gap=0.05), p) for r in (0.0, 0.6))
    assert free <= 0.25
    assert stuck >= 0.4


def test_the_bar_for_never_advocates_is_the_lower_the_fewer_of_them_there_are():
    p = parameters_of(default_calibration())
    few, many = ((lambda koc, n=n: 0.7 if koc % n == 0 else 0.06) for n in (25, 3))
    found = []
    for share_of in (few, many):
        counted = counted_people(5, 150, 20, share_of)
        mixture = mixture_of(log_likelihoods(counted, p), prior_mixture(p))
        found.append(with_never_less(counted, mixture, p, seed=1, years=600).never_less)
    assert found[0] >= found[1]
    assert 0.0 <= found[1] <= found[0] <= 2.0
