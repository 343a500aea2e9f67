"""Kills a training again and again, anywhere: python -m tests.killed PATH KILLS.

Prints, after each kill, the steps that the checkpoint at PATH has and how many unfinished files lie
beside it; the training then goes on from the checkpoint.
"""

import os
import random
import signal
import sys
from pathlib import Path

from gru4rec_lab import Config, load_sessions, train, train_from
from gru4rec_lab.storage import read_model
from gru4rec_lab.training.events import StepDone

CONFIG = Config(
    layers=(8,), batch_size=4, n_sample=8, n_epochs=1000, step="plain", device="cpu",
    dropout_p_hidden=0.2,
)  # fmt: skip


def sessions():
    return load_sessions("world:cycle", n_sessions=16, n_items=20, seed=2)


def trained(path, tell):
    """Train, with a checkpoint at each step, and write a byte to `tell` after each."""
    known, saved = sessions(), {"checkpoint": path, "checkpoint_every": 1}
    events = train_from(path, known) if path.exists() else train(CONFIG, known, **saved)
    for event in events:
        if isinstance(event, StepDone):
            os.write(tell, b".")


def kill_one(path, moments):
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        trained(path, tell)
    os.close(tell)
    for _ in range(moments.randrange(6)):
        os.read(told, 1)
    for _ in range(moments.randrange(400_000)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(told)


def main(path, kills):
    moments = random.Random(0)
    # What torch loads for a first step is then there for all.
    list(train(CONFIG.with_changes(n_epochs=1), sessions()))
    for _ in range(kills):
        kill_one(path, moments)
        n_done = read_model(path)[1]["run"]["n_done"] if path.exists() else -1
        print(n_done, len(list(path.parent.glob(".*.part"))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
