"""What one training step sees: the sessions in its rows and the items in its columns.

Row k of the [B, B + N] score matrix is the session in row k of the batch. Its columns are the B
targets of the batch, the row's own on the diagonal, and N extra samples; all but its own are its
negatives.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..batches import Batch, session_parallel
from ..data.sessions import Sessions
from ..device import generator
from ..recommender import Recommender
from ..sampling import Sampler, copies, popularity_weight


class Role(IntEnum):
    """What an item of a column is to a row."""

    TARGET = 0
    OTHER_TARGET = 1
    EXTRA = 2
    COPY = 3


def column_roles(
    targets: Int[Tensor, "batch"], extra: Int[Tensor, "n_sample"]
) -> Int[Tensor, "batch columns"]:
    """The `Role` of each column for each row; a negative that is the row's own target is a COPY."""
    n_rows, n_columns = len(targets), len(targets) + len(extra)
    of_column = torch.full((n_columns,), Role.EXTRA, device=targets.device)
    of_column[:n_rows] = Role.OTHER_TARGET
    roles = of_column.repeat(n_rows, 1).masked_fill(copies(targets, extra), Role.COPY)
    return roles.fill_diagonal_(Role.TARGET)


@dataclass(frozen=True, eq=False)
class Window:
    """Some steps in a row; every array is [rows, steps], with -1 where no session is left.

    Attributes:
        first: number of the first step.
        session: index of the session in each row.
        click: place of the input click in its session; 0 where a session starts.
        inputs: the item it has just clicked.
        targets: the item it clicks next.
    """

    first: int
    session: np.ndarray
    click: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class StepView:
    """One step as the loss sees it.

    Attributes:
        step: its number in the epoch, from 0.
        batch: inputs, targets and carry.
        session: [B] index of the session in each row.
        click: [B] place of the input click in its session, from 0.
        extra: [N] the extra samples.
        scores: [B, B + N] the model's scores of the columns, linear.
        roles: [B, B + N] the `Role` of every entry.
    """

    step: int
    batch: Batch
    session: np.ndarray
    click: np.ndarray
    extra: Int[Tensor, "n_sample"]
    scores: Float[Tensor, "batch columns"]
    roles: Int[Tensor, "batch columns"]

    @property
    def copies(self) -> list[tuple[int, int]]:
        """(row, column) of every negative that is the row's own target."""
        return [tuple(place) for place in (self.roles == Role.COPY).nonzero().tolist()]

    @property
    def ranks(self) -> Int[Tensor, "batch"]:
        """Number of columns that score above each row's target."""
        return (self.scores > self.scores.diagonal()[:, None]).sum(dim=1)


class Replay:
    """A model reads sessions side by side as in training, and nothing is trained.

    Attributes:
        sessions: what it reads.
        schedule: the steps.
    """

    def __init__(
        self,
        model: Recommender,
        sessions: Sessions,
        batch_size: int,
        *,
        support: Int[Tensor, "items"] | None = None,
        sample_alpha: float = 0.5,
        most_extra: int = 32,
        seed: int = 0,
    ):
        """A replay of `sessions`, whose items are those of the model.

        Extra samples are drawn by `support` (that of `sessions`, if None) to the power
        `sample_alpha`; those of a step stay the same and `view` takes the first of them.

        Raises:
            ValueError: other items than the model's, or what `session_parallel` refuses.
        """
        if not np.array_equal(sessions.item_ids, model.item_ids):
            raise ValueError(
                f"the sessions have {sessions.n_items:,} items, the model {len(model.item_ids):,}; "
                "bring them together with sessions.with_items(model.item_ids)"
            )
        self._model, self.sessions = model, sessions
        self.schedule = session_parallel(sessions, batch_size)
        counted = torch.as_tensor(sessions.support) if support is None else support
        weight = popularity_weight(counted, sample_alpha)
        draws = Sampler(weight, generator=generator(seed, "replay"))
        self._extra = draws.draw(most_extra * len(self.schedule)).view(-1, most_extra)
        self._hidden = [model.start(batch_size)]

    def __len__(self) -> int:
        return len(self.schedule)

    def first_step(self, session: int) -> int:
        """The step in which a session starts."""
        second_click = self.sessions.offsets[session] + 1
        place = int(np.flatnonzero(self.schedule.target_click == second_click)[0])
        ends = np.cumsum([len(batch.targets) for batch in self.schedule])
        return int(np.searchsorted(ends, place, side="right"))

    def window(self, first: int, n_steps: int) -> Window:
        """`n_steps` steps from step `first` on."""
        n_rows = len(self.schedule[0].targets)
        session, click, inputs, targets = np.full((4, n_rows, n_steps), -1)
        for column, step in enumerate(range(first, min(first + n_steps, len(self)))):
            batch = self.schedule[step]
            rows = len(batch.targets)
            session[:rows, column], click[:rows, column] = self._places(step)
            inputs[:rows, column], targets[:rows, column] = batch.inputs, batch.targets
        return Window(first, session, click, inputs, targets)

    @torch.no_grad()
    def view(self, step: int, n_sample: int = 0) -> StepView:
        """Step `step` with the first `n_sample` of its extra samples.

        Raises:
            ValueError: more extra samples than `most_extra`.
        """
        if not 0 <= n_sample <= self._extra.shape[1]:
            raise ValueError(f"n_sample must be 0 to {self._extra.shape[1]}, got {n_sample}")
        batch, extra = self.schedule[step], self._extra[step, :n_sample]
        columns = torch.cat([batch.targets, extra]).to(self._model.device)
        scores = self._model.network.scores(self._state(step), columns).cpu()
        session, click = self._places(step)
        roles = column_roles(batch.targets, extra)
        return StepView(step, batch, session, click, extra, scores, roles)

    def _places(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        target_click = self.schedule.target_click[self.schedule.rows(step)]
        session = self.sessions.session_of_click[target_click]
        return session, target_click - 1 - self.sessions.offsets[session]

    def _state(self, step: int) -> list[Tensor]:
        """The hidden state after the clicks of a step; earlier steps are read once."""
        while len(self._hidden) <= step + 1:
            batch = self.schedule[len(self._hidden) - 1]
            inputs, carry = (part.to(self._model.device) for part in (batch.inputs, batch.carry))
            self._hidden.append(self._model.advance(inputs, self._hidden[-1], carry))
        return self._hidden[step + 1]
