"""What tests of the TrainingLab share: a tiny setting and ways to wait for a run."""

import threading
import time

from gru4rec_lab import Config

TINY = Config(
    layers=(8,), loss="bpr", n_sample=16, n_epochs=400, batch_size=16, learning_rate=0.1,
    report_every=5, device="cpu",
)  # fmt: skip


def training_threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("gru4rec")}


def until(claim, seconds=60):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def finished(lab):
    lab.start()
    until(lambda: lab.state == "finished")
    lab.update()
    return lab
