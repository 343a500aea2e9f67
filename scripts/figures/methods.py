"""Rows of the tables of methods: baselines, then GRU4Rec by loss, on the same sessions."""

from collections.abc import Iterator
from time import perf_counter

from gru4rec_lab import Sessions, evaluate
from gru4rec_lab.baselines import BASELINES
from gru4rec_lab.sweeps.store import Results

MEASURED = ("recall@1", "recall@1_se", "recall@20", "recall@20_se", "mrr@20", "mrr@20_se")
# It compares each test click with 1,000 sessions, in milliseconds.
SLOW, MOST_SESSIONS = "V-SkNN", 7000
ABOUT = f"{SLOW} judged by at most {MOST_SESSIONS:,} test sessions, drawn by chance"


def rows(found: Results, train_set: Sessions, test_set: Sessions) -> Iterator[dict]:
    """A row a baseline, without seed and epochs, then a row a training; seconds are of fitting."""
    judges = test_set.with_targets(train_set.item_ids)
    for method, baseline in BASELINES.items():
        began = perf_counter()
        model = baseline.fit(train_set)
        seconds = perf_counter() - began
        chosen = judges.sample(MOST_SESSIONS) if method == SLOW else judges
        quality = evaluate(model, chosen, (1, 20))
        numbers = {}
        for metric, k in (("recall", 1), ("recall", 20), ("mrr", 20)):
            numbers[f"{metric}@{k}"] = getattr(quality, metric)[k]
            numbers[f"{metric}@{k}_se"] = quality.standard_error(metric, k)
        yield {"method": method, "seed": None} | numbers | {
            "targets": quality.n_targets, "epochs": None, "seconds": seconds
        }  # fmt: skip
        print(f"{method}: {quality!r}", flush=True)
    for row in found.rows:
        at_end = {name: row[name] for name in (*MEASURED, "targets", "epochs", "seconds")}
        yield {"method": row["loss"], "seed": row["seed"]} | at_end
