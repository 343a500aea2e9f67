"""A GPU where there is none: tensors that say they are on "cuda" or "mps" and lie on the CPU.

Inside `pretended_gpu()` an operation on tensors of both devices raises as on a GPU, and so do
reading a tensor without `.cpu()`, drawing by a generator of another device, and float64 on MPS.
Numbers are those of the CPU: what a GPU rounds in another way is not seen. It holds for one thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map_only

CPU = torch.device("cpu")
# What torch itself is told: it would start CUDA for "cuda", and nothing for "meta".
STAND_IN = torch.device("meta")
MOVES = ("_to_copy", "copy_")
# Tables take indices from the CPU too.
INDEXES = ("index", "index_put", "index_put_", "_index_put_impl_")


class OnGpu(torch.Tensor):
    """A tensor whose numbers are those of `held`, on the CPU."""

    place = torch.device("cuda", 0)
    device = property(lambda self: self.place)

    @staticmethod
    def __new__(cls, held: torch.Tensor):
        if cls.place.type == "mps" and held.dtype == torch.float64:
            raise TypeError("the MPS framework doesn't support float64")
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, dtype=held.dtype, device=STAND_IN, **layout
        )
        made.held = held
        return made

    def numpy(self):
        raise TypeError(f"can't convert a tensor on {self.device} to numpy; use Tensor.cpu() first")

    def __array__(self, *arguments, **named):
        return self.numpy()

    def tolist(self):
        return self.cpu().tolist()

    def __repr__(self):
        return f"{self.held!r} on {self.device}"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})


class Generator(torch.Generator):
    """A generator that says on which device it is."""

    def __new__(cls, device: torch.device | str = CPU):
        made = super().__new__(cls, CPU)
        made.place = torch.device(device)
        return made

    device = property(lambda self: self.place)


def _run(function, args: tuple, kwargs: dict):
    """The operation, done on the CPU; its tensors are where a machine with a GPU has them."""
    name = function._schema.name.removeprefix("aten::")
    tensors = [leaf for leaf in tree_iter((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, OnGpu)]
    # Single numbers may be on the CPU.
    here = [tensor for tensor in tensors if not isinstance(tensor, OnGpu) and tensor.dim()]
    takes_both = name in MOVES or (name in INDEXES and isinstance(tensors[0], OnGpu))
    if there and here and not takes_both:
        raise RuntimeError(f"{name}: all tensors must be on one device; {here[0].shape} is on cpu")
    on_gpu = bool(there)
    if (device := kwargs.get("device")) is not None:
        on_gpu, kwargs = device.type == STAND_IN.type, kwargs | {"device": CPU}
    args, kwargs = tree_map_only(OnGpu, lambda tensor: tensor.held, (args, kwargs))
    result = function(*args, **kwargs)
    if not on_gpu:
        return result
    known = {id(tensor.held): tensor for tensor in there}  # what works in place returns its own
    return tree_map_only(
        torch.Tensor, lambda new: known[id(new)] if id(new) in known else OnGpu(new), result
    )


class _Operations(TorchDispatchMode):
    """Sees tensors that are made of none."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})


class _Calls(TorchFunctionMode):
    """Tells torch of the stand-in where the library names the GPU."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.device:
            return function(*args, **kwargs)
        if kwargs.get("generator") is not None:
            _check_generator(kwargs["generator"], kwargs.get("device"), *args)
        if function in (torch.tensor, torch.as_tensor):  # these look at the device by themselves
            device = kwargs.pop("device", None) or CPU
            return function(*args, **kwargs).to(_told(device))
        told = {name: _told(value) for name, value in kwargs.items()}
        return function(*map(_told, args), **told)


def _check_generator(generator: torch.Generator, device, like=None, *rest) -> None:
    device = torch.device(device or getattr(like, "device", CPU))
    if generator.device.type != device.type:
        raise RuntimeError(f"a generator on {generator.device} for a tensor on {device}")


def _told(value):
    named = isinstance(value, str | torch.device) and str(value).startswith(OnGpu.place.type)
    return STAND_IN if named else value


@contextmanager
def pretended_gpu(name: str = "cuda") -> Iterator[torch.device]:
    """Such a device is there, in this thread."""
    device = torch.device(name, 0)
    with (
        patch("gru4rec_lab.device.best_device", lambda: device),
        patch("torch.Generator", Generator),
        patch.object(OnGpu, "place", device),
        _Operations(),
        _Calls(),
    ):
        yield device
