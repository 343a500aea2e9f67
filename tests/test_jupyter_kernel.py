"""The lab in a real kernel, as a notebook has it: interrupted and restarted while it trains."""

import os

import pytest
from jupyter_client import KernelManager

pytestmark = pytest.mark.slow

MAKE = """
from gru4rec_lab import Config, load_sessions
from gru4rec_lab.widgets import TrainingLab
stops = load_sessions("world:cycle", n_sessions=200, n_items=30)
config = Config(layers=(8,), loss="bpr", n_sample=16, n_epochs=4000, batch_size=16, device="cpu")
lab = TrainingLab(stops, config)
lab.start()
while lab.run.steps < 5:
    pass
print(lab.state)
"""
GOES_ON = """
import time
steps, wait = lab.run.steps, time.monotonic() + 30
while lab.run.steps < steps + 5 and time.monotonic() < wait:
    time.sleep(.01)
print(lab.state, lab.run.steps >= steps + 5, lab.error == "")
"""
TRAINING = """
import threading
print([thread.name for thread in threading.enumerate() if thread.name == "gru4rec-training"])
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"OMP_NUM_THREADS": "1"})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def printed(client, code):
    """What the cell prints, and the name of the error that it ends with."""
    said, error = [], None

    def note(message):
        nonlocal error
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])
        elif message["msg_type"] == "error":
            error = message["content"]["ename"]

    client.execute_interactive(code, timeout=120, output_hook=note, allow_stdin=False)
    return "".join(said).strip(), error


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupt_ends_the_cell_and_not_the_training(kernel):
    manager, client = kernel
    assert printed(client, MAKE) == ("running", None)
    # The next cell may come before the kernel has dealt with the error, and is not to be aborted.
    cell = "import time\nprint('waits', flush=True)\ntime.sleep(60)"
    waiting = client.execute(cell, stop_on_error=False)
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] == waiting
    assert printed(client, GOES_ON) == ("running True True", None)
    assert printed(client, "lab.stop(); print(lab.state)") == ("stopped", None)
    assert printed(client, TRAINING) == ("[]", None)


def test_an_interrupted_kernel_with_no_cell_running_trains_on(kernel):
    manager, client = kernel
    printed(client, MAKE)
    manager.interrupt_kernel()
    assert printed(client, GOES_ON) == ("running True True", None)


def test_running_the_cell_again_leaves_one_training_thread(kernel):
    _, client = kernel
    for _ in range(3):
        assert printed(client, MAKE) == ("running", None)
    assert printed(client, TRAINING) == ("['gru4rec-training']", None)


def test_a_restart_while_training_leaves_no_process_and_a_fresh_cell_works(kernel):
    manager, client = kernel
    printed(client, MAKE)
    pid = int(printed(client, "import os; print(os.getpid())")[0])
    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=120)
    assert not alive(pid)
    assert printed(client, "lab")[1] == "NameError"
    assert printed(client, MAKE) == ("running", None)
    assert printed(client, GOES_ON) == ("running True True", None)
