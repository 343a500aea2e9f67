"""Adagrad with heavy-ball momentum, on the rows a step touched. [H18].

    acc += g^2;  d = g / sqrt(acc + 1e-6);  v = momentum v - lr d;  parameter += v

The authors call the momentum Nesterov's; their code, and this, is the classical one. Rows of an
item table that a step does not touch keep their velocity and do not move.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

EPS = 1e-6


class Adagrad:
    """State and update of any number of parameters, each known by its tensor.

    Attributes:
        accumulated: sum of squared gradients of each parameter, by name.
        velocity: momentum of each parameter, by name; made when momentum is first above 0.
    """

    def __init__(self, parameters: dict[str, Tensor]):
        self.parameters = parameters
        self.accumulated = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.velocity: dict[str, Tensor] = {}
        # Where an item stands among the rows of a step; entries of other items are stale.
        self._place: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, name: str, gradient: Tensor, *, lr: float, momentum: float) -> None:
        """Update the whole parameter `name`."""
        accumulated = self.accumulated[name].addcmul_(gradient, gradient)
        move = gradient * (accumulated + EPS).rsqrt_().mul_(-lr)
        if momentum or name in self.velocity:
            move = self._velocity(name).mul_(momentum).add_(move)
        self.parameters[name].add_(move)

    @torch.no_grad()
    def update_rows(
        self,
        name: str,
        rows: Int[Tensor, "rows"],
        gradient: Float[Tensor, "rows units"],
        *,
        lr: float,
        momentum: float,
    ) -> None:
        """Update the given rows of table `name`; the gradients of a repeated row are added first.

        No sizes depend on which rows repeat, so nothing waits for the device: every copy of a row
        gets the row's whole gradient and computes the same new value, and writing it twice is
        writing it once.
        """
        table, accumulated = self.parameters[name], self.accumulated[name]
        if name not in self._place:
            self._place[name] = torch.zeros(len(table), dtype=torch.int64, device=table.device)
        place = self._place[name]
        place[rows] = torch.arange(len(rows), device=rows.device)
        first = place[rows]
        gradient = torch.zeros_like(gradient).index_add_(0, first, gradient)[first]
        squared = accumulated[rows].addcmul_(gradient, gradient)
        accumulated.index_copy_(0, rows, squared)
        move = gradient.mul_((squared + EPS).rsqrt_().mul_(-lr))
        if momentum or name in self.velocity:
            velocity = self._velocity(name)
            move = velocity[rows].mul_(momentum).add_(move)
            velocity.index_copy_(0, rows, move)
        table.index_copy_(0, rows, table[rows].add_(move))

    def _velocity(self, name: str) -> Tensor:
        if name not in self.velocity:
            self.velocity[name] = torch.zeros_like(self.parameters[name])
        return self.velocity[name]
