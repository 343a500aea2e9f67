"""`LossExplorer`: drag the number of negatives and see which losses let go of the target."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...diagnostics import (
    GradientByRank,
    NegativeGradients,
    ScoreHistogram,
    SoftmaxWeights,
    gradient_by_rank,
    negative_gradients,
    score_histogram,
    softmax_weights,
)
from ...plots.loss_panes import (
    dot_numbers,
    pull_numbers,
    push_numbers,
    score_numbers,
    weight_numbers,
)
from ...plots.picture import Shown
from ..controls import LABEL, Fold, marked
from ..panel import PicturePanel
from ..save_box import SaveBox, write_numbers
from ..settings_box import RestoreBox, to_text
from ..tour import Tour
from .address import address
from .controls import ExplorerControls, from_text
from .numbers import Numbers, frame_of, numbers_of
from .picture import bins_for, highest_for, picture_for, told
from .scores import Scores, gaussian, pasted, trained
from .settings import CONTROLS
from .text import brief as one_sentence
from .text import formula, hint, sentences
from .tour_steps import STEPS, tour_numbers

if TYPE_CHECKING:
    import pandas as pd


PAIRS = ("top1", "bpr", "top1-max", "bpr-max")


class LossExplorer(PicturePanel):
    """Gradients and softmax weights of the losses on made-up, real or pasted scores; no training.

    The target's negatives are the other targets of a batch and `n_sample` extra ones, as in
    training. Gaussian scores are drawn from N(0, spread^2); those of a trained model are of one
    test target, its extra negatives drawn with popularity^`sample_alpha`. Draws come from fixed
    seeds, so that the same settings give the same picture.

    Every setting of `ExplorerControls.elements` is an attribute: `source`, `n_sample` (0 to
    32,768), `spread`, `target_score`, `sample_alpha`, `model` ("flights-bpr",
    "e-shop-bpr" or "e-shop-bpr-max"), `epoch`, `number`, `pasted`, `temperature`, `bpreg`, `scale`
    ("raw" or "relative" to badly ranked targets) and `pane` ("weights", "pushes" or "scores").

    With `simple` it starts with one slider, four curves and one sentence; a fold holds the rest.

    Attributes:
        controls: all controls.
        losses: loss name to the checkbox that shows it.
        picture: what is drawn, with the names of the losses that its keys hide.
        preset: menu of settings to start from.
        files: the box for saving.
        tour: the guided tour, in five steps.
        link: the text behind # that opens the same state on the page without Python.
        restore_box: the line of text that restores all settings.
        curves: the gradients against rank that are drawn.
        weights: the softmax weights that are drawn.
        pushes: dL/dr_j of the negatives of the chosen target.
        histogram: shares of the negatives, their softmax weight and the target by score.
        numbers: what the words say: `negatives`, `spread`, `effective`, `effective_theory` (where
            it holds), `top_5`, `near` (share of negatives with sigma(r_j - r_i) > .1), `target`
            (its score), `rank` (of the target), `gradient` (loss name to -dL/dr_i of the target),
            `pushed_up` and `push_top_5` (loss name to share); of the trained model `median_rank`
            (of all test targets) and `by_alpha` (0 and 1 to `effective` and `median_rank`).
    """

    def __init__(
        self,
        *,
        batch_size: int = 32,
        key: str = "LossExplorer",
        settings: dict | None = None,
        simple: bool = False,
    ):
        super().__init__(key)
        self._simple = simple
        self._batch_size = batch_size
        self.curves: GradientByRank
        self.weights: SoftmaxWeights
        self.pushes: NegativeGradients
        self.histogram: ScoreHistogram
        self._numbers: Numbers
        self._dots: dict[str, float]
        self.controls = ExplorerControls(self.guarded(self._refresh), simple=simple)
        for name, element in self.controls.elements.items():
            setattr(self, name, element)
        self.losses, self.preset = self.controls.losses, self.controls.preset
        self.words = marked(widgets.HTML(), "g4r-words")
        self.hint = marked(widgets.HTML(), "g4r-hint")
        self.formula = marked(widgets.HTMLMath(), "g4r-formula")
        self.formula.value = f"{formula('bpr')} &emsp; {formula('bpr-max')}"
        # Four curves to begin with: those of the two papers' pairs.
        first = {"losses": PAIRS} if simple else {}
        self.controls.load(first | (settings or {}))
        self.controls.usual = self.controls.settings()
        self.controls.fold.header.observe(self.guarded(self._refresh), "value")
        self.update()
        writers = {name: getattr(self, name) for name in ("save_picture", "save_numbers")}
        self.files = SaveBox("my_losses", writers, self.guarded)
        self.restore_box = RestoreBox(lambda: self.settings_string, self._typed, self.guarded)
        self.tour = Tour(
            STEPS,
            begin=self._begin,
            read=lambda: (self.controls.settings(), tour_numbers(self.numbers, self.curves)),
            point=self.controls.point,
            guarded=self.guarded,
            lock=self.lock,
        )
        self.link = marked(
            widgets.Text(
                description="on the page",
                style=LABEL,
                layout=widgets.Layout(width="760px"),
                tooltip="the same state on the page without Python: copy this text",
            ),
            "g4r-link",
        )
        self.link.value = address(self.controls.settings())
        where = widgets.HTML(
            "<code>make page</code> writes build/gru4rec_lab.html. Open it in a browser and paste "
            "this text there into <i>these settings as text</i>, or put it behind # in its address."
        )
        saving = [self.files, self.restore_box, self.link, where]
        keep = Fold("Save, settings as text, the page", saving, css="g4r-saving")
        below = [self.controls.fold, keep, self.words, self.formula]
        self.reveal([self.tour, self.controls, self.error_box, self.hint, self.picture, *below])

    @classmethod
    def restore(cls, text: str, *, batch_size: int = 32, key: str = "LossExplorer"):
        """A new panel with the settings of a `settings_string`; others are as usual.

        Raises:
            ValueError: an unknown setting or loss, or a value that it cannot take.
        """
        return cls(batch_size=batch_size, key=key, settings=from_text(text))

    @property
    def settings_string(self) -> str:
        """The settings as one line of text, for `restore`."""
        return to_text(self.controls.settings())

    @property
    def numbers(self) -> dict[str, Any]:
        """The numbers that the words say; those that do not apply are left out."""
        return {name: number for name, number in vars(self._numbers).items() if number is not None}

    def frame(self) -> "pd.DataFrame":
        """The numbers drawn: `quantity` (pull, push, weight, mass), `loss`, `place`, `value`."""
        with self.lock:
            return frame_of(self.curves, self.weights, self.pushes, self.histogram)

    def save_numbers(self, path: str | Path) -> Path:
        """Write `frame` as CSV; the path written.

        Raises:
            ValueError: an ending other than .csv.
        """
        return write_numbers(self.frame(), path)

    def _begin(self, start: dict[str, Any]) -> None:
        self.controls.apply({name: each["value"] for name, each in CONTROLS.items()} | start)

    def _typed(self, text: str) -> None:
        self.controls.apply(from_text(text))

    def _refresh(self, change: dict) -> None:
        for name, box in self.losses.items():
            if change["owner"] is box:
                self.formula.value = formula(name)
        try:
            self.update()
        finally:
            self.restore_box.follow()
            self.link.value = address(self.controls.settings())
        self.tour.follow()

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them.

        Raises:
            ValueError: pasted scores that are none.
        """
        # Callbacks and cells run in threads of their own: numbers and picture belong together.
        with self.lock:
            settings = self.controls.settings()
            self._measure(settings)
            # Before the words: it has the longest way to the screen.
            brief = self._simple and not self.controls.fold.header.value
            picture = picture_for(settings, highest=self._highest, bins=self._bins, brief=brief)
            self.picture.show(picture, self._shown(settings, brief=brief))
            for element in (self.hint, self.formula):
                element.layout.display = "none" if brief else None
            if brief:
                self.words.value = one_sentence(self._numbers)
                return
            self.words.value = sentences(self._numbers, settings, self._batch_size)
            self.hint.value = hint(self._numbers, settings)

    def _scores(self, settings: dict[str, Any]) -> Scores:
        if settings["source"] == "pasted":
            try:
                return pasted(settings["pasted"])
            except ValueError as error:
                self.controls.fields["pasted"].refuse(str(error))
                raise
        n_sample, alpha = settings["n_sample"], settings["sample_alpha"]
        if settings["source"] == "trained":
            at = settings["epoch"], settings["number"], n_sample, alpha, settings["model"]
            return trained(*at)
        n_negatives = self._batch_size - 1 + n_sample
        return gaussian(n_negatives, settings["spread"], settings["target_score"])

    def _measure(self, settings: dict[str, Any]) -> None:
        scores = self._scores(settings).divided_by(settings["temperature"])
        rows, target, losses = scores.rows, scores.target, settings["losses"]
        curves = gradient_by_rank(*scores.at_ranks, losses, scores.edges)
        self.weights = softmax_weights(rows)
        self.pushes = negative_gradients(target, rows, losses, bpreg=settings["bpreg"])
        self._bins = bins_for(scores, settings)
        self._highest = highest_for(rows.shape[1], settings)
        self.histogram = score_histogram(target, rows, **self._bins)
        self._numbers = numbers_of(scores, settings, self.pushes)
        self.curves, self._dots = curves, self._numbers.gradient
        if settings["scale"] == "relative":
            self.curves, badly_ranked = curves.relative(), curves.badly_ranked
            self._dots = {name: dot / (badly_ranked[name] or 1) for name, dot in self._dots.items()}

    def _shown(self, settings: dict[str, Any], *, brief: bool) -> Shown:
        numbers = self._numbers
        lines = pull_numbers(self.curves) | dot_numbers(numbers.rank, self._dots)
        if brief:
            pass
        elif settings["pane"] == "weights":
            effective = numbers.effective, numbers.effective_theory
            lines |= weight_numbers(self.weights, *effective)
        elif settings["pane"] == "pushes":
            lines |= push_numbers(self.pushes)
        else:
            lines |= score_numbers(self.histogram, target=numbers.target)
        return Shown(lines, told(self.curves, numbers, settings, brief=brief))
