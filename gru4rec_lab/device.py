"""Where tensors live, and random numbers that depend on the seed and the purpose alone."""

import zlib

import torch
from jaxtyping import Float
from torch import Tensor

# How strongly something acts: a number, 0 for not at all; or a number that lives on a device.
Strength = float | Float[Tensor, ""]


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" is CUDA, then MPS, then CPU.

    Raises:
        ValueError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"no device {name!r} here ({reason}); device='auto' finds one") from None


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for each purpose, so that more dropout never means other negatives."""
    made = torch.Generator(device=device)
    made.manual_seed(zlib.crc32(f"{seed}/{purpose}".encode()))
    return made


def acts(strength: Strength) -> bool:
    """Whether a strength is not 0; one on a device acts, as asking for it would wait."""
    return isinstance(strength, Tensor) or strength != 0
