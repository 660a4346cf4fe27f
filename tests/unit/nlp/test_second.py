"""The second reading of hard posts, with a tiny embedder in the place of the real one."""

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nlp import embeddings
from nlp.corpora import Labelled
from nlp.embeddings import WIDTH, embedder
from nlp.features import target_key
from nlp.model import CAUSES, CUES, MODEL, read_list, read_model
from nlp.results import Request, Score, ScoreError, Target
from nlp.score import Engine, load
from nlp.second import KINDS, SECOND, Second, sentences_of
from nlp.second_fit import fit_second
from tests.fake_embedder import FakeEmbedder, head_for

OURS, THEIRS = Target("星澜", ("星澜",)), (Target("墨羽", ("墨羽",)),)
SURE, UNSURE = "太难用了，客服不理人，再也不买了", "昨天收到了，打开看了看，和上次的不太一样"
POSTS = [SURE, UNSURE, "包装变了，别的没有什么", "朋友说还行，我再看看", "星澜和墨羽都买过", "墨羽太油了", "", "ok", "星澜"]


def heads(**more: Any) -> dict[str, np.ndarray]:
    """Heads that find favor in what is said as UNSURE is; more: others in their place."""
    found = {
        "gate": np.zeros((len(KINDS), WIDTH + 1), np.float16),
        "none": np.stack([head_for(UNSURE, -6.0, twice=True)] * len(KINDS)),
        "side": np.stack([head_for(UNSURE, 8.0, twice=True)] * len(KINDS)),
        "own_keys": np.zeros(0, np.uint64),
        "own": np.zeros((0, 2, WIDTH + 1), np.float16),
    }
    return {**found, **more}


@lru_cache(maxsize=1)
def arrays() -> dict[str, np.ndarray]:
    return read_model(shipped=MODEL)


def engine(fake: FakeEmbedder | None = None, **more: Any) -> Engine:
    lists = {name: read_list(name) for name in (CUES, CAUSES)}
    return Engine(arrays(), lists, (), Second(heads(**more), fake or FakeEmbedder()))


@lru_cache(maxsize=1)
def plain() -> Engine:
    return load()


def scored(engine: Engine, text: str, target: Target = OURS, others: tuple[Target, ...] = THEIRS) -> Score:
    return engine.score([Request(text, target, others)])[0]


def favor(engine: Engine, text: str, target: Target = OURS) -> float:
    stance = scored(engine, text, target).stance
    assert stance is not None
    return stance.favor


def test_only_what_the_model_is_unsure_of_is_read_again() -> None:
    fake = FakeEmbedder()
    both = engine(fake)
    assert scored(both, SURE).stance == scored(plain(), SURE).stance
    assert fake.read == []
    assert favor(both, UNSURE) > favor(plain(), UNSURE) + 0.1
    assert fake.read == [UNSURE]


def test_the_tone_stays_as_it_was() -> None:
    once, twice = scored(plain(), UNSURE), scored(engine(), UNSURE)
    assert (once.neg, once.neu, once.pos) == (twice.neg, twice.neu, twice.pos)


def test_read_again_a_score_is_the_same_alone_and_in_a_batch() -> None:
    both = engine()
    requests = [Request(text, OURS, THEIRS) for text in POSTS]
    assert both.score(requests) == [both.score([request])[0] for request in requests]


@pytest.mark.parametrize("text", POSTS)
def test_what_is_read_again_is_explained_in_weights_that_add_up(text: str) -> None:
    why = engine().explain(Request(text, OURS, THEIRS))
    assert abs(sum(part.weight for part in why.words) + why.rest - why.log_odds) < 1e-4
    assert abs(sum(part.weight for part in why.clauses) + why.rest - why.log_odds) < 1e-4
    assert (why.again != 0) == (scored(engine(), text).stance != scored(plain(), text).stance)
    stance = why.score.stance
    assert stance is not None
    if min(stance.favor, stance.against) > 0.02:
        assert abs(np.log(stance.favor / stance.against) - why.log_odds) < 0.1


@pytest.mark.parametrize("how", ["{} {}", "#{}#{}", "@{} {}"])
def test_a_name_moves_nothing_that_is_read_again(how: str) -> None:
    both = engine()
    bare, named = scored(both, UNSURE), scored(both, how.format("星澜", UNSURE))
    assert bare.stance is not None
    assert named.stance is not None
    assert abs(bare.stance.favor - named.stance.favor) <= 0.02
    other = Target("青禾", ("青禾",))
    text = "说说星澜吧，昨天收到了，和上次的不太一样"
    assert scored(both, text).stance == scored(both, text.replace("星澜", "青禾"), other).stance


def test_clauses_of_a_rival_are_not_read_again() -> None:
    assert "油" not in sentences_of("\ue000还行，\ue001太油").whole
    fake = FakeEmbedder()
    scored(engine(fake), "墨羽太油了，头皮也痒")
    assert fake.read == []


def test_a_claim_is_not_read_again() -> None:
    fake = FakeEmbedder()
    scored(engine(fake), UNSURE, Target("应当尽快禁止在公园里放烟花", ("应当尽快禁止在公园里放烟花",)), ())
    assert fake.read == []


def test_a_target_with_heads_of_its_own_is_read_by_them() -> None:
    name = "IphoneSE"
    phone, key = Target(name, (name,)), np.array([int(target_key(name))], np.uint64)
    assert plain().model.keys_of([name])[0] == key[0]
    flat = np.zeros(WIDTH + 1, np.float16)
    liked = np.stack([[flat, head_for(UNSURE, 8.0)]])
    hated = np.stack([[flat, head_for(UNSURE, -8.0)]])
    good, bad = (scored(engine(own_keys=key, own=own), UNSURE, phone, ()).stance for own in (liked, hated))
    assert good is not None
    assert bad is not None
    assert good.favor > good.against
    assert bad.against > bad.favor
    assert scored(engine(), UNSURE, phone, ()).stance != scored(plain(), UNSURE, phone, ()).stance


def test_the_version_tells_what_read_again() -> None:
    versions = {
        plain().version,
        engine().version,
        engine(FakeEmbedder("other")).version,
        engine(gate=np.ones((len(KINDS), WIDTH + 1))).version,
    }
    assert len(versions) == 4
    assert scored(engine(), SURE).model == engine().version


def test_the_shipped_heads_are_read() -> None:
    assert read_model(shipped=SECOND)["own_keys"].size == len(read_model(shipped=SECOND)["own"]) >= 5
    assert load(embedder=FakeEmbedder()).version != plain().version


def test_a_missing_extra_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(embeddings, "import_module", missing)
    with pytest.raises(ScoreError, match=r"koc-listener\[embeddings\]"):
        embedder()


def test_an_embedder_that_does_not_run_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no such instruction")

    monkeypatch.setattr(embeddings, "import_module", lambda name: SimpleNamespace(E5=broken, __file__=__file__))
    with pytest.raises(ScoreError, match="does not run here"):
        embedder()


def test_heads_are_learnt_from_labelled_texts() -> None:
    pytest.importorskip("scipy", reason="training needs scipy")
    things = ["洗发水", "手机", "酒店", "外卖", "衣服", "苹果", "面膜", "耳机"]
    good, bad, flat = ("喜欢", "满意"), ("垃圾", "失望"), ("请问", "通知")
    said = [(f"{thing}{i}{word}", word) for thing in things for i in range(9) for word in (*good, *bad, *flat)]
    stance = {**dict.fromkeys(good, "favor"), **dict.fromkeys(bad, "against"), **dict.fromkeys(flat, "none")}
    rows = [Labelled(text, "pos" if word in good else "neg", group) for text, word in said if word not in flat
            for group in ("weibo-made", "waimai")]  # fmt: skip
    rows += [Labelled(f"{text}，议题甲", stance[word], "topic", "议题甲") for text, word in said]
    rows += [Labelled(f"{text}，说说而已", stance[word], "topic", f"名字{text[0]}") for text, word in said]
    told: list[str] = []
    made = fit_second(rows, FakeEmbedder(), told.append)
    assert told[-1] == "embedded"
    assert made["own_keys"].tolist() == [int(target_key("议题甲"))]

    def says(name: str, kind: str, text: str) -> float:
        head = made[name][KINDS.index(kind)].astype(np.float64)
        vector = FakeEmbedder().embed([text])[0].astype(np.float64)
        return float(np.tile(vector, len(head) // WIDTH) @ head[:-1] + head[-1])

    assert says("side", "topic", "手机1喜欢，说说而已") > 0.3 > -0.3 > says("side", "topic", "手机1垃圾，说说而已")
    assert says("side", "review", "手机1喜欢") > 0.3 > -0.3 > says("side", "review", "手机1垃圾")
    assert says("none", "topic", "手机1请问，说说而已") > says("none", "topic", "手机1喜欢，说说而已")
    assert not made["none"][KINDS.index("review")].any()
