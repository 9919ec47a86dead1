"""`Instant`: a moment of a training step as data: what is there, and how it is called in a sentence."""

from __future__ import annotations

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.recipes.recipe import Recipe


@dataclass(frozen=True)
class Instant:
    """A moment of a training step: its `name`, its `words`, and the kinds of memory that are `absent` at it."""

    name: str
    words: str
    absent: tuple[str, ...] = ()


TOGETHER = Instant("backward", "the start of the backward pass, with all activations and all gradients")
BACKWARD = Instant("backward", "the start of the backward pass, with all activations and no gradients", ("gradients",))
STEP = Instant("step", "the optimizer step, with all gradients and no activations", ("activations", "buffers"))
ONE_BY_ONE = Instant(
    "backward", "the start of the backward pass, which holds all activations and one gradient at a time", ("gradients",)
)
AFTER = Instant(
    "step", "the end of the step, with no gradients and no activations", ("gradients", "activations", "buffers")
)

SERVING = Instant("backward", "the end of decoding, with all weights and caches")


def instants(recipe: Recipe) -> tuple[Instant, ...]:
    """Return the moments that must all fit: one where gradients persist, because it holds all that there is, else two.

    Gradients that persist between micro-batches are there at the start of the backward pass. Others grow while the
    activations shrink: there are none at its start, with all activations, and all of them at the step, with none. An optimizer
    that steps inside the backward pass never has them all. Inference has all that it keeps when its last token is there.

    >>> from symbolic_mem.recipes.read import recipe
    >>> [[one.name for one in instants(how)] for how in (recipe("cs336"), recipe("cs336").without_persistent_gradients())]
    [['backward'], ['backward', 'step']]
    """
    if not recipe.trains:
        return (SERVING,)
    if recipe.in_backward or "gradients" in recipe.offload:
        return (ONE_BY_ONE,)
    return (TOGETHER,) if recipe.gradients_persist else (BACKWARD, STEP)


def instant(name: str, recipe: Recipe) -> Instant:
    """Return the moment of that name for a recipe: ``backward`` or ``step``; raises `BadInput` for another name.

    >>> from symbolic_mem.recipes.read import recipe
    >>> instant("step", recipe("cs336")).absent
    ('activations', 'buffers')
    """
    named = {
        one.name: one
        for one in (AFTER if recipe.in_backward or "gradients" in recipe.offload else STEP, *instants(recipe))
    }
    if name not in named:
        raise BadInput.unknown(f"unknown moment {name!r} of a training step", name, sorted(named))
    return named[name]
