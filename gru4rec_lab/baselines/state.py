"""What a baseline remembers of the sessions under way: the last click, or all clicks so far."""

import torch
from jaxtyping import Int
from torch import Tensor


class LastClick:
    """State: [batch] the last click of each row."""

    def start(self, batch_size: int) -> None:
        """Nothing: there is no click yet."""

    def advance(
        self, inputs: Int[Tensor, "batch"], state, carry: Int[Tensor, "batch"]
    ) -> Int[Tensor, "batch"]:
        """The clicks of this step; nothing goes on from the step before."""
        return inputs


class AllClicks:
    """State: [batch, clicks] the clicks of each row, the latest first, -1 where there is none."""

    def start(self, batch_size: int) -> Int[Tensor, "batch 0"]:
        """No clicks."""
        return torch.empty(batch_size, 0, dtype=torch.int64)

    def advance(
        self,
        inputs: Int[Tensor, "batch"],
        state: Int[Tensor, "rows clicks"],
        carry: Int[Tensor, "batch"],
    ) -> Int[Tensor, "batch more"]:
        """The clicks of this step, then those of the row that goes on."""
        before = torch.where((carry >= 0)[:, None], state[carry.clamp(min=0)], -1)
        longest = int((before >= 0).sum(dim=1).max()) if before.numel() else 0
        return torch.cat([inputs[:, None], before[:, :longest]], dim=1)
