"""What is trained, on what, and when it is observed."""

from dataclasses import dataclass

from gru4rec_lab import Config, Sessions, load_sessions, load_split

# One learning rate for all of them, .2: BPR gains by it, and BPR-max collapses at twice as much.
VARIANTS = {
    "top1": {"loss": "top1"},
    "bpr": {"loss": "bpr"},
    "top1-max": {"loss": "top1-max"},
    "bpr-max": {"loss": "bpr-max"},
    "cross-entropy": {"loss": "cross-entropy"},
    "bpr + elu": {"loss": "bpr", "shape_scores": "all", "bpreg": 0.0},
    "bpr + elu + regulariser": {"loss": "bpr", "shape_scores": "all"},
    "bpr-max, linear, no regulariser": {"loss": "bpr-max", "elu_param": 0.0, "bpreg": 0.0},
}
SEEDED = ("top1", "bpr", "top1-max", "bpr-max")  # these are trained with every seed
EARLY = 0.13


@dataclass(frozen=True)
class Plan:
    """Sessions and sizes of all measurements.

    Attributes:
        data: what the sessions are, for the tables.
        training, small: to train on; `small` for the grids, of which there are many cells.
        test, probe: later sessions: all of them, and those to observe with while models train.
        config: what all trainings have in common.
        n_sample: extra samples of the long trainings; the grids have fewer.
        epochs: when the long trainings are observed.
        curve_epochs: those of them with the gradients against rank.
        grid_epochs, long_epochs: when the trainings on `small` are observed.
        seeds: of the long trainings in `SEEDED`; the first one is that of all others.
        batch_sizes, alphas, grid_samples: the cells of the grids.
    """

    data: str
    training: Sessions
    small: Sessions
    test: Sessions
    probe: Sessions
    config: Config
    n_sample: int
    epochs: tuple[float, ...]
    curve_epochs: tuple[float, ...]
    grid_epochs: tuple[float, ...]
    long_epochs: tuple[float, ...]
    seeds: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    alphas: tuple[float, ...]
    grid_samples: tuple[int, ...]


def full() -> Plan:
    """Flights, in some 4 minutes of one core."""
    training, test = load_split("flights", recent=0.5)
    small, _ = load_split("flights")
    return Plan(
        data="flights: most recent 50 % of the training sessions (grids: 20 %), later flights to "
        "rank; routes of aircraft, not clicks of people",
        training=training,
        small=small,
        test=test,
        probe=test.with_targets(training.item_ids).sample(700),
        config=Config.preset("lab", learning_rate=0.2, device="cpu"),
        n_sample=2048,
        epochs=(0, 0.03, 0.06, EARLY, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3),
        curve_epochs=(EARLY, 1, 3),
        grid_epochs=(1, 2),
        long_epochs=(1, 2, 3, 4, 6, 8, 12),
        seeds=(0, 1, 2),
        batch_sizes=(32, 64, 128, 512),
        alphas=(0.0, 0.5, 1.0),
        grid_samples=(32, 512),
    )


def fast() -> Plan:
    """A tiny world, in seconds: does the script work?"""
    world = load_sessions("world:markov", n_sessions=300, n_items=60)
    training, test = world.filtered().split_last(fraction=0.3)
    return Plan(
        data="a tiny synthetic world, to try the script; the numbers mean nothing",
        training=training,
        small=training,
        test=test,
        probe=test.with_targets(training.item_ids).sample(40),
        config=Config.preset("lab", layers=(8,), batch_size=8, device="cpu"),
        n_sample=24,
        epochs=(0, EARLY, 1),
        curve_epochs=(EARLY, 1),
        grid_epochs=(1,),
        long_epochs=(1, 2),
        seeds=(0,),
        batch_sizes=(8, 16),
        alphas=(0.0, 1.0),
        grid_samples=(4,),
    )
