"""Adagrad with heavy-ball momentum, on the rows a step touched. [H18].

    acc += g^2;  d = g / sqrt(acc + 1e-6);  v = momentum v - lr d;  parameter += v

The authors call the momentum Nesterov's; their code, and this, is the classical one. Rows of an
item table that a step does not touch keep their velocity and do not move.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag

from ..device import Strength, acts

EPS = 1e-6


@dataclass(frozen=True)
class Repeats:
    """Where the same items stand in a list, so that what belongs to one item can be added up.

    No sizes depend on the items, so nothing waits for the device.

    Attributes:
        order: the places of the list, sorted by item, those of one item in the list's order.
        ends: [places] where each bag of `order` begins: the places of an item are one bag, the
            bag of its first place there; all others are empty.
        bag: [places] the bag of each place's item.
    """

    order: Int[Tensor, "places"]
    ends: Int[Tensor, "places"]
    bag: Int[Tensor, "places"]

    @classmethod
    def of(cls, items: Int[Tensor, "places"]) -> "Repeats":
        """The repeats in a list of items."""
        ordered, order = items.sort(stable=True)
        first = torch.searchsorted(ordered, ordered)
        behind = torch.searchsorted(ordered, ordered, right=True)
        place = torch.arange(len(items), device=items.device)
        bag = torch.searchsorted(ordered, items)
        return cls(order, torch.where(first == place, first, behind), bag)

    def total(self, values: Float[Tensor, "places width"]) -> Float[Tensor, "places width"]:
        """For each place the sum of the values of its item, added in the list's order.

        The order makes runs repeat bit for bit: `index_add_` adds on CUDA as threads happen to run.
        """
        return embedding_bag(self.order, values, self.ends, mode="sum")[self.bag]


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

    @torch.no_grad()
    def update(self, gradients: Mapping[str, Tensor], *, lr: Strength, momentum: Strength) -> None:
        """Update the whole parameters whose gradients are given by name, all at once."""
        by, names = list(gradients.values()), list(gradients)
        accumulated = [self.accumulated[name] for name in names]
        torch._foreach_addcmul_(accumulated, by, by)
        move = torch._foreach_add(accumulated, EPS)
        torch._foreach_rsqrt_(move)
        torch._foreach_mul_(move, -lr)
        torch._foreach_mul_(move, by)
        if acts(momentum) or self.velocity:
            velocity = [self.keep_velocity(name) for name in names]
            torch._foreach_mul_(velocity, momentum)
            torch._foreach_add_(velocity, move)
            move = velocity
        torch._foreach_add_([self.parameters[name] for name in names], move)

    @torch.no_grad()
    def update_rows(
        self,
        name: str,
        rows: Int[Tensor, "rows"],
        gradient: Float[Tensor, "rows units"],
        *,
        lr: Strength,
        momentum: Strength,
    ) -> None:
        """Update the given rows of table `name`; a repeated row has its whole gradient each time.

        Every copy of a row then computes the same new value, and writing it twice is writing it
        once.
        """
        table, accumulated = self.parameters[name], self.accumulated[name]
        squared = accumulated[rows].addcmul_(gradient, gradient)
        accumulated.index_copy_(0, rows, squared)
        move = gradient * (squared + EPS).rsqrt_().mul_(-lr)
        if acts(momentum) or name in self.velocity:
            velocity = self.keep_velocity(name)
            move = velocity[rows].mul_(momentum).add_(move)
            velocity.index_copy_(0, rows, move)
        table.index_copy_(0, rows, table[rows].add_(move))

    def keep_velocity(self, name: str) -> Tensor:
        """The velocity of parameter `name`; zeros when it is first asked for."""
        if name not in self.velocity:
            self.velocity[name] = torch.zeros_like(self.parameters[name])
        return self.velocity[name]
