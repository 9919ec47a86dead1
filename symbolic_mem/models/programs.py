"""What the modules of an engine compute in a transformer block, operation by operation, on a `Tape`.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation of a block followed on fake tensors.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.symbols import B, S
from symbolic_mem.base.values import dataclass
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import given, two_kinds
from symbolic_mem.models.families import does
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_attention import attention_described, attention_program
from symbolic_mem.models.program_experts import experts_described, experts_program
from symbolic_mem.models.program_latent import latent_described, latent_program
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.program_mlp import mlp_described, mlp_program
from symbolic_mem.models.program_norm import Weights, norm_program
from symbolic_mem.models.program_served import served_block, served_described, summands, workspaces
from symbolic_mem.models.stacks import stack, stacks
from symbolic_mem.models.tape import Tape, Value
from symbolic_mem.models.tensors import EMBEDDED, END, HIDDEN, SUMMANDS, TABLE, UNREAD, Alive, Tensor

BY_HAND = ("hf-cuda",)
ENGINES = (*BY_HAND, "torch-cuda")
PARALLEL = ("gpt_neox",)  # families whose parallel attention and MLP transformers writes as it is described
NAMED = ("gpt2",)  # families whose blocks have a name for what attention gives until they return


@hashed_once
@dataclass(frozen=True)
class Programs:
    """The operations of the blocks of an architecture under a profile, where they are described.

    Without `logits` the loss is one kernel with the head, which otherwise multiplies the tokens in so many `parts`. Those of
    `passing` are of inference: of some blocks the forward pass alone is described. Where an engine `serves` them, they are those
    of `program_served`, unless they are written by hand. The rotary `tables` are those that no block keeps, where a gradient has to reach none that uses them.
    """

    architecture: Architecture
    how: Profile
    logits: bool = True
    parts: int = 1
    passing: bool = False
    serves: bool = False
    tables: tuple[Tensor, ...] = ()

    def described(self, block: str) -> bool:
        """Say whether the operations of a kind of block are described."""
        return _tape(self, block) is not None

    @property
    def keeps(self) -> bool:
        """Whether a backward pass follows, or what it would keep tells that the operations are those of a family's own code."""
        return not self.passing or self.how.engine in BY_HAND

    def saved(self, block: str) -> tuple[Tensor, ...]:
        """Return what the backward pass of a block needs."""
        return _known(self, block).saved

    def workspaces(self, block: str) -> Tensor | None:
        """Return the buffers that all blocks of a kind share; None where they have none."""
        has = _serves(self) and self.described(block) and stack(self.architecture, self.how, block).experts
        return workspaces(self.architecture, self.how) if has else None

    def beside(self) -> tuple[Tensor, ...]:
        """Return what the caller of the blocks holds: transformers the embedded tokens and their positions."""
        return _beside(self)

    def _held_beside(self) -> tuple[Tensor, ...]:
        a = self.architecture
        if self.how.engine not in BY_HAND:
            return (*(summands(a, self.how) if _serves(self) else ()), *self._tables())
        compute = self.how.compute
        kept = self._keeps_input() and not self.passing
        found: tuple[Tensor, ...] = () if kept else (Tensor(EMBEDDED, (*TOKENS, a.d_model), bytes_per_element=compute),)
        if a.position == "rotary":
            found += (Tensor("positions", (S,), bytes_per_element=sp.Integer(8)), *self.tables)
        elif a.position == "learned":
            shapes = (*TOKENS, a.d_model), (S, a.d_model)
            found = tuple(
                Tensor(name, one, bytes_per_element=compute) for name, one in zip(SUMMANDS, shapes, strict=True)
            )
        found += () if self.passing else self._given_away()
        table = Tensor(TABLE, (S, a.d_head), bytes_per_element=sp.Integer(4))
        found += (table,) * len(self.how.given)
        if self.how.kernel.startswith("eager"):
            several = a.window is not None and (a.window.layers != a.layers or two_kinds(self.how))
            unread = several and a.window is not None and a.window.layers == a.layers
            masks = ("causal mask", *((UNREAD if unread else "causal mask",) if several else ()))
            found += tuple(Tensor(name, (B, S, S), bytes_per_element=compute) for name in masks)
        if self.how.trained.needs_input("W_head", "head"):
            return found
        return (*found, Tensor(HIDDEN, (*TOKENS, a.d_model), bytes_per_element=self.how.compute))

    def _given_away(self) -> tuple[Tensor, ...]:
        """What the caller makes the first input of, and what it gives to every block; not what a trained embedding keeps."""
        a, how = self.architecture, self.how
        kept = how.row("position_embedding") if how.trained.trains("position embedding") else ()
        shapes: dict[str, tuple[sp.Expr, ...]] = {"positions": (S,), "tokens": TOKENS}
        if a.turned is not None:
            shapes["table"] = (S, a.turned)
        given = how.kept("given_to_blocks", shapes, omit=tuple(kept))
        return (*how.kept("scaled_embedding", {"stream": (*TOKENS, a.d_model)}), *given)

    def _tables(self) -> tuple[Tensor, ...]:
        """The rotary tables that the embedding has where what is kept of a model is described."""
        a, how = self.architecture, self.how
        if a.described or a.turned is None:
            return ()
        return how.for_family(a.family).kept("rotary_tables", {"table": (S, a.turned), "half_table": (S, a.turned / 2)})

    def results(self, block: str, every: int) -> tuple[Tensor, ...]:
        """Return the results of the products and of the fused attention of a block, but for one of `every` so many products."""
        return _known(self, block).results(every)

    def unused(self, block: str, every: int) -> tuple[Tensor, ...]:
        """Return those of them that nothing takes when the block is computed again."""
        return _known(self, block).unused(every)

    def _keeps_input(self) -> bool:
        """Whether the first block keeps its input itself for the backward pass, and not a converted copy of it."""
        a = self.architecture
        tape = _tape(self, stacks(a, self.how)[0].name)
        return tape is not None and tape.keeps_input

    def forward(self, block: str, keeps: bool, every: int = 0) -> tuple[Alive, ...]:
        """Return the fullest moments of the forward pass of a block."""
        return _forward(self, block, keeps, every)

    def backward(self, block: str, again: bool, steps: bool = False, held: bool = True) -> tuple[Alive, ...]:
        """Return the fullest moments of the backward pass of a block."""
        return _backward(self, block, again, steps, held)


@lru_cache(maxsize=64)
def _tape(programs: Programs, block: str) -> Tape | None:
    a, how = programs.architecture, programs.how
    if block == END:
        return end_tape(a, how, programs.logits, programs.parts)
    one = stack(a, how, block)
    if _serves(programs):
        return served_block(a, one.how, one.experts) if served_described(a, one.how) else None
    return block_tape(a, one.how, one.experts, passing=programs.passing, reached=one.reached)


def _serves(programs: Programs) -> bool:
    return programs.serves and programs.how.engine in ENGINES and programs.how.engine not in BY_HAND


def _known(programs: Programs, block: str) -> Tape:
    found = _tape(programs, block)
    assert found is not None, block
    return found


@lru_cache(maxsize=64)
def _beside(programs: Programs) -> tuple[Tensor, ...]:
    return programs._held_beside()


@lru_cache(maxsize=64)
def _forward(programs: Programs, block: str, keeps: bool, every: int) -> tuple[Alive, ...]:
    return _known(programs, block).forward(keeps=keeps, every=every)


@lru_cache(maxsize=64)
def _backward(programs: Programs, block: str, again: bool, steps: bool, held: bool) -> tuple[Alive, ...]:
    return _known(programs, block).backward(again=again, steps=steps, held=held)


def end_tape(a: Architecture, how: Profile, logits: bool, parts: int = 1) -> Tape | None:
    """Return the operations of the last norm and of the head, up to the logits, or None where they are not described.

    Without `logits` one kernel makes the loss; the head multiplies the tokens in so many `parts`.
    """
    if (
        how.blank
        or how.engine not in ENGINES
        or how.residual != how.compute
        or a.d_embed is not None
        or a.head != "language model"
    ):
        return None
    tape = Tape()
    x = tape.enter(Tensor("residual stream", (*TOKENS, a.d_model), bytes_per_element=how.compute))
    last = x
    if a.final_norm:
        last = _norm(tape, a, how, x, "final norm")
        tape.drop(x)
    shape = (a.vocabulary, a.d_model)
    if parts > 1 and how.trained.trains("head") and not a.head_bias:
        tape.label = "the product with W_head"
        tape.leaving = do.linear_in_parts(tape, last, "W_head", shape, parts)
    else:
        tape.leaving = product(tape, how, last, "W_head", shape, "head", bias=a.head_bias, fused=not logits)
    return tape


def block_tape(
    a: Architecture, how: Profile, experts: bool, *, passing: bool = False, reached: bool = True
) -> Tape | None:
    """Return the operations of a block, or None where they are not described: then nothing is known of its moments.

    Some are described only where the block is `passing` tokens on in inference.
    What enters a block that is not `reached` needs no gradient: it keeps nothing of what comes before its first trained weight.
    """
    by_hand = how.engine in BY_HAND
    a = a if by_hand else replace(a, family="")  # what the code of a family does otherwise, plain modules do not
    if not _described(a, how, passing) or (
        experts and not (a.experts and experts_described(a, how.trained, by_hand=by_hand, passing=passing))
    ):
        return None
    tape = Tape()
    x = tape.enter(Tensor("residual stream", (*TOKENS, a.d_model), bytes_per_element=how.compute), needs=reached)
    tables = tuple(map(tape.give, given(a, how)))
    first = x if a.norm_place == "after" else _norm(tape, a, how, x, "attention norm")
    if a.latent is None:
        attended, scores = attention_program(tape, a, how, first, tables, by_hand=by_hand)
    else:
        attended, scores = latent_program(tape, a, how, first, by_hand=by_hand)
    tape.drop(*(() if first is x or a.shared_norm else (first,)))
    if a.parallel_residual:
        return _parallel(tape, a, how, x, first, attended, scores, by_hand=by_hand)
    attended, whole = _dropped_out(tape, a, _given(tape, a, how, attended, "attention"))
    tape.label = "the sum after the attention"
    between = do.add(tape, x, attended)
    named = by_hand and a.family in NAMED
    tape.drop(*(() if named else (attended,)), *whole)
    second = between if a.norm_place == "after" else _norm(tape, a, how, between, "MLP norm")
    out = experts_program(tape, a, how, second, by_hand=by_hand) if experts else mlp_program(tape, a, how, second)
    tape.drop(*(() if second is between else (second,)))
    out, whole = _dropped_out(tape, a, _given(tape, a, how, out, "MLP"))
    tape.label = "the sum after the MLP"
    tape.leaving = do.add(tape, between, out)
    tape.drop(out, *whole, between, *((attended,) if named else ()), *scores)
    return tape


def _parallel(
    tape: Tape,
    a: Architecture,
    how: Profile,
    x: Value,
    first: Value,
    attended: Value,
    scores: tuple[Value, ...],
    *,
    by_hand: bool,
) -> Tape:
    """The MLP beside the attention, after the norm of both or its own; both are added up, and then to what entered, or one by one."""
    if not by_hand:
        tape.label = "the sum after the attention"
        between = do.add(tape, x, attended)
        tape.drop(attended)
    normal = first if a.shared_norm else _norm(tape, a, how, x, "MLP norm")
    out = mlp_program(tape, a, how, normal)
    tape.drop(normal)
    if not by_hand:
        tape.label = "the sum after the MLP"
        tape.leaving = do.add(tape, between, out)
        tape.drop(out, between)
        return tape
    tape.label = "the sum of attention and MLP"
    both = do.add(tape, out, attended)
    tape.leaving = do.add(tape, both, x)
    tape.drop(both, attended, out, *scores)
    return tape


def _described(a: Architecture, how: Profile, passing: bool) -> bool:
    by_hand = how.engine in BY_HAND
    parallel = a.parallel_residual and by_hand and a.family not in PARALLEL
    same = how.residual == how.compute and not how.blank and how.engine in ENGINES
    one_norm = a.shared_norm and (by_hand or not passing)
    if one_norm or parallel or not (same and mlp_described(a, passing=passing)):
        return False
    if a.latent is None:
        return attention_described(a, how, by_hand=by_hand, passing=passing)
    return passing and latent_described(a, how, by_hand=by_hand)


def _given(tape: Tape, a: Architecture, how: Profile, x: Value, part: str) -> Value:
    """What a part of a block gives, after its norm where there is one."""
    if a.norm_place == "before":
        return x
    out = _norm(tape, a, how, x, f"{part} norm" if a.norm_place == "after" else f"{part} output norm")
    tape.drop(x)
    return out


def _dropped_out(tape: Tape, a: Architecture, x: Value) -> tuple[Value, tuple[Value, ...]]:
    """What a part of a block gives, dropped out where the block does that, and what has a name until it is added up."""
    if a.residual_dropout == 0 or not does(a.family, "block drops"):
        return x, ()
    return do.dropped_out(tape, x), (x,)


def _norm(tape: Tape, a: Architecture, how: Profile, x: Value, name: str) -> Value:
    tape.label = f"the {name}"
    weights: Weights = ((f"gain of the {name}", (a.d_model,)),) if a.norm_gain else ()
    weights += ((f"bias of the {name}", (a.d_model,)),) if a.norm_bias else ()
    return norm_program(tape, a.norm, how, x, TOKENS, weights, by_hand=how.engine in BY_HAND)
