"""The retrained Bayes adds up as SnowNLP's does."""

from math import exp

from hypothesis import given
from hypothesis import strategies as st
from snownlp.classification.bayes import Bayes as SnowBayes

from nlp import bayes

WORDS = st.lists(st.sampled_from(["好", "坏", "不", "很", "物流", "慢", "贵"]), max_size=8)
SAMPLES = st.lists(st.tuples(WORDS, st.sampled_from(["neg", "pos"])), min_size=4, max_size=30)


@given(SAMPLES, st.lists(st.sampled_from(["好", "坏", "不", "从未见过"]), max_size=6))
def test_the_probability_equals_that_of_snownlp(samples: list[tuple[list[str], str]], words: list[str]) -> None:
    samples = [*samples, (["好"], "pos"), (["坏"], "neg")]
    theirs = SnowBayes()
    theirs.train(samples)
    label, probability = theirs.classify(words)
    expected = probability if label == "pos" else 1 - probability
    odds = bayes.train(samples).score(words)
    assert abs(1 / (1 + exp(-odds)) - expected) < 1e-9


def test_rare_words_can_be_left_out() -> None:
    words, counts = bayes.count([(["好", "好"], "pos"), (["坏"], "neg")], at_least=2)
    assert words == ["好"]
    assert counts.tolist() == [[0, 2]]
