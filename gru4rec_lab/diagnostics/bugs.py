"""Ten bugs that implementations of GRU4Rec had, as data: each can be switched into a training.

`BUGS` maps a name to a `Bug`, and `museum` shows what each does to accuracy. `trained_with` and
`judged_with` run a sound GRU4Rec into which one bug is switched, and nothing else; the entries with
`switch` 0 are sound. The wrong forms are written from what others' code computes.

Sources
    Hidasi & Czapp, "The Effect of Third Party Implementations on Reproducibility",
    arXiv 2307.14956.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from ..batches import Batch, session_parallel
from ..config import Config
from ..data.sessions import Sessions
from ..device import generator
from ..evaluation import Evaluation, evaluate
from ..losses import LOSSES, Loss
from ..own_losses import autograd_of
from ..recommender import Recommender
from ..sampling import NegativeSampler
from ..score_matrix import join_columns
from ..training.controls import Settings
from ..training.grow import new_model
from ..training.step import Step
from .gradients import EDGES, GradientByRank, pulls_by_rank

if TYPE_CHECKING:
    import pandas as pd

Target = Float[Tensor, "batch"]
Negatives = Float[Tensor, "batch negatives"]
Carry = Int[Tensor, "_"]  # the rows of one step; their number falls at the end


@dataclass(frozen=True)
class Bug:
    """One way to get GRU4Rec wrong.

    Attributes:
        what: what is done wrong, in one line.
        switch: which of the ten it belongs to; 0 for a sound training.
        seen_by: the test that would have seen it.
        loss: the loss that it is tried with.
        value: the wrong form of that loss, of targets [B] and negatives [B, N] to [B].
        settings: changes of the config.
        logq: the strength of the correction, in place of the config's.
        clicks: the training sessions to those trained on, by a generator of random numbers.
        resets: of each step's `carry` the wrong one.
        start: called with the step before the first batch.
        judged: the model and the test sessions to what is evaluated in the model's place.
    """

    what: str
    switch: int
    seen_by: str = ""
    loss: str = "bpr-max"
    value: Callable[[Target, Negatives], Target] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    logq: float | None = None
    clicks: Callable[[Sessions, np.random.Generator], Sessions] | None = None
    resets: Callable[[list[Carry]], list[Carry]] | None = None
    start: Callable[[Step], None] | None = None
    judged: Callable[[Recommender, Sessions], Any] | None = None


def trained_with(bug: Bug, config: Config, sessions: Sessions) -> Recommender:
    """A model trained by the plain step on a CPU with `bug` switched in.

    With a sound bug it is the model of `fit(config.with_changes(loss=bug.loss, step="plain"))`.
    """
    config = config.with_changes(loss=bug.loss, step="plain", device="cpu", **bug.settings)
    if bug.clicks:
        sessions = bug.clicks(sessions, np.random.default_rng(config.seed))
    model, settings = new_model(config, sessions), Settings.of(config)
    support = model.training.support
    step = Step.of(config, model.network, support, generator(config.seed, "dropout"))
    negatives = NegativeSampler(support, generator=generator(config.seed, "negatives"))
    step.set_sampling_weight(negatives.set_sample_alpha(config.sample_alpha), config.sample_alpha)
    if bug.start:
        bug.start(step)
    strengths = step.strengths(settings)
    if bug.logq is not None:
        strengths = strengths._replace(logq=bug.logq)
    loss, frequencies = loss_of(bug), step.frequencies(config.sample_alpha)
    batches = list(session_parallel(sessions, config.batch_size))
    if bug.resets:
        wrong = bug.resets([batch.carry for batch in batches])
        batches = [Batch(b.inputs, b.targets, c) for b, c in zip(batches, wrong, strict=True)]
    for _ in range(config.n_epochs):
        step.begin_epoch()
        for batch in batches:
            extra = negatives.pick(batch, config.n_sample, step.scores_of)
            step.learn(batch, extra, loss, strengths, frequencies if strengths.logq else None)
    return model


def judged_with(bug: Bug, model: Recommender, test_set: Sessions) -> Evaluation:
    """`evaluate`, 32 sessions side by side, with the bug in it if that is where it lies."""
    scorer = bug.judged(model, test_set) if bug.judged else model
    return evaluate(scorer, test_set, batch_size=32)


def museum(
    config: Config, sessions: Sessions, test_set: Sessions, names: Iterable[str] | None = None
) -> "pd.DataFrame":
    """A row a bug of `BUGS`: Recall@5 and MRR@20 with it, and `kept`, its share of the sound MRR.

    The sound trainings that they are compared with come first. Bugs that lie in the evaluation
    alone are judged on the model of the sound training.
    """
    import pandas as pd

    names = list(BUGS if names is None else names)
    losses = {BUGS[name].loss for name in names}
    sound = {bug.loss: name for name, bug in BUGS.items() if not bug.switch and bug.loss in losses}
    rows = {}
    model_of = cache(lambda name: trained_with(BUGS[name], config, sessions))
    for name in dict.fromkeys([*sound.values(), *names]):
        bug = BUGS[name]
        found = judged_with(bug, model_of(sound[bug.loss] if bug.judged else name), test_set)
        mrr = found.mrr[20]
        kept = mrr / rows[sound[bug.loss]][1] if bug.switch else 1.0
        rows[name] = found.recall[5], mrr, kept
    return pd.DataFrame.from_dict(rows, orient="index", columns=["recall@5", "mrr@20", "kept"])


def pulls_of_bugs(
    target: Target, negatives: Negatives, edges: tuple[int, ...] = EDGES
) -> dict[str, GradientByRank]:
    """Pull by rank of each bug that changes the loss, beside that of the sound loss.

    The curve of a wrong form has the name of its loss and that of the bug, as "bpr-max, log
    inside".

    Raises:
        ValueError: more targets than columns: forms that mix rows take them for a score matrix.
    """
    if len(target) > negatives.shape[1] + 1:
        raise ValueError(
            f"{len(target)} targets need at least {len(target) - 1} negatives each, got "
            f"{negatives.shape[1]}; give fewer rows"
        )
    found = {}
    for name, bug in BUGS.items():
        if bug.value is not None:
            pulls = {bug.loss: LOSSES[bug.loss], f"{bug.loss}, {name}": loss_of(bug)}
            pulls = {label: -loss.gradient(target, negatives)[0] for label, loss in pulls.items()}
            found[name] = pulls_by_rank(target, negatives, pulls, edges)
    return found


def loss_of(bug: Bug) -> Loss:
    """The loss that a bug trains by; unlike `LOSSES.add`, it takes one that mixes rows."""
    sound = LOSSES[bug.loss]
    if bug.value is None:
        return sound
    value, gradient = bug.value, autograd_of(bug.value)
    return replace(
        sound,
        value_of=lambda parts: value(parts.target, parts.negatives),
        gradient_of=lambda parts: gradient(parts.target, parts.negatives),
        pull_of=None,
        kernel=None,
    )


def double_softmax(target: Target, negatives: Negatives) -> Target:
    """Cross-entropy of scores that are probabilities already."""
    chance = torch.cat([target[:, None], negatives], dim=1).softmax(dim=1)
    return -chance.log_softmax(dim=1)[:, 0]


def softmax_over_batch(target: Target, negatives: Negatives) -> Target:
    """Cross-entropy whose softmax goes over the rows of the score matrix, not its columns."""
    return -join_columns(target, negatives).log_softmax(dim=0).diagonal()


def _log_terms(target: Target, negatives: Negatives) -> Negatives:
    """log s_j p_j."""
    return negatives.log_softmax(dim=1) + logsigmoid(target[:, None] - negatives)


def log_inside(target: Target, negatives: Negatives) -> Target:
    """Mean of -log s_j p_j; dL/dr_i is that of BPR."""
    return -_log_terms(target, negatives).mean(dim=1)


def divided_again(target: Target, negatives: Negatives) -> Target:
    """Sum of -s_j log p_j, the weighted mean of BPR's terms, divided by N once more."""
    terms = logsigmoid(target[:, None] - negatives)
    return -(negatives.softmax(dim=1) * terms).mean(dim=1)


def target_in_softmax(target: Target, negatives: Negatives) -> Target:
    """BPR-max over all columns, the target's own too, where sigma(r_i - r_i) is one half."""
    return -_log_terms(target, torch.cat([target[:, None], negatives], dim=1)).logsumexp(dim=1)


def mean_inside(target: Target, negatives: Negatives) -> Target:
    """-log of the mean over the batch of sum_j s_j p_j, the same for each row."""
    mean = _log_terms(target, negatives).logsumexp(dim=1).exp().mean()
    return -mean.log().expand(len(target))


def _own_row(carry: Carry) -> Carry:
    """The state that stands in the row when nothing is reset: a new session takes an old one's."""
    return torch.where(carry >= 0, carry, torch.arange(len(carry)))


def never_reset(carries: list[Carry]) -> list[Carry]:
    """No state is reset but in the first step."""
    return [carries[0], *map(_own_row, carries[1:])]


def late_reset(carries: list[Carry]) -> list[Carry]:
    """Each state is reset one step late: after the first click of the session."""
    wrong = [carries[0]]
    for before, carry in zip(carries, carries[1:], strict=False):
        row = _own_row(carry)
        wrong.append(torch.where(before[row] < 0, -1, row))
    return wrong


def stale_reset(carries: list[Carry]) -> list[Carry]:
    """Rows in which a session has started are reset in each step, until others start."""
    wrong = []
    mask = carries[0] < 0
    for carry in carries:
        starts = carry < 0
        mask = starts if starts.any() else mask[: len(carry)]
        wrong.append(torch.where(mask, -1, carry))
    return wrong


def shuffled(sessions: Sessions, rng: np.random.Generator) -> Sessions:
    """The same clicks, those of each session in any order."""
    order = np.lexsort((rng.random(sessions.n_clicks), sessions.session_of_click))
    return replace(sessions, items=sessions.items[order])


class _NoReset:
    """A model whose rows keep their states when a session ends."""

    def __init__(self, model: Recommender, _test_set: Sessions):
        self.item_ids, self.start, self.scores = model.item_ids, model.start, model.scores
        self._advance = model.advance

    def advance(self, inputs: Tensor, state: Any, carry: Tensor) -> Any:
        row = _own_row(carry)
        # Evaluation fills up its rows; those that have no state yet start.
        return self._advance(inputs, state, row.where(row < len(state[0]), -1))


def _renumbered(model: Recommender, test_set: Sessions) -> Recommender:
    """The model with its items numbered anew, in the order in which the test clicks them."""
    clicked = test_set.with_items(model.item_ids).items
    anew = list(dict.fromkeys([*clicked.tolist(), *range(len(model.item_ids))]))
    return Recommender(model.network, model.item_ids[anew], model.config)


def _accumulators_at_one(step: Step) -> None:
    for sums in step.optimiser.accumulated.values():
        sums.fill_(1.0)


def _small_weights(step: Step) -> None:
    random = generator(0, "small weights")
    with torch.no_grad():
        for name, weight in step.network.named_parameters():
            if "bias" not in name:
                weight.uniform_(-0.01, 0.01, generator=random)


_BY_HAND = "numbers of two rows by hand"
_ONE_ROW = "each row alone gives the same"
_TWO_SESSIONS = "a session gives the same scores after another one"
_XE = "cross-entropy"
BUGS: Mapping[str, Bug] = MappingProxyType(
    {
        "sound, BPR-max": Bug("nothing", 0),
        "sound, XE": Bug("nothing", 0, loss=_XE),
        "late reset": Bug(
            "states are reset one step late", 1, _TWO_SESSIONS, resets=late_reset
        ),
        "stale reset": Bug(
            "a row is reset again and again until another session starts", 1,
            "a session's state depends on all of its clicks", resets=stale_reset,
        ),
        "never reset": Bug("states are never reset", 1, _TWO_SESSIONS, resets=never_reset),
        "no reset in the test": Bug(
            "evaluation does not reset states", 2, "ranks do not depend on the batch size",
            judged=_NoReset,
        ),
        "double softmax": Bug(
            "a softmax goes into a loss that takes one itself", 3, _BY_HAND, _XE, double_softmax
        ),
        "log inside": Bug(
            "BPR-max: the log of each term, not of the sum", 4, _BY_HAND, value=log_inside
        ),
        "divided by N": Bug(
            "BPR-max: mean of weighted terms, so divided by N once more", 4, _BY_HAND,
            value=divided_again,
        ),
        "target in softmax": Bug(
            "BPR-max: the target's own column is among its negatives", 4, _BY_HAND,
            value=target_in_softmax,
        ),
        "batch mean in log": Bug(
            "BPR-max: the mean over the batch inside the log", 4, _ONE_ROW, value=mean_inside
        ),
        "keep for drop": Bug(
            "dropout .1 is read as the share to keep", 5, "dropout 0 changes nothing",
            settings={"dropout_p_hidden": 0.9},
        ),
        "logq added": Bug("logq with the wrong sign", 6, _BY_HAND, _XE, logq=-1.0),
        "logq missing": Bug("no logq", 6, _BY_HAND, _XE, logq=0.0),
        "items renumbered": Bug(
            "item numbers are made anew from the test file", 7,
            "a named item has the same number in both files", judged=_renumbered,
        ),
        "clicks shuffled": Bug(
            "clicks of a session lose their order", 8, "times rise within a session",
            clicks=shuffled,
        ),
        "softmax over batch": Bug(
            "the softmax goes over the wrong axis", 9, _ONE_ROW, _XE, softmax_over_batch
        ),
        "sums from 1": Bug(
            "Adagrad's sums start at 1", 10, "the first step is as long as the learning rate",
            start=_accumulators_at_one,
        ),
        "weights of .01": Bug(
            "first weights between -.01 and .01", 10, "their size against Glorot's",
            start=_small_weights,
        ),
    }
)  # fmt: skip
