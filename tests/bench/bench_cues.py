"""What the cues and causes catch and what they leave alone, on sentences of our own.

    python tests/bench/bench_cues.py [--misses] [--harm H]

The sentences stand in tests/bench/cues/. Two in five, and all of fresh.tsv, are held out: only their rates are ever shown,
never the sentences missed. By default a sentence is scored toward the brand 星澜 (rivals: 墨羽) by the shipped model, so
that a cue also needs the harm its list asks for; --harm H takes every sentence for one of that harm, which judges the
lists alone.
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from nlp import cues as readers
from nlp.results import Request, Score, Target
from nlp.score import Engine, load

LISTS = Path(__file__).with_name("cues")
BRAND = Target("星澜", ("星澜", "星瀾"))
RIVALS = (Target("墨羽", ("墨羽",)),)


def rows_of(name: str) -> list[tuple[str, str]]:
    """The labels and texts of one list."""
    lines = (LISTS / name).read_text(encoding="utf-8").splitlines()
    return [(label, text) for label, text in (line.split("\t") for line in lines if line and line[0] != "#")]


def is_held_out(text: str) -> bool:
    """Whether a sentence is one of the two in five that the lists are never mended on."""
    return zlib.crc32(text.encode()) % 5 < 2


def scores_of(engine: Engine, texts: list[str], harm: float | None) -> list[Score]:
    """The sentences scored toward our brand; harm: taken for all of them instead of the model's."""
    requests = [Request(text, BRAND, RIVALS, inherited=not any(word in text for word in BRAND.words)) for text in texts]
    if harm is None:
        return engine.score(requests)
    made = []
    for score, body in zip(engine.score(requests), engine.read(texts, BRAND, RIVALS).bodies, strict=True):
        found = readers.cues_of(body, engine.cues, harm)
        causes, constructive = readers.causes_of(body, engine.causes, harm), readers.is_constructive(body, harm, found)
        made.append(replace(score, cues=found, causes=causes, constructive=constructive))
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true", help="show the sentences missed, of those not held out")
    parser.add_argument("--harm", type=float, help="take every sentence for one of this harm")
    asked = parser.parse_args()
    engine = load()
    for name, hit in (
        ("recall.tsv", lambda label, score: bool(set(label.split("|")) & {cue.code for cue in score.cues})),
        ("fresh.tsv", lambda label, score: label in {cue.code for cue in score.cues}),
        ("hard_negatives.tsv", lambda label, score: label not in {cue.code for cue in score.cues}),
        ("causes.tsv", lambda label, score: set(label.split(",")) <= set(score.causes)),
        ("complaints.tsv", lambda label, score: (label == "complaint") == any(cue.code == "complaint" for cue in score.cues)),
        ("constructive.tsv", lambda label, score: (label == "constructive") == score.constructive),
    ):
        rows = rows_of(name)
        scores = scores_of(engine, [text for _, text in rows], asked.harm)
        counts: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0])
        for (label, text), score in zip(rows, scores, strict=True):
            right, held = hit(label, score), name == "fresh.tsv" or is_held_out(text)
            counts[label, held][0] += right
            counts[label, held][1] += 1
            if asked.misses and not right and not held:
                print(
                    f"  {name} {label}: {text}  {[(cue.code, cue.words) for cue in score.cues]} {score.causes} neg {score.neg}"
                )
        print(name)
        for label in dict.fromkeys(label for label, _ in rows):
            (tuned, of_tuned), (unseen, of_unseen) = counts[label, False], counts[label, True]
            print(f"  {label:20} {tuned:3}/{of_tuned:3}  held out {unseen:3}/{of_unseen:3}")
        for held in (False, True):
            right, of = (sum(count[place] for (_, was), count in counts.items() if was == held) for place in (0, 1))
            if of:
                print(f"  {'held out' if held else 'tuned on'} {right}/{of} = {right / of:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
