"""`Storages`: the bytes of every tensor that is alive, followed while PyTorch works, with the most that were alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class Storages:
    """Follows every storage that PyTorch makes, resizes and frees; views share the storage of their base.

    `now` are the bytes that are alive, `most` the most since the last `mark`. Tensors that were there before are
    followed from `hold` on; those of `ignore` never count.
    """

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self._sizes: dict[int, int] = {}
        self._ignored: dict[int, Any] = {}
        self._mode: Any = None
        self._resize: Callable[..., Any] | None = None

    def hold(self, tensor: Any) -> None:
        """Count the storage of a tensor, of a sharded one that of its own shard, until nothing uses it any more."""
        storage = getattr(tensor, "_local_tensor", tensor).untyped_storage()
        key = storage._cdata
        if key not in self._sizes and key not in self._ignored:
            self._change(key, storage.nbytes())
            weakref.finalize(storage, self._forget, key)

    def ignore(self, tensor: Any) -> None:
        """Never count the storage of a tensor, which is kept alive so that no other takes its place."""
        storage = tensor.untyped_storage()
        self._ignored[storage._cdata] = storage

    def mark(self) -> int:
        """Return the most bytes since the last mark, and begin anew."""
        most, self.most = self.most, self.now
        return most

    def _change(self, key: int, size: int) -> None:
        self.now += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        self.most = max(self.most, self.now)

    def _forget(self, key: int) -> None:
        self.now -= self._sizes.pop(key, 0)

    def __enter__(self) -> Self:
        import torch

        self._resize = original = torch.UntypedStorage.resize_

        def resize(storage: Any, size: int) -> Any:
            """FSDP frees a storage by making it empty, which no operation shows."""
            original(storage, size)
            if storage._cdata in self._sizes:
                self._change(storage._cdata, size)
            return storage

        torch.UntypedStorage.resize_ = resize
        self._mode = _mode(self.hold)
        self._mode.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        import torch

        self._mode.__exit__(kind, error, at)
        torch.UntypedStorage.resize_ = self._resize


def _mode(hold: Callable[[Any], None]) -> Any:
    """A mode of PyTorch that shows `hold` each result of each operation on plain tensors."""
    import torch
    from torch.distributed.tensor import DTensor
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_iter

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if DTensor in types:
                return NotImplemented  # it comes again with the shards
            result = operation(*args, **(kwargs or {}))
            for one in tree_iter(result):
                if isinstance(one, torch.Tensor):
                    hold(one)
            return result

    return Watch()
