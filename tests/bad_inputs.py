"""Malformed inputs and what becomes of each: a table, tested, and shown by docs/bad_inputs.md.

    python -m tests.bad_inputs [--write]

Each input is Python text, so that what is tried is what the page shows, and is evaluated in a
process of its own: tests check the types of arguments, and would refuse most of
these first. `--write` writes the page; without it the outcomes are printed, as JSON.
"""

import json
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = Path(__file__).parents[1] / "docs" / "bad_inputs.md"
SESSIONS = "must be Sessions, got DataFrame; make them of a frame, a file or a data set"
WHOLE = "must be a whole number of at least"
TAKEN, WARNED = "taken: ", "warned: "
# What is given to what is said: a part of the error; of a warning; or what is returned.
TABLE = {
    "Reading": {
        "load_sessions('flight')": "unknown data set 'flight'; choose one of flights",
        "load_sessions('clicks.csv')": "no file 'clicks.csv'; check its path",
        "load_sessions(None)": "unknown data set None; choose one of",
        "load_sessions([frame, frame])": "got one with DataFrame; give clicks as one DataFrame",
        "load_sessions([[1, 'a', 5]])": "got one with list; give clicks as one DataFrame",
        "load_sessions(frame, item='product')": "no column 'product'; the frame has SessionId",
        "load_sessions(frame.set_index('SessionId'))": "no column 'SessionId'; the frame has",
        "load_sessions(frame, gap='30')": "gap must be a number of minutes above 0, got '30'",
        "load_sessions(frame, gap=True)": "gap must be a number of minutes above 0, got True",
        "load_sessions(frame, longest='5')": "longest must be a whole number of at least 1",
        "load_sessions(frame, longest=True)": "longest must be a whole number of at least 1",
        "load_sessions(frame, repeats='no')": "repeats must be bool, got str; True keeps",
        "load_sessions(frame, unit=5)": "unknown unit 5; choose one of s, ms, us, ns",
        "load_sessions(frame, seperator=';')": "has no option 'seperator'; choose from",
        "load_sessions('flights', n_sessions=5)": "'flights' has no option 'n_sessions'; it takes",
        "load_sessions('world:shop', n_sessions='5')": "n_sessions must be a whole number, got '5'",
        "load_split('flights', recent='all')": "fraction must be a number, got 'all'",
        "Sessions.from_frame(frame.values)": "clicks must be a DataFrame, got ndarray",
        "Sessions.from_frame(frame.assign(ItemId=None))": "rows have no ItemId",
        "Sessions.from_frame(frame.assign(Time=-1))": "rows have a Time below 0",
    },
    "Sessions and their checks": {
        "sessions.filtered(min_item='5')": f"min_item {WHOLE} 0, got '5'",
        "sessions.filtered(2.5)": f"min_session {WHOLE} 0, got 2.5",
        "sessions.filtered(min_item=10**9).n_sessions": TAKEN + "0",
        "sessions.split_last()": "give either days= or fraction=, for example fraction=0.1",
        "sessions.split_last(days='1')": "days must be a number, got '1'",
        "sessions.split_last(days=pd.Timedelta(days=1))": "days must be a number, got Timedelta",
        "sessions.split_last(fraction='0.1')": "fraction must be a number, got '0.1'",
        "sessions.split_last(fraction=10)": "fraction must lie between 0 and 1, got 10",
        "sessions.split_last(days=0)": "training and 0 test sessions of 60",
        "sessions.most_recent('x')": "fraction must be a number, got 'x'",
        "sessions.most_recent(5)": "fraction must be above 0 and at most 1, got 5",
        "sessions.sample(1.5)": f"n_sessions {WHOLE} 0, got 1.5",
        "sessions.sample(5, seed='a')": f"seed {WHOLE} 0, got 'a'",
        "sessions.take([0, 1])": "chosen must be a bool for each of the 60 sessions, got int64",
        "sessions.take([True] * 60).n_sessions": TAKEN + "60",
        "sessions.between(5, 1)": "all clicks are before 5 or from 1 on",
        "sessions.between('soon')": "cannot read 'soon' as a moment; write it as",
        "sessions.cut(None)": "gap must be a number of minutes above 0, got None",
        "sessions.with_items(['new']).dropped[-1].clicks == sessions.n_clicks": TAKEN + "True",
        "check_sessions(frame)": f"sessions {SESSIONS}",
        "check_sessions(sessions, frame)": f"test_set {SESSIONS}",
        "check_sessions(sessions.sample(1)).value('sorted')": TAKEN + "nan",
        "check_sessions(sessions).value('bots')": "no finding 'bots'; choose one of sequential",
    },
    "Settings": {
        "Config(loss='hinge')": "unknown loss 'hinge'; choose one of top1, bpr",
        "Config(layers='100')": "layers must be whole numbers above 0, the lowest layer first, got",
        "Config(layers=64.0).layers": TAKEN + "(64,)",
        "Config(n_sample=-1)": "n_sample must be a whole number of at least 0, or 'all', got -1",
        "Config(learning_rate='0.1')": "learning_rate must be a number above 0, got '0.1'",
        "Config(seed=None)": "seed must be a whole number of at most 64 bits, got None",
        "Config(constrained_embedding='False')": "must be True or False, got 'False'",
        "Config(dropout_p_embed=1)": "dropout_p_embed must be a number of at least 0 and at most 0",
        "Config(momentum=float('nan'))": "momentum must be a number of at least 0 and at most",
        "Config.preset('rsc15')": "unknown preset 'rsc15'; choose one of lab, yoochoose",
        "config.with_changes(lr=0.1)": "unknown setting 'lr'; choose one of layers, loss",
        "Controls.of(config).set(seed=1)": "'seed' cannot change while a run is going; live are",
        "Controls.of({'loss': 'bpr'})": "config must be Config, got dict; Config(...) makes one",
        "LOSSES['xe']": "unknown loss 'xe'; choose one of top1, bpr",
        "LOSSES.add('my loss', own)": "a name is made of letters, digits and - _ . alone",
        "LOSSES.add('bpr', own)": "'bpr' is a loss of the library; call your own another name",
        "LOSSES.add('own', 'bpr')": "value of 'own' fails for 5 rows of 1 negatives: TypeError",
        "LOSSES.add('own', lambda t, n: 1.0)": "must return (5,) for 5 rows of 1 negatives, got",
        "LOSSES.add('own', lambda t, n: t - t.mean())": "mixes rows: that of row 0 is",
        "LOSSES.add('own', own, gradient=lambda t, n: (t, n))": "differs from autograd's for",
    },
    "Training": {
        "fit(sessions, config)": "config must be Config, got Sessions; the order is (config",
        "fit({'loss': 'bpr'}, sessions)": "config must be Config, got dict",
        "fit(config, frame)": f"sessions {SESSIONS}",
        "fit(config, sessions.sample(0))": "there are no sessions; a step needs at least one",
        "fit(config, sessions.capped(1))": "60 sessions have fewer than 2 clicks; filter them out",
        "fit(config, sessions, validation=frame)": f"validation {SESSIONS}",
        "fit(config, sessions, validation=sessions.capped(1))": "no validation session has two",
        "fit(config, sessions, patience=2)": "patience=2 needs validation= sessions",
        "fit(config, sessions, patience='2', validation=later)": f"patience {WHOLE} 1, got '2'",
        "fit(config, sessions, checkpoint=5)": "5 names no file; give a path such as",
        "fit(config, sessions, checkpoint=kept)": "resume(path, sessions) goes on from a",
        "fit(config, sessions, checkpoint_every=2)": "checkpoint_every=2 needs checkpoint=, a path",
        "fit(config, sessions, checkpoint='new', checkpoint_every=1.5)": f"{WHOLE} 1, got 1.5",
        "fit(config, sessions, start=markov)": "start must be Recommender, got Markov",
        "train(config, sessions, controls=config)": "controls must be Controls, got Config",
        "fit(config.with_changes(device='gpu'), sessions)": "no device 'gpu' here, only cpu",
        "fit(config.with_changes(learning_rate=1e38), sessions)": "loss is not finite at step",
        "resume(kept, frame)": f"sessions {SESSIONS}",
        "resume(kept, later)": "the checkpoint was trained on other sessions than world:cycle",
        "resume(saved, sessions)": "is a model without the state of its training; checkpoints are",
        "resume(kept, train_set, n_epochs='3')": "n_epochs must be a whole number of at least 0",
        "model.continue_training(frame)": f"sessions {SESSIONS}",
        "model.continue_training(sessions, config.with_changes(layers=4))": "the model has",
        "model.continue_training(numbered)": "name both by text or both by numbers",
        "markov.fit(frame)": f"sessions {SESSIONS}",
    },
    "Many trainings": {
        "grid({'loss': 'bpr'})": "config must be Config, got dict; values of settings are named",
        "grid(loss=[])": "loss has no values; give at least one, for example ['cross-entropy']",
        "grid(lr=[0.1])": "unknown setting 'lr'; choose one of layers",
        "sweep([], train_set, later)": "there are no trials; make some, such as",
        "sweep(5, train_set, later)": "a trial is a Config, got 5; make trials with grid(...)",
        "sweep(config, train_set, later).rows[0]['error']": TAKEN + "None",
        "sweep([config], train_set, frame)": f"test_set {SESSIONS}",
        "sweep([config], train_set, later, k='20')": f"each cut-off in k {WHOLE} 1, got '20'",
        "sweep([config], train_set, later, n_jobs=2)": "n_jobs=2 is not possible with",
        "sweep([config], train_set, later, backend='loky', n_jobs='2')": f"n_jobs {WHOLE} 1, got",
        "sweep([config], train_set, later, backend='ray')": "unknown backend 'ray'; choose one of",
        "load_sweep('none')": "no trials in none; sweep(..., store='none') adds some",
    },
    "Evaluation": {
        "evaluate(model, frame)": f"sessions {SESSIONS}",
        "evaluate(sessions, model)": "model must be Scorer, got Sessions; train or fit one first",
        "evaluate(BASELINES['Markov'], sessions)": "model must be Scorer, got the class Markov",
        "evaluate(model, later, k='20')": f"each cut-off in k {WHOLE} 1, got '20'",
        "evaluate(model, later, k=())": "there is no cut-off in k=(); give one or several",
        "evaluate(model, later, batch_size=1.5)": f"batch_size {WHOLE} 1, got 1.5",
        "evaluate(model, later, batch_size=10**9).n_targets == found.n_targets": TAKEN + "True",
        "evaluate(model, later, ties='best')": "unknown ties 'best'; choose one of conservative",
        "evaluate(model, strangers)": "none of the 60 sessions has 2 clicks on items the model",
        "evaluate(model, mixed)": WARNED + "103 of 374 clicks are on items that the model does not",
        "evaluate(numbers, as_text)": "the model does not know the item '7', but it knows 7; give",
        "found.recall[7]": "no cut-off 7, only 1, 5, 10, 20; ask for it: evaluate(...",
        "found.gains('hit', 5)": "unknown metric 'hit'; choose one of recall, mrr, ndcg",
        "found.standard_error('mrr', 50)": "ranks beyond 20 were not counted; give evaluate k=50",
        "found.by('day')": "cannot group by 'day'; choose one of position, length",
        "found.by_popularity([0] * 12)": "support must be the clicks on each of the model's items",
        "compare([model], later)": "models must be Mapping, got list; name the models, as in",
        "compare({'Markov': BASELINES['Markov']}, later)": "'Markov' is no model that can be",
        "compare({'a': model, 'b': numbers}, later)": "'b' and 'a' know different items",
        "audit(model, train_set, later, k=(1, 20))": f"k {WHOLE} 1, got (1, 20)",
        "audit(model, train_set, later, n_sampled='5')": f"n_sampled {WHOLE} 1, got '5'",
    },
    "Answers": {
        "model.session().click('no such stop')": TAKEN + "False",
        "model.session().click(['stop-01'])": "['stop-01'] is no item; give one text or number at",
        "numbers.session().click('3')": "does not know the item '3', but it knows 3; give items as",
        "len(model.session().top(10**6))": TAKEN + "12",
        "model.session().top(0)": f"k {WHOLE} 1, got 0",
        "model.session().top(exclude='stop-01')": "exclude takes several items, got 'stop-01'",
        "model.session().top(exclude=5)": "exclude takes several items, got 5; give a list",
        "model.session().top(exclude=[['stop-01']])": "exclude takes texts or numbers, got",
        "model.session().top(exclude=model.session().top(1))": "but it knows 'stop-",
        "model.session().top(only=['x'])": WARNED + "1 of the 1 items in only are unknown to the",
        "model.session().top(1, names=pd.Series(dtype=str))[0].name": TAKEN + "''",
        "recommend(model, [['stop-01']])": "sessions must be Sessions, got list",
        "recommend(frame, model)": "is no model; train, fit or load one, and call recommend(model",
        "recommend(model, frame, k='3')": f"k {WHOLE} 1, got '3'",
        "recommend(model, strangers)": "the model knows no item of these sessions: 'x-",
        "recommend(model, sessions.sample(0))": "there are no clicks to answer to; give sessions",
        "VisitExplorer(model).found == model.session().top(10)": TAKEN + "True",
        "VisitExplorer(markov)": "model must be Recommender, got Markov; train one with fit, or",
        "VisitExplorer({})": "no model to ask; give one, or {'a name': model}",
        "VisitExplorer(model, clicks=['x'])": "the model does not know the item 'x'",
    },
    "Files of models": {
        "load_model(None)": "None names no file; give a path such as 'models/first'",
        "load_model('none')": "no model at none.safetensors; model.save(path) writes one",
        "load_model(saved, device='gpu')": "no device 'gpu' here, only cpu",
        "load_model(half)": "is damaged or no safetensors file",
        "load_model(flipped)": "is damaged: what it holds is not what its checksum says",
        "load_model(foreign)": "has format None, not 'gru4rec-lab/1'; save the model again",
        "model.save('')": "'' names no file; give a path such as 'models/first'",
    },
}  # fmt: skip


def names(folder):
    """What the table speaks of, with its files in `folder`."""
    import pandas as pd
    import safetensors.torch
    import torch

    import gru4rec_lab
    from gru4rec_lab import BASELINES, Config, Sessions, evaluate, fit, load_sessions
    from gru4rec_lab.widgets import VisitExplorer

    torch.set_num_threads(1)
    sessions = load_sessions("world:cycle", n_sessions=60, n_items=12)
    train_set, later = sessions.split_last(fraction=0.3)
    frame = sessions.to_frame()
    number = frame.ItemId.str[-2:].astype(int) - 1
    numbered, as_text, strangers, mixed = (
        Sessions.from_frame(frame.assign(ItemId=ids))
        for ids in (number, number.astype(str), "x-" + frame.ItemId,
                    frame.ItemId.where(number > 2, "x"))
    )  # fmt: skip
    config = Config(layers=(8,), n_epochs=1, n_sample=8, batch_size=8, step="plain",
                    device="cpu")  # fmt: skip
    model = fit(config, train_set, checkpoint=folder / "kept")
    saved = model.save(folder / "saved")
    bytes_ = saved.read_bytes()
    files = {name: folder / f"{name}.safetensors" for name in ("half", "flipped", "foreign")}
    files["half"].write_bytes(bytes_[: len(bytes_) // 2])
    files["flipped"].write_bytes(bytes_[:-1] + bytes([bytes_[-1] ^ 1]))
    safetensors.torch.save_file({"a": torch.zeros(1)}, files["foreign"])
    public = {name: getattr(gru4rec_lab, name) for name in gru4rec_lab.__all__}
    return public | files | {
        "pd": pd, "VisitExplorer": VisitExplorer, "sessions": sessions, "frame": frame,
        "train_set": train_set, "later": later, "numbered": numbered, "as_text": as_text,
        "strangers": strangers, "mixed": mixed, "config": config, "model": model, "saved": saved,
        "kept": folder / "kept", "found": evaluate(model, later), "markov":
        BASELINES["Markov"].fit(train_set), "numbers": fit(config, numbered, progress=False),
        "own": lambda target, negatives: negatives.mean(dim=1) - target,
    }  # fmt: skip


def outcome(given, known):
    """What becomes of an input: a line of the error, of the warnings, or of what is returned."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            result = eval(given, dict(known))
        except (ValueError, KeyError, FileNotFoundError, FileExistsError, ArithmeticError) as error:
            return str(error)
        except Exception as error:
            return f"not refused, but failed: {type(error).__name__}: {error}"
    return WARNED + str(told[0].message) if told else TAKEN + repr(result)


def page():
    """The table as a page, with what the tests of files refuse."""
    from .test_own import MALFORMED

    parts = [
        "# Malformed inputs",
        "What becomes of each, held by a test: refused or warned of, with these words, or taken. "
        "Written by `python -m tests.bad_inputs --write`.",
    ]
    for where, rows in TABLE.items():
        lines = [_row(f"`{given}`", said) for given, said in rows.items()]
        parts.append(f"## {where}\n\n" + "\n".join(["| given | outcome |", "|---|---|", *lines]))
    lines = [
        _row(f"{name}: {what}" + (f", `{options}`" if options else ""), _plain(said))
        for what, (name, _, options, said) in MALFORMED.items()
    ]
    parts.append("## Files\n\n" + "\n".join(["| given | outcome |", "|---|---|", *lines]))
    return "\n\n".join(parts) + "\n"


def _row(given, said):
    if not said.startswith((TAKEN, WARNED)):
        said = f"refused: {said}"
    return f"| {given} | {said} |"


def _plain(pattern):
    """A regular expression of these tests without its signs."""
    return pattern.replace(".*", " ... ").replace("\\", "")


def main():
    """Write the page, or print the outcome of each input."""
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
        return
    with TemporaryDirectory() as folder:
        known = names(Path(folder))
        print(
            json.dumps({given: outcome(given, known) for rows in TABLE.values() for given in rows})
        )


if __name__ == "__main__":
    main()
