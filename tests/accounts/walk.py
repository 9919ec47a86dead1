"""A training step of a stack, storage by storage, in plain Python: it knows nothing of the package.

What PyTorch 2.13 makes and frees, and in which order: a linear layer keeps its input, a checkpointed block its own input,
unless its checkpoint begins inside the block before;
FSDP2 gathers a block into one buffer and copies the parameters out of it, gathers the next block while one computes in
the backward pass, and sends the gradients of a block at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Run:
    kind: str  # "ffn", "gated" or "residual"
    blocks: int
    d: int
    f: int
    tokens: int
    again: Sequence[bool]  # which blocks are recomputed
    kept: bool  # gradients of an earlier micro-batch are there
    foreach: bool
    adamw: bool
    parameter: int  # bytes
    compute: int
    devices: int | None = None  # None: one device, without FSDP2
    stays: Fraction = Fraction(0)  # the share of gathered weights that stays after the forward pass
    half: bool = False  # what is recomputed begins with the last product of the block before, so that no input is kept

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        wide, narrow = (self.f, self.d), (self.d, self.f)
        return {"wide": wide, "narrow": narrow} if self.kind == "ffn" else {"gate": wide, "up": wide, "down": narrow}

    def shard(self, name: str) -> int:
        rows, columns = self.shapes[name]
        return -(-rows // (self.devices or 1)) * columns

    def padded(self, name: str) -> int:
        return self.shard(name) * (self.devices or 1)


class Live:
    """Named storages; a name is made once and freed once."""

    def __init__(self) -> None:
        self.sizes: dict[object, Fraction] = {}
        self.now = self.most = Fraction(0)

    def make(self, name: object, size: int | Fraction) -> None:
        assert name not in self.sizes, name
        self.sizes[name] = Fraction(size)
        self.now += size
        self.most = max(self.most, self.now)

    def free(self, *names: object) -> None:
        for name in names:
            self.now -= self.sizes.pop(name)

    def there(self, name: object) -> bool:
        return name in self.sizes

    def mark(self) -> Fraction:
        most, self.most = self.most, self.now
        return most


def walk(run: Run) -> dict[str, Fraction]:
    """The bytes of the first device at the marks of a step."""
    step = _Step(run)
    found = {"start": step.live.now}
    step.live.mark()
    step.forward()
    found["forward"], found["forward end"] = step.live.mark(), step.live.now
    step.backward()
    found["backward"], found["backward end"] = step.live.mark(), step.live.now
    step.optimizer()
    found["step"] = step.live.mark()
    return found


class _Step:
    def __init__(self, run: Run) -> None:
        self.run, self.live = run, Live()
        self.narrow, self.wide = run.tokens * run.d * run.compute, run.tokens * run.f * run.compute
        for block in range(run.blocks):
            for name in run.shapes:
                size = run.shard(name) * run.parameter
                self.live.make((block, name, "weight"), size)
                if run.adamw:
                    self.live.make((block, name, "moments"), 2 * size + 4)
                if run.kept:
                    self.live.make((block, name, "gradient"), size)
        self.live.make((0, "x"), self.narrow)  # the batch, which stays

    @property
    def apart(self) -> bool:
        return self.run.devices is not None and self.run.devices > 1

    def gather(self, block: int) -> None:
        """Make the parameters whole: on one device each is converted by itself, else they are copied from a buffer."""
        run, live = self.run, self.live
        if run.devices is None or live.there((block, "whole", next(iter(run.shapes)))):
            return
        if self.apart and not live.there((block, "buffer")):
            live.make((block, "buffer"), sum(run.padded(name) for name in run.shapes) * run.compute)
        for name in run.shapes:
            size = run.padded(name) * run.compute
            converted = not self.apart and run.compute != run.parameter
            if converted:
                live.make("converted", size)
            live.make((block, "whole", name), size)
            if converted:
                live.free("converted")

    def forward(self) -> None:
        run, live = self.run, self.live
        for block in range(run.blocks):
            self.gather(block)
            if live.there((block - 1, "buffer")):
                live.free((block - 1, "buffer"))
            self.block(block, run.again[block])
            if run.devices is not None and run.stays != 1:
                for name in run.shapes:
                    if run.stays:
                        live.make((block, "share", name), run.padded(name) * run.compute * run.stays)
                    live.free((block, "whole", name))
        live.make("loss", run.compute)
        live.free((run.blocks, "x"))
        if self.apart:
            live.free((run.blocks - 1, "buffer"))

    def block(self, i: int, again: bool) -> None:
        """The forward pass of a block; where it will be computed again it keeps its input alone."""
        live, inside = self.live, lambda name: (i, name)
        if self.run.kind == "ffn":
            live.make(inside("h"), self.wide)
            live.make((i + 1, "x"), self.narrow)
        else:
            live.make(inside("g"), self.wide)
            live.make(inside("a"), self.wide)
            if again:
                live.free(inside("g"))
            live.make(inside("u"), self.wide)
            live.make(inside("h"), self.wide)
            if again:
                live.free(inside("a"), inside("u"))
            live.make(inside("down") if self.run.kind == "residual" else (i + 1, "x"), self.narrow)
        if again:
            live.free(inside("h"))
        if self.run.kind == "residual":
            live.make((i + 1, "x"), self.narrow)
            live.free(inside("down"))
        if again and self.run.half:
            live.free(inside("x"))

    def backward(self) -> None:
        run, live = self.run, self.live
        live.make("ones", run.compute)
        for block in reversed(range(run.blocks)):
            if run.stays != 1:
                self.gather(block)
                for name in run.shapes:
                    if live.there((block, "share", name)):
                        live.free((block, "share", name))
                if self.apart:
                    live.free((block, "buffer"))
                    if block:
                        live.make((block - 1, "buffer"), sum(map(run.padded, run.shapes)) * run.compute)
            if run.again[block]:
                if run.half:
                    self.enters(block)
                for name in ("h",) if run.kind == "ffn" else ("g", "a", "u", "h"):
                    live.make((block, name), self.wide)
            (self.plain if run.kind == "ffn" else self.gated)(block)
            if run.devices is not None:
                self.send(block)
        if run.devices is not None:
            live.free("sent")
        live.free("ones", "loss")

    def enters(self, i: int) -> None:
        """Compute again what enters a block, from what the one before it keeps."""
        if self.run.kind == "residual":
            self.live.make((i - 1, "down"), self.narrow)
        self.live.make((i, "x"), self.narrow)
        if self.run.kind == "residual":
            self.live.free((i - 1, "down"))

    def weight(self, i: int, name: str) -> None:
        """Make the gradient of a weight; on one device it is added to that of before, where there is one."""
        rows, columns = self.run.shapes[name]
        kept = self.run.kept and self.run.devices is None
        apart = self.run.devices is not None
        size = self.run.compute if apart else self.run.parameter
        self.live.make((i, name, "new" if kept or apart else "gradient"), rows * columns * size)

    def added(self, i: int, name: str) -> None:
        if self.run.kept and self.run.devices is None:
            self.live.free((i, name, "new"))

    def plain(self, i: int) -> None:
        live = self.live
        live.make((i, "dh"), self.wide)
        self.weight(i, "narrow")
        self.added(i, "narrow")
        live.free((i, "h"))
        self.leaves(i)
        if i:
            live.make((i, "dx"), self.narrow)
        self.weight(i, "wide")
        self.added(i, "wide")
        self.used(i)
        live.free((i, "dh"))

    def gated(self, i: int) -> None:
        live, adds = self.live, self.run.kind == "residual"
        live.make((i, "dh"), self.wide)
        self.weight(i, "down")
        self.added(i, "down")
        live.free((i, "h"))
        if not adds or i == 0:
            self.leaves(i)
        live.make((i, "da"), self.wide)
        live.make((i, "du"), self.wide)
        live.free((i, "a"), (i, "u"), (i, "dh"))
        if i:
            live.make((i, "by up"), self.narrow)
        self.weight(i, "up")
        if i and adds and live.there((i + 1, "dx")):
            live.free((i, "du"))
            self.summed(i, (i + 1, "dx"), (i, "by up"), "by both")
        elif i and adds:  # what leaves the last block has a gradient without a storage of its own
            live.free((i, "du"))
            self.summed(i, None, (i, "by up"), "by both")
        else:
            live.free((i, "du"))
        self.added(i, "up")
        live.make((i, "dg"), self.wide)
        live.free((i, "g"), (i, "da"))
        if i:
            live.make((i, "by gate"), self.narrow)
        self.weight(i, "gate")
        self.used(i)
        live.free((i, "dg"))
        if i:
            self.summed(i, (i, "by both" if adds else "by up"), (i, "by gate"), "dx")
        self.added(i, "gate")

    def summed(self, i: int, one: object, other: object, name: str) -> None:
        self.live.make((i, name), self.narrow)
        self.live.free(*(gone for gone in (one, other) if gone is not None))

    def leaves(self, i: int) -> None:
        """The gradient of the output of a block goes; that of the last one has no storage."""
        if self.live.there((i + 1, "dx")):
            self.live.free((i + 1, "dx"))

    def used(self, i: int) -> None:
        """The input of a block goes; the batch stays."""
        if i:
            self.live.free((i, "x"))

    def send(self, i: int) -> None:
        """Free the weights, send the gradients in FP32, and keep or add the shares that come back."""
        run, live = self.run, self.live
        live.free(*((i, "whole", name) for name in run.shapes))
        if live.there("sent"):
            live.free("sent")
        live.make("sent", 4 * sum(map(run.padded, run.shapes)))
        *others, last = run.shapes
        live.free(*((i, name, "new") for name in others))
        if not self.apart:
            live.free((i, last, "new"))
        size = sum(map(run.shard, run.shapes)) * run.parameter
        live.make((i, "arrived"), size)
        if self.apart:
            live.free((i, last, "new"))
        if run.kept:
            live.free((i, "arrived"))

    def optimizer(self) -> None:
        run, live = self.run, self.live
        sizes = [run.shard(name) * run.parameter for _ in range(run.blocks) for name in run.shapes]
        if not run.adamw:
            return
        if run.foreach:
            live.make("copies", sum(sizes))
            live.free("copies")
            return
        before = None
        for position, size in enumerate(sizes):
            live.make("root", size)
            live.make(position, size)
            live.free("root", *(() if before is None else (before,)))
            before = position
        live.free(before)
