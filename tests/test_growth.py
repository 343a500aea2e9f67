"""A training step costs the same whatever the catalogue holds: it touches the rows of its items."""

import tracemalloc

import pytest
import torch

from gru4rec_lab.batches import Batch
from gru4rec_lab.config import Config
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.model import Network
from gru4rec_lab.sampling import Sampler, popularity_weight
from gru4rec_lab.training.choice import choose_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.step import Step
from tests.watching import Watch

N_ITEMS, ROWS, SAMPLES = 1_000_003, 4, 16
# These find or replace single rows of a table; a view of it is no copy.
BY_ROW = {"index", "index_put_", "index_copy_", "detach", "t", "view", "alias"}
MODES = {
    "constrained": {},
    "separate": {"constrained_embedding": False, "embedding": 2},
    "one-hot": {"constrained_embedding": False},
}


class Trainer:
    """A step over a million items, and the batches and samples for it."""

    def __init__(self, name="plain", loss="cross-entropy", **mode):
        config = Config(layers=(2,), loss=loss, n_sample=SAMPLES, logq=1.0, momentum=0.1, **mode)
        self.settings, self.draw = Settings.of(config), torch.Generator().manual_seed(1)
        network = Network(N_ITEMS, (2,), generator=self.draw, **mode)
        support = torch.randint(1, 9, (N_ITEMS,), generator=self.draw)
        plain = Step(network, support, batch_size=ROWS, dropout_p_hidden=0.2, generator=self.draw)
        self.step = choose_step(name, plain, self.settings)
        weight = popularity_weight(support, 0.5)
        self.sampler = Sampler(weight, generator=self.draw, search=self.step.search)
        self.step.set_sampling_weight(weight, 0.5)
        for _ in range(2):  # what is made once is made
            self()

    def __call__(self, rows=ROWS):
        inputs, targets = torch.randint(N_ITEMS, (2, rows), generator=self.draw)
        carry = torch.arange(rows)
        self.step(Batch(inputs, targets, carry), self.sampler.draw(SAMPLES), self.settings)


def large(operation):
    """Whether an operation reads or writes a whole table, instead of some of its rows."""
    shapes = operation.reads + operation.writes
    whole = any(torch.Size(shape).numel() >= N_ITEMS for shape in shapes)
    made = any(torch.Size(shape).numel() >= N_ITEMS for shape in operation.writes)
    return whole and (operation.name not in BY_ROW or operation.name == "index" and made)


@pytest.mark.parametrize("mode", MODES)
def test_no_operation_of_a_step_reads_or_writes_a_whole_table(mode):
    trainer = Trainer(**MODES[mode])
    with Watch() as watch:
        trainer()
        trainer(rows=2)
    assert len(watch.operations) > 100
    assert {operation.name for operation in watch.operations if large(operation)} == set()


def test_an_operation_on_a_whole_table_is_seen():
    weights = Trainer().step.network.items.detach()
    with Watch() as watch:
        weights.abs()
    assert [operation.name for operation in watch.operations if large(operation)] == ["abs"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["plain", "numba"])
def test_a_step_needs_no_memory_of_the_size_of_the_catalogue(name, mode):
    trainer = Trainer(name, **MODES[mode])
    tracemalloc.start()
    for rows in (ROWS, ROWS, ROWS - 1, 2):  # the tail too
        trainer(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < N_ITEMS


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_of_a_step_reads_a_whole_table(loss):
    trainer = Trainer(loss=loss)
    with Watch() as watch:
        trainer()
    assert not any(map(large, watch.operations))
