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
        worlds: name to the sessions to train on and those that judge, for the bugs.
        worlds_data: what these are, for their table.
        worlds_config: what the trainings with bugs have in common.
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
    worlds: dict[str, tuple[Sessions, Sessions]]
    worlds_data: str
    worlds_config: Config


WORLDS = ("world:markov", "world:memory", "world:intent")


def _worlds(n_sessions: int) -> dict[str, tuple[Sessions, Sessions]]:
    loaded = {name: load_sessions(name, n_sessions=n_sessions).filtered() for name in WORLDS}
    return {name: sessions.split_last(fraction=0.2) for name, sessions in loaded.items()}


def full() -> Plan:
    """Flights, and made-up worlds for the bugs, in some 12 minutes of one core."""
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
        worlds=_worlds(1000),
        worlds_data="synthetic worlds of 1,000 sessions each, the last fifth of them to rank; "
        "48 units, 64 samples, learning rate .15, 3 epochs, seeds 0, 1, 2",
        worlds_config=Config(
            layers=(48,),
            batch_size=32,
            n_sample=64,
            learning_rate=0.15,
            n_epochs=3,
            logq=1.0,
            device="cpu",
        ),
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
        worlds=_worlds(40),
        worlds_data="tiny worlds, to try the script; the numbers mean nothing",
        worlds_config=Config(
            layers=(8,), batch_size=8, n_sample=4, n_epochs=1, logq=1.0, device="cpu"
        ),
    )
