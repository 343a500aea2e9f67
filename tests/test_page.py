"""The page's numbers are the library's: in Chromium, and in node where there is one."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch

from gru4rec_lab.diagnostics import effective_negatives, gaussian_scores
from gru4rec_lab.diagnostics.stored import MODELS, extra_items
from gru4rec_lab.losses import LOSSES, score_regulariser_grad
from gru4rec_lab.page.build import data, script
from gru4rec_lab.widgets import LossExplorer
from gru4rec_lab.widgets.loss_explorer import explorer
from gru4rec_lab.widgets.loss_explorer.settings import PAGE_CONTROLS, PRESETS

from .browser.driver import running_chromium

USUAL = {name: control["value"] for name, control in PAGE_CONTROLS.items()}
SHAPING = [{"name": loss.name, "shapes_scores": loss.shapes_scores} for loss in LOSSES.values()]
BIG = [
    [1e4, 1e4, 0, -1e4], [1e4, 9999.5, 9999, -1e4], [0, 0, 0, 0], [-1e4] * 4, [1e4] * 4,
    [5, 0, -5, -1e4], [700, 699, -2, -3],
]  # fmt: skip


def in_node(code, given):
    read = "let text = ''; for await (const part of process.stdin) text += part;"
    whole = f"{read} const given = JSON.parse(text); const run = () => {{ {code} }};"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", f"{whole} console.log(JSON.stringify(run()));"],
        input=json.dumps(given), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            "node", marks=pytest.mark.skipif(not shutil.which("node"), reason="no node on the path")
        ),
        pytest.param("Chromium", marks=pytest.mark.browser),
    ],
)
def run(request):
    """Runs code, a function's body behind a module's names, on what is `given`."""
    if request.param == "node":
        yield in_node
        return
    pytest.importorskip("playwright.sync_api")
    with running_chromium(request.getfixturevalue("chromium")) as browser:
        page = browser.new_page()
        yield lambda code, given: json.loads(
            page.evaluate(f"given => {{ return JSON.stringify((() => {{ {code} }})()); }}", given)
        )


def score_rows():
    """Rows of scores, the highest first, each with a target: usual ones, ties, extremes, one."""
    drawn = torch.Generator().manual_seed(3)
    rows = [
        spread * torch.randn(count, generator=drawn) for spread in (0.5, 8) for count in (9, 99)
    ]
    rows += [*map(torch.tensor, BIG), torch.tensor([2.0])]
    for row in rows:
        for target in (1e4, -1e4, 9999.75, 30.0, 1.5, 0.0, -8.0):
            yield target, row.double().sort(descending=True).values.tolist()


BY_ROW = f"""{script("losses.js")}
return given.rows.map(([target, row]) => {{
  const {{all, push}} = pushes(target, softmax(row), given.losses, given.bpreg);
  return given.losses.map(({{name}}) => [TWINS[name].pull(all), row.map((_, j) => push[name](j))]);
}});"""


@pytest.mark.parametrize("bpreg", [0.0, 0.7])
def test_every_twin_is_its_loss_in_float64(run, bpreg):
    rows = list(score_rows())
    told = run(BY_ROW, {"rows": rows, "losses": SHAPING, "bpreg": bpreg})
    for (target, row), found in zip(rows, told, strict=True):
        scores = torch.tensor([target]).double(), torch.tensor([row]).double()
        for loss, (pull, push) in zip(LOSSES.values(), found, strict=True):
            by_target, by_negative = loss.gradient(*scores)
            if loss.shapes_scores:
                by_negative = by_negative + bpreg * score_regulariser_grad(scores[1])
            case = f"{loss.name}, target {target}, negatives {row[:4]}"
            np.testing.assert_allclose(pull, -by_target[0], rtol=1e-11, atol=1e-300, err_msg=case)
            # Differences of equal numbers leave the last digits of their size.
            size = 1e-12 * max(1, abs(row[0])) if bpreg else 1e-14
            np.testing.assert_allclose(push, by_negative[0], rtol=1e-9, atol=size, err_msg=case)


def test_gaussian_draws_are_those_of_torch(run):
    code = f"{script('draws.js')} return given.map(([count, seed]) => [...normals(count, seed)]);"
    cases = [(16, 0), (17, 5), (31 * 60, 0), (2079, 9999), (32_799, 0)]
    for (count, seed), told in zip(cases, run(code, cases), strict=True):
        wanted = torch.randn(count, generator=torch.Generator().manual_seed(seed))
        np.testing.assert_allclose(told, wanted, atol=2e-6)


@pytest.mark.parametrize("model", MODELS)
def test_extra_negatives_of_a_trained_model_are_those_of_the_library(run, model):
    code = f"""{script("draws.js")}
    const {{seed, most_extra, support}} = given.stored, points = uniforms(most_extra, seed);
    return given.alphas.map(alpha => [...drawn(points, support.map(clicks => clicks ** alpha))]);"""
    stored = {name: data()["stored"][model][name] for name in ("seed", "most_extra", "support")}
    alphas = [0.0, 0.05, 0.5, 0.85, 1.0]
    for alpha, told in zip(alphas, run(code, {"stored": stored, "alphas": alphas}), strict=True):
        assert told == extra_items(alpha, model=model).tolist()


def settings():
    """Settings of all sources: presets, ends of every control, extremes, ties, one negative."""
    yield from (USUAL | preset for preset in PRESETS.values())
    for n_sample, spread, target, seed in [
        (0, 0.1, 8, 0), (8, 6, 0, 0), (64, 1.4, -10, 0), (333, 4, 30, 0), (8192, 0.5, 1.5, 0),
        (32_768, 4, 8, 0), (32_768, 6, 20, 0), (512, 2, 3, 77),
    ]:  # fmt: skip
        gaussian = {"n_sample": n_sample, "spread": spread, "target_score": target, "seed": seed}
        yield USUAL | gaussian | {"pane": "pushes", "bpreg": 0.4}
    yield USUAL | {"temperature": 0.25, "n_sample": 512, "scale": "relative", "pane": "scores"}
    yield USUAL | {"temperature": 4.0, "n_sample": 512, "scale": "relative"}
    yield USUAL | {"losses": ["bpr"], "pane": "pushes"}
    for number, (epoch, alpha, n_sample) in enumerate(
        [(0, 0.5, 0), (0, 0.5, 32_768), (0.3, 0, 512), (1, 1, 2048), (4, 0.35, 100), (4, 0.9, 8192)]
    ):
        trained = {"source": "trained", "epoch": epoch, "number": 1 + 7 * number}
        trained |= {"sample_alpha": alpha, "n_sample": n_sample, "temperature": 0.5 + number / 2}
        for model in MODELS:
            pane = ["pushes", "scores"][number % 2]
            yield USUAL | trained | {"model": model, "pane": pane, "bpreg": 1.5}
    for text in [
        USUAL["pasted"], "1, 2", "0 0 0 0 0", "[1e4; 1e4 0 -1e4]", "-1e4 1e4 0", "1e4 -1e4\n-1e4",
        "2 2 2 1 1", " ".join(str(0.37 * (k * k % 17) - 3) for k in range(40)),
        " ".join(f"{(k * 7919) % 101 / 10}" for k in range(1000)),
    ]:  # fmt: skip
        for more in ({}, {"temperature": 2.0, "scale": "relative", "pane": "pushes"}):
            yield USUAL | {"source": "pasted", "pasted": text} | more


MEASURED = f"""{script("measuring.js")}
const measured = measuring(given.page);
const plain = found => JSON.parse(JSON.stringify(found, (_, value) =>
  ArrayBuffer.isView(value) ? [...value] : value));
return given.settings.map(at => {{
  const {{numbers, curves, dots, panes}} = measured(at);
  return plain({{numbers, curves, dots, pane: panes[at.pane]()}});
}});"""


@pytest.fixture
def panel(monkeypatch):
    """A LossExplorer of float64: in float32 the sign of a tiny push is left to rounding."""

    def of_float64(scores):
        at_ranks = tuple(each.double() for each in scores.at_ranks)
        return replace(
            scores, rows=scores.rows.double(), target=scores.target.double(), at_ranks=at_ranks
        )

    for name in ("gaussian", "trained", "pasted"):
        made = getattr(explorer, name)
        monkeypatch.setattr(explorer, name, lambda *at, made=made: of_float64(made(*at)))
    panel = LossExplorer(key="beside the page")
    yield panel
    panel.close()


def test_the_page_s_numbers_are_the_panel_s(run, panel):
    every = [{"losses": list(LOSSES)} | each for each in settings()]
    told = run(MEASURED, {"page": data(), "settings": every})
    for at, found in zip(every, told, strict=True):
        if at["seed"]:
            made = gaussian_scores(31 + at["n_sample"], at["spread"], seed=at["seed"])
            assert found["numbers"]["effective"] == pytest.approx(effective_negatives(made.rows))
            continue
        panel.controls.apply({name: value for name, value in at.items() if name != "seed"})
        case = ", ".join(f"{name}={str(value)[:40]}" for name, value in at.items())
        same_numbers(found["numbers"], panel.numbers, case)
        same_picture(found, panel.frame(), at, case)
    assert len(every) >= 35


def same_numbers(told, wanted, case):
    assert told.keys() == wanted.keys(), case
    for name, value in wanted.items():
        if isinstance(value, dict):
            values = {_key(key): each for key, each in value.items()}
            same_numbers(told[name], values, f"{name}; {case}")
        elif told[name] is None:
            assert np.isnan(value), f"{name}; {case}"
        else:
            exact = name in {"negatives", "rank", "median_rank"}
            close = {"rtol": 0, "atol": 0} if exact else {"rtol": 2e-5, "atol": 1e-12}
            np.testing.assert_allclose(told[name], value, **close, err_msg=f"{name}; {case}")


def _key(key):
    return key if isinstance(key, str) else f"{key:g}"


def same_picture(found, frame, at, case):
    def of(quantity, loss=""):
        part = frame[(frame["quantity"] == quantity) & (frame["loss"] == loss)]
        return part["place"].to_numpy(), part["value"].to_numpy()

    pane = found["pane"]
    for name in at["losses"]:
        near(found["curves"]["rank"], found["curves"]["curves"][name], of("pull", name), case)
        if at["pane"] == "pushes":
            near(pane["place"], pane["curves"][name], of("push", name), case)
    if at["pane"] == "weights":
        place = np.arange(1, len(pane["weight"]) + 1)
        near(place, pane["weight"], of("weight"), case)
        near(place, pane["cumulated"], of("mass"), case)
    elif at["pane"] == "scores":
        middle = (np.array(pane["edges"][1:]) + pane["edges"][:-1]) / 2
        for name, quantity in {"negatives": "negatives", "weight": "negatives_weight"}.items():
            near(middle, pane[name], of(quantity), case)
        near(middle, pane["targets"], of("targets"), case)


def near(place, value, wanted, case):
    known = np.array([each is not None for each in value])
    np.testing.assert_array_equal(np.array(place)[known], wanted[0], err_msg=case)
    told = np.array([each for each in value if each is not None], dtype=float)
    # Draws differ in their last digits, and with them what is a small part of the largest.
    least = 2e-6 * np.abs(wanted[1]).max(initial=0)
    np.testing.assert_allclose(told, wanted[1], rtol=2e-5, atol=least, err_msg=case)
