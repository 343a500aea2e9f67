"""The panes that several panels share, as plain data, and their numbers.

Pull on the target by rank, softmax weights, pushes on negatives and histograms of scores. The lines
of a loss form a group of its name; `losses` are the names of those shown.
"""

from collections.abc import Iterable

import numpy as np

from ..diagnostics import GradientByRank, NegativeGradients, ScoreHistogram, SoftmaxWeights
from ..losses import LOSSES
from .picture import INK, SOFT, Axis, Box, Line, Pane, across, points

Lines = dict[str, Line]
Numbers = dict[str, np.ndarray]

LEAST_SHARE = 1e-5  # the least share of scores that shows
MASS_COLOUR, RIGHT_AXIS_COLOUR, NEGATIVE_COLOUR = "#56B4E9", "#1c6ea4", "#999999"
TENTHS = tuple((tenth / 10, f"{tenth / 10:.1f}") for tenth in (0, 2, 4, 6, 8, 10))
PUSH_TICKS = (
    *((10.0**power, f"10^{{{power}}}".replace("-", "−")) for power in (-2, -4, -6)),
    *((-(10.0**power), f"−10^{{{power}}}".replace("{-", "{−")) for power in (-2, -4, -6)),
    (1, "1"), (0, "0"), (-1, "−1"),
)  # fmt: skip
PUSH = Axis((-10, 10), "symlog", "∂L / ∂r_j", ticks=PUSH_TICKS, around=1e-6, decades=0.7)


def count_ticks(highest: float) -> tuple[tuple[float, str], ...]:
    """1, 10, 100, ... below `highest`."""
    return tuple((10**power, f"{10**power:,}") for power in range(7) if 10**power < highest)


def share_axis(what: str) -> Axis:
    """A blue second axis for the shares of a dashed line, from 0 to 1."""
    return Axis((0, 1.05), label=f"{what} (dashed)", ticks=TENTHS, colour=RIGHT_AXIS_COLOUR)


def rank_axis(highest: int) -> Axis:
    """Ranks of a target: 0 at the left edge, logarithmic from 1 on."""
    ticks, label = ((0, "0"), *count_ticks(highest)), "rank of the target (negatives above it)"
    return Axis((-0.1, highest), "symlog", label, "rank", ticks)


def place_axis(highest: int) -> Axis:
    """Places of negatives, the best-scoring first, logarithmic."""
    label = "negative, the best-scoring first"
    return Axis((0.9, highest), "log", label, "negative", count_ticks(highest))


def pull_pane(box: Box, highest: int, *, relative: bool = False) -> Pane:
    """-dL/dr_i against the rank of the target, or its share of that of badly ranked targets."""
    top, of = (1000, ", badly ranked targets = 1") if relative else (2, "")
    pull = Axis((1e-4, top), "log", f"−∂L / ∂r_i{of}")
    return Pane(rank_axis(highest), pull, box, "pull on the target")


def pull_lines(pane: str, losses: Iterable[str], *, dots: bool = False) -> Lines:
    """A line a loss, with its key on top of the picture; with `dots` one for a single target."""
    lines = {f"pull {name}": _of_loss(name, pane, key="picture") for name in losses}
    marks = {f"dot {name}": _of_loss(name, pane, width=0, dots=4, layer=2) for name in losses}
    return lines | marks if dots else lines


def pull_numbers(curves: GradientByRank) -> Numbers:
    """The gradients against the rank."""
    lines = {}
    for name, curve in curves.curves.items():
        seen = np.isfinite(curve) & (curve > 0)
        lines[f"pull {name}"] = points(curves.rank[seen], curve[seen])
    return lines


def pull_in_words(curves: GradientByRank, losses: Iterable[str]) -> str:
    """Where the pull of each of these losses begins and ends, for those who do not see it."""
    return "; ".join(_ends(name, curves) for name in losses)


def _ends(name: str, curves: GradientByRank) -> str:
    curve = curves.curves[name]
    seen = (curve > 0).nonzero()[0]
    if not len(seen):
        return f"{name} nowhere above 0"
    ends = (f"{curve[i]:.2g} at rank {curves.rank[i]:,.0f}" for i in dict.fromkeys(seen[[0, -1]]))
    return f"{name} {', '.join(ends)}"


def dot_numbers(rank: float, gradients: dict[str, float]) -> Numbers:
    """-dL/dr_i of one target of this rank."""
    return {f"dot {name}": points([rank], [gradient]) for name, gradient in gradients.items()}


def weight_pane(box: Box, highest: int) -> Pane:
    """Softmax weights of the negatives, the largest first, with their cumulated mass."""
    weight = Axis((1e-6, 1.5), "log", "softmax weight s_j (line)")
    return Pane(
        place_axis(highest), weight, box, "softmax weights", right=share_axis("mass so far")
    )


def weight_lines(pane: str, *, effective: bool = False) -> Lines:
    """Weight and mass; with `effective` marks at the number of effective negatives."""
    lines = {
        "weight": Line(pane, width=2),
        "mass": Line(pane, MASS_COLOUR, axis="right", dash=(4, 2), width=2.5, label="mass so far"),
    }
    marks = {
        "effective": Line(pane, SOFT, "across", key="pane"),
        "by theory": Line(pane, SOFT, "across", dash=(2, 2), key="pane"),
    }
    return lines | marks if effective else lines


def weight_numbers(
    weights: SoftmaxWeights, effective: float | None = None, theory: float | None = None
) -> Numbers:
    """The weights and, where given, the number of effective negatives, counted and by theory."""
    # A few hundred points along a logarithmic axis look the same as 32,768 and cost less.
    place = np.unique(np.geomspace(1, len(weights.weight), 300).astype(int))
    lines = {
        name: points(place, numbers[place - 1])
        for name, numbers in (("weight", weights.weight), ("mass", weights.cumulated))
    }
    return lines | {"effective": across(effective), "by theory": across(theory)}


def push_pane(box: Box, highest: int) -> Pane:
    """dL/dr_j against the place of the negative, linear between +-1e-6."""
    corners = ("pushed down", "pushed up")
    return Pane(place_axis(highest), PUSH, box, "push on the negatives", corners=corners)


def push_lines(pane: str, losses: Iterable[str]) -> Lines:
    """A line a loss, with a dot a negative."""
    return {f"push {name}": _of_loss(name, pane, dots=2) for name in losses}


def push_numbers(pushes: NegativeGradients) -> Numbers:
    """dL/dr_j of the negatives."""
    return {f"push {name}": points(pushes.place, push) for name, push in pushes.curves.items()}


def score_pane(box: Box, low: float, high: float, n_bins: int) -> Pane:
    """Shares of scores on a logarithmic axis, so that few show too."""
    score = Axis(
        (low, high), label="score as the losses see it (end bars: all beyond)", name="score"
    )
    share = Axis((LEAST_SHARE, 1.5), "log", f"share in a bar {(high - low) / n_bins:.2g} wide")
    return Pane(score, share, box)


def score_lines(pane: str) -> Lines:
    """Bars: negatives; outlines: their softmax weight and many targets; a line: the only target."""
    return {
        "negatives": Line(pane, NEGATIVE_COLOUR, "bars", key="pane"),
        "their softmax weight": Line(pane, MASS_COLOUR, "steps", width=2, key="pane"),
        "targets": Line(pane, INK, "steps", width=1.8, group="target", label="targets"),
        "target": Line(pane, INK, "across", width=2.2, key="pane"),
    }


def score_numbers(scores: ScoreHistogram, *, target: float | None = None) -> Numbers:
    """These shares; `target` is the score of the only target, None if there are many."""
    edges = scores.edges
    middle = (edges[1:] + edges[:-1]) / 2
    shares = {"negatives": scores.negatives, "their softmax weight": scores.weight}
    if target is None:
        shares["targets"] = scores.targets
    lines = {name: points(middle, share) for name, share in shares.items()}
    return lines | {
        "target": across(None if target is None else np.clip(target, edges[0], edges[-1]))
    }


def _of_loss(name: str, pane: str, **look) -> Line:
    loss = LOSSES[name]
    # Where two curves coincide, the solid one is seen between the wider dashes of the other.
    layer, width = (1, 2.25) if loss.dash else (0, 1.5)
    look = {"layer": layer, "width": width, "label": name, "group": name} | look
    return Line(pane, loss.colour, dash=loss.dash, **look)
