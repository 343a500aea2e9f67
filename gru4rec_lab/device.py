"""Where tensors live, and random numbers that depend on the seed and the purpose alone."""

import zlib

import torch
from jaxtyping import Float
from torch import Tensor

# How strongly something acts: a number, 0 for not at all; or a number that lives on a device.
Strength = float | Float[Tensor, ""]


def best_device() -> torch.device:
    """What "auto" stands for: CUDA, then MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" is `best_device`.

    Raises:
        ValueError: no such device here.
    """
    if name == "auto":
        return best_device()
    try:
        device = torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, ImportError):  # each kind of device has its own
        device = None
    if device is None or device.type == "meta":  # whose tensors hold no numbers
        raise ValueError(
            f"no device {name!r} here, only {', '.join(_devices())} (torch {torch.__version__}); "
            "device='auto' takes the best of them"
        )
    return device


def _devices() -> list[str]:
    found = torch.accelerator.current_accelerator(check_available=True)
    count = torch.accelerator.device_count() if found else 0
    return ["cpu", *(f"{found.type}:{number}" for number in range(count))]


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for each purpose, so that more dropout never means other negatives."""
    made = torch.Generator(device=device)
    made.manual_seed(zlib.crc32(f"{seed}/{purpose}".encode()))
    return made


def acts(strength: Strength) -> bool:
    """Whether a strength is not 0; one on a device acts, as asking for it would wait."""
    return isinstance(strength, Tensor) or strength != 0
