"""Nearest neighbours of items, and the routes to judge them by."""

from importlib import import_module
from math import prod

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import Config, Recommender, load_sessions
from gru4rec_lab.data.flights import flight_routes, most_flown
from gru4rec_lab.diagnostics.neighbours import (
    N_COSINES,
    agreement,
    alike_in_use,
    item_vectors,
    nearest,
    neighbours,
)
from gru4rec_lab.recommender import network_of

from .watching import Watch

# The package may have a function of this name.
MODULE = import_module("gru4rec_lab.diagnostics.neighbours")
ITEMS = np.array(["a", "b", "c", "d"])
PLANE = torch.tensor([[1.0, 0.0], [3.0, 0.3], [0.0, 1.0], [-1.0, 0.1]])


def recommender(**changes):
    config = Config(layers=(2,), **changes)
    model = Recommender(network_of(config, len(ITEMS)), ITEMS, config)
    with torch.no_grad():
        model.network.items.copy_(PLANE)
    return model


def test_nearest_is_by_angle_not_by_length_and_never_the_item_itself():
    cosine, index = nearest(PLANE, 2)
    assert index.tolist() == [[1, 2], [0, 2], [1, 3], [2, 1]]
    assert cosine[0, 0] == pytest.approx(10 / 101**0.5)
    assert cosine[0, 1] == 0


@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_says_the_range(k):
    with pytest.raises(ValueError, match="k must be from 1 to 3"):
        nearest(PLANE, k)


def test_some_items_have_the_neighbours_that_they_have_among_all():
    vectors = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    items = torch.tensor([7, 0, 39])
    for some, among_all in zip(nearest(vectors, 5, items), nearest(vectors, 5), strict=True):
        torch.testing.assert_close(some, among_all[items])


def test_blocks_of_any_size_give_the_same_neighbours(monkeypatch):
    vectors = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    cosine, index = nearest(vectors, 3)
    for size in (1, 30, 99):
        monkeypatch.setattr(MODULE, "N_COSINES", size)
        torch.testing.assert_close(nearest(vectors, 3), (cosine, index))


def largest(watch):
    """Numbers in the largest tensor that an operation wrote."""
    return max(prod(shape) for done in watch.operations for shape in done.writes)


def of_size(n_items, width=8):
    config = Config(layers=(width,))
    return Recommender(network_of(config, n_items), np.arange(n_items), config)


def test_neighbours_of_one_item_cost_one_product_of_the_table_with_a_vector():
    with Watch() as watch:
        neighbours(of_size(3000), 5)
    assert [done.writes for done in watch.operations if done.name == "mm"] == [((1, 3000),)]
    assert largest(watch) <= 3000 * 24, "the tables themselves"


def test_memory_of_agreement_does_not_grow_with_the_pairs_of_items():
    model = of_size(3000)
    with Watch() as watch:
        agreement(model, {item: item % 3 for item in range(3000)})
    assert largest(watch) <= N_COSINES < 3000**2


def test_neighbours_are_named_best_first():
    found = neighbours(recommender(), "a", k=2)
    assert found.index.tolist() == ["b", "c"]
    assert found.index.name == "item"


def test_unknown_item_and_unknown_table_are_refused():
    with pytest.raises(ValueError, match="does not know the item 'z'"):
        neighbours(recommender(), "z")
    with pytest.raises(ValueError, match="choose one of output, input"):
        item_vectors(recommender(), "middle")


def test_constrained_has_one_table_and_separate_two():
    shared = recommender()
    assert item_vectors(shared, "input").data_ptr() == item_vectors(shared).data_ptr()
    two = recommender(constrained_embedding=False, embedding=3)
    assert item_vectors(two, "input").shape == (4, 3)
    assert item_vectors(recommender(constrained_embedding=False), "input").shape == (4, 6)


def test_agreement_by_hand():
    labels = dict(zip("abcd", "xxyy", strict=True))
    # nearest: a-b, b-a, c-b, d-c; 2 of 3 pairs with a given item differ
    assert agreement(recommender(), labels, k=1) == (3 / 4, pytest.approx(1 / 3))


def test_labels_of_agreement_may_be_anything_that_can_be_compared():
    labels = dict(zip("abcd", [("x", 1), ("x", 1), ("y", 1), ("y", 1)], strict=True))
    assert agreement(recommender(), labels, k=1) == (3 / 4, pytest.approx(1 / 3))


def test_an_item_without_a_label_is_named():
    with pytest.raises(KeyError, match="d"):
        agreement(recommender(), dict.fromkeys("abc", "x"), k=1)


def test_what_comes_next_and_what_came_before_by_hand():
    clicks = [(1, "a"), (1, "c"), (2, "b"), (2, "c"), (3, "b"), (3, "d"), (3, "z")]
    frame = pd.DataFrame(clicks, columns=["SessionId", "ItemId"]).assign(Time=range(7))
    # nearest: a-b, b-a, c-b, d-c; c follows a and b, d follows b; the model does not know z
    found = alike_in_use(recommender(), load_sessions(frame), k=1)
    assert found == (pytest.approx(2**0.5 / 4), pytest.approx(2**0.5 / 8))


def test_the_route_flown_most_often_counts():
    rows = [("UA1", "UA", "EWR", "SFO")] * 2 + [("UA1", "UA", "EWR", "LAX")]
    rows += [("B62", "B6", "JFK", "TPA"), ("B62", "B6", "JFK", "BOS")]
    table = pd.DataFrame(rows, columns=["item", "carrier", "origin", "dest"])
    found = most_flown(table)
    assert found.index.tolist() == ["B62", "UA1"]
    assert found.dest.tolist() == ["BOS", "SFO"]


def test_routes_of_the_flights_start_in_new_york():
    routes = flight_routes()
    assert set(routes.origin) == {"EWR", "JFK", "LGA"}
    assert routes.index.is_unique
    assert (routes.index.str[:2] == routes.carrier).all()
    with pytest.raises(ValueError, match="from 1 to 12"):
        flight_routes(months=[13])
