"""A CUDA graph as far as a CPU can have one: what runs is recorded, and done again from memory.

Nothing of Python runs again. Each operation is repeated with the very tensors and numbers that it
had, and what it returned is written where it was: a number that Python would have chosen anew, or a
tensor that lies elsewhere by now, shows as it would on a GPU.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = {"_local_scalar_dense", "nonzero", "_unique2", "masked_select"}


class RecordedCapture:
    """In the place of `graph_step.CudaCapture`; recording leaves everything as it was."""

    def __init__(self, device, generator):
        self._generator = generator

    def __call__(self, work):
        random = self._generator.get_state()
        recorder = _Recorder()
        try:
            with recorder:
                work()
        finally:
            recorder.undo()
            self._generator.set_state(random)
        return recorder.replay


class _Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self._operations, self._before = [], {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function._schema.name.removeprefix("aten::") in WAITS:
            raise RuntimeError("operation not permitted when stream is capturing")
        for argument, value in zip(function._schema.arguments, args, strict=False):
            if argument.alias_info is not None and argument.alias_info.is_write:
                self._keep(value)
        result = function(*args, **(kwargs or {}))
        self._operations.append((function, args, kwargs or {}, tree_leaves(result)))
        return result

    def _keep(self, value):
        for tensor in filter(torch.is_tensor, tree_leaves(value)):
            storage = tensor.untyped_storage()
            self._before.setdefault(storage.data_ptr(), (storage, storage.clone()))

    def undo(self):
        for storage, before in self._before.values():
            storage.copy_(before)

    @torch.no_grad()
    def replay(self):
        for function, args, kwargs, results in self._operations:
            again = tree_leaves(function(*args, **kwargs))
            for place, value in zip(results, again, strict=True):
                # A view, or what was changed in place, is up to date already.
                if torch.is_tensor(place) and place.data_ptr() != value.data_ptr():
                    place.copy_(value)
