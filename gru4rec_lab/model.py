"""The network: embed the click, advance the GRU, score items. The caller keeps the hidden state.

Input modes: constrained (the output table is the input embedding, [H18]), separate (a table of its
own) and one-hot (each item picks its row of the GRU's input weights). There is no back-propagation
through time: the state of the previous step is a constant, as in the official code.

Source
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Hidden = list[Float[Tensor, "_ _"]]  # [rows, units] of each layer, the lowest first


class Network(nn.Module):
    """GRU4Rec's parameters and equations.

    Attributes:
        items: [items, units] output embedding, and the input embedding in constrained mode.
        bias: [items, 1] output bias.
        inputs: [items, embedding] or [items, 3 units] input table of the separate or one-hot mode.
        layers: the GRU cells, the lowest first.
    """

    def __init__(
        self,
        n_items: int,
        layers: tuple[int, ...],
        *,
        embedding: int = 0,
        constrained_embedding: bool = True,
        cell: str = "gru",
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        units = layers[-1]
        self.items = nn.Parameter(torch.empty(n_items, units))
        self.bias = nn.Parameter(torch.zeros(n_items, 1))
        self.inputs = None
        self.one_hot = not constrained_embedding and embedding == 0
        width = units
        if not constrained_embedding:
            width = embedding or 3 * layers[0]
            self.inputs = nn.Parameter(torch.empty(n_items, width))
        make = CELLS[cell]
        first = OneHotCell(layers[0]) if self.one_hot else make(width, layers[0])
        upper = [make(below, above) for below, above in zip(layers, layers[1:], strict=False)]
        self.layers = nn.ModuleList([first, *upper])
        self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator | None) -> None:
        """Draw weights uniformly within Glorot's bound for one gate's block; biases become 0."""
        _glorot(self.items, self.n_items, self.items.shape[1], generator)
        if self.inputs is not None:
            width = self.layers[0].hidden_size if self.one_hot else self.inputs.shape[1]
            _glorot(self.inputs, self.n_items, width, generator)
        for layer in self.layers:
            for name, parameter in layer.named_parameters():
                if "bias" in name:
                    parameter.zero_()
                else:
                    fan_in = layer.input_size if name == "weight_ih" else layer.hidden_size
                    _glorot(parameter, fan_in, layer.hidden_size, generator)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    def input_table(self) -> tuple[str, Tensor]:
        """Name and tensor of the table that input items are looked up in."""
        return ("items", self.items) if self.inputs is None else ("inputs", self.inputs)

    def start(self, batch_size: int) -> Hidden:
        """The hidden state of `batch_size` sessions before their first click: zeros."""
        sizes = [layer.hidden_size for layer in self.layers]
        return [self.items.new_zeros(batch_size, units) for units in sizes]

    def advance(
        self, inputs: Int[Tensor, "batch"], hidden: Hidden, carry: Int[Tensor, "batch"]
    ) -> Hidden:
        """The hidden state after each session's click; see `carried` for `carry`."""
        _, table = self.input_table()
        return self.forward(table[inputs], carried(hidden, carry))

    def forward(
        self, clicked: Float[Tensor, "batch width"], hidden: Hidden, dropout=None
    ) -> Hidden:
        """The next hidden state from rows of the input table; `dropout` acts on each layer's."""
        after = []
        for layer, before in zip(self.layers, hidden, strict=True):
            clicked = layer(clicked, before)
            if dropout is not None:
                clicked = dropout(clicked)
            after.append(clicked)
        return after

    def scores(
        self, hidden: Hidden, items: Int[Tensor, "columns"] | None = None
    ) -> Float[Tensor, "batch columns"]:
        """Scores of the given items (all, if None) for each session, without ELU."""
        table, bias = self.items, self.bias
        if items is not None:
            table, bias = table[items], bias[items]
        return torch.addmm(bias.T, hidden[-1], table.T)


class OneHotCell(nn.Module):
    """The GRU of the one-hot mode: one bias, the reset gate acts before the recurrent product.

    v = row of the item + b;  r = sigma(v_r + h W_r);  z = sigma(v_z + h W_z);
    c = tanh(v_c + (r h) W_c);  h' = (1 - z) h + z c
    """

    def __init__(self, units: int):
        super().__init__()
        self.hidden_size = units
        self.recurrent_gates = nn.Parameter(torch.empty(units, 2 * units))
        self.recurrent_candidate = nn.Parameter(torch.empty(units, units))
        self.bias = nn.Parameter(torch.zeros(3 * units))

    def forward(self, row: Float[Tensor, "batch width"], hidden: Float[Tensor, "batch units"]):
        """The next hidden state [B, units]; blocks of `row` are candidate, reset, update."""
        units = self.hidden_size
        candidate, gates = (row + self.bias).split([units, 2 * units], dim=1)
        reset, update = torch.sigmoid(gates + hidden @ self.recurrent_gates).chunk(2, dim=1)
        candidate = torch.tanh(candidate + (reset * hidden) @ self.recurrent_candidate)
        return torch.lerp(hidden, candidate, update)


class FeedForwardCell(nn.Module):
    """A GRU without memory, h' = tanh(W x + b): what is left when only the last click counts."""

    def __init__(self, width: int, units: int):
        super().__init__()
        self.input_size, self.hidden_size = width, units
        self.weight_ih = nn.Parameter(torch.empty(units, width))
        self.bias_ih = nn.Parameter(torch.zeros(units))

    def forward(self, clicked: Float[Tensor, "batch width"], hidden: Float[Tensor, "batch units"]):
        """The next hidden state [B, units]; it does not depend on the one before."""
        return torch.tanh(clicked @ self.weight_ih.T + self.bias_ih)


class GruCell(nn.GRUCell):
    """torch's cell; `Network` draws its weights."""

    def reset_parameters(self) -> None:
        """Draw nothing; torch would, by its global generator. skip_init loads sympy for 0.5 s."""


CELLS = {"gru": GruCell, "feed-forward": FeedForwardCell}


def carried(hidden: Hidden, carry: Int[Tensor, "batch"]) -> Hidden:
    """The states that go on in each row: row `carry[b]` of the previous step, zeros for -1."""
    goes_on = (carry >= 0).to(hidden[0].dtype)[:, None]
    return [layer.detach()[carry.clamp(min=0)] * goes_on for layer in hidden]


def _glorot(
    parameter: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None
) -> None:
    bound = (6 / (fan_in + fan_out)) ** 0.5
    parameter.uniform_(-bound, bound, generator=generator)
