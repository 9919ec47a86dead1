"""What people call the quantities: printed symbols and other words for the names that claims have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import sympy as sp

from symbolic_mem.base.glossary import BY_LETTER
from symbolic_mem.base.symbols import lookup, named, table

# The symbols that documents print, and words that people use, for the numbers of every account.
ALIASES = {
    "P": "parameters",
    "params": "parameters",
    "parameter_count": "parameters",
    "number_of_parameters": "parameters",
    "param_count": "parameters",
    "parameter": "parameters",
    **{f"active{of}": "active_parameters" for of in ("", "_params", "_weights")},
    **{f"activated{of}": "active_parameters" for of in ("", "_parameters", "_params", "_weights")},
    **{f"trainable{of}": "trainable_parameters" for of in ("", "_params", "_weights")},
    **{f"trained{of}": "trainable_parameters" for of in ("", "_parameters", "_params", "_weights")},
    "P_active": "active_parameters",
    "P_trainable": "trainable_parameters",
    **dict.fromkeys(("r", "rank", "lora_r", "lora_rank"), "r_lora"),
    "M_weights": "weights",
    "M_gradients": "gradients",
    "M_optimizer": "optimizer",
    "optimizer_state": "optimizer",
    "optimizer_states": "optimizer",
    "M_act": "activations",
    "M_activations": "activations",
    "M_buffers": "buffers",
    "M_cache": "cache",
    "kv_cache": "cache",
    "caches": "cache",
    "M_static": "static",
    "states": "static",
    "M_total": "total",
    "T": "tokens",
    **dict.fromkeys(("peak_memory", "memory_peak", "M_peak"), "peak"),
    "N": "devices",
    "N_devices": "devices",
    "n_devices": "devices",
    "number_of_devices": "devices",
    "gpus": "devices",
    "chips": "devices",
    "B_sequences": "batch_sequences",
    "M_free": "headroom",
    "capacity": "C_mem",
    **dict.fromkeys(("headroom", "free", "room", "left"), "M_free"),
    **dict.fromkeys(("moments", "adam_moments", "adam_states", "adamw_states", "optimiser"), "optimizer"),
    **dict.fromkeys(("optimiser_state", "optimiser_states"), "optimizer"),
    **dict.fromkeys(("grads", "grad"), "gradients"),
    **dict.fromkeys(("saved_activations", "kept_activations", "activation"), "activations"),
    **dict.fromkeys(("intensity", "arithmetic_intensity"), "alpha"),
    **dict.fromkeys(("context_length", "seq_len", "seq_length"), "S"),
    **dict.fromkeys(("layers", "n_layers"), "L"),
    **dict.fromkeys(("vocab", "vocab_size"), "V"),
    **dict.fromkeys(("heads", "num_heads"), "n_heads"),
    # The fields of a config.json, and the options of launchers.
    **dict.fromkeys(("hidden_size", "hidden_dim", "model_dim", "embedding_dim", "n_embd"), "d_model"),
    **dict.fromkeys(("intermediate_size", "ffn_hidden_size", "ffn_dim"), "d_ff"),
    **dict.fromkeys(("num_attention_heads", "query_heads", "n_head"), "n_heads"),
    **dict.fromkeys(("num_key_value_heads", "kv_heads", "num_kv_heads", "num_query_groups"), "n_kv"),
    **dict.fromkeys(("num_hidden_layers", "n_layer"), "L"),
    **dict.fromkeys(("head_dim", "head_size"), "d_head"),
    **dict.fromkeys(("vocabulary", "padded_vocab_size"), "V"),
    **dict.fromkeys(("experts", "num_experts", "num_local_experts", "n_routed_experts", "routed_experts"), "E"),
    **dict.fromkeys(("num_experts_per_tok", "experts_per_token", "active_experts", "top_k"), "k"),
    **dict.fromkeys(("n_shared_experts", "shared_experts"), "n_shared"),
    **dict.fromkeys(("moe_intermediate_size", "expert_width"), "d_expert"),
    **dict.fromkeys(("dense_layers", "first_k_dense_replace"), "L_dense"),
    **dict.fromkeys(("sliding_window", "window", "window_size"), "S_window"),
    "kv_lora_rank": "d_c",
    "q_lora_rank": "d_cq",
    **{
        word: f"n_{axis}"
        for axis, long in (("tp", "tensor"), ("pp", "pipeline"), ("cp", "context"), ("ep", "expert"))
        for word in (axis, f"{axis}_size", f"{long}_parallel_size", f"{long}_parallel", f"{long}_parallelism")
    },
    **dict.fromkeys(("stages", "pipeline_stages"), "n_pp"),
    **dict.fromkeys(("microbatches", "micro_batches", "num_microbatches"), "n_micro"),
    # The lines of `comms`.
    "mathematics": "t_math",
    **dict.fromkeys(("critical_batch", "critical_batch_tokens"), "T_min"),
    "per_chip": "T_min_per_chip",
    "per_FSDP_rank": "T_min_per_rank",
    **dict.fromkeys(("smallest_batch", "smallest_batch_tokens"), "batch_tokens"),
}
_FIRST = "the|model|largest|smallest|maximum|minimum|max|min|number_of|num|no\\._of|total_number_of|memory_of|size_of|amount_of|bytes_of"
_BEFORE = re.compile(rf"^(?:(?:{_FIRST})_)+")
_ROUND = re.compile(rf"^(?:(?:{_FIRST})_)+|_(?:memory|mem|bytes|size|usage|footprint)$")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_STAGE = re.compile(r"zero[_-]?(?=[0-3])")


def spellings(name: str, known: Iterable[str]) -> Iterator[str]:
    """Yield what a `name` may mean, most literal first: itself, another name of it, one that differs in case alone.

    >>> "optimizer" in spellings("optimizer state", ["optimizer"]), "n_fsdp" in spellings("N_FSDP", ["n_fsdp"])
    (True, True)
    >>> list(spellings("ZeRO-1", ["stage_1"]))[-1]
    'stage_1'
    """
    plain = one_word(name)
    folded = plain.lower()
    yield name.strip()
    yield from (each for each in known if one_word(each) == plain)
    if plain in BY_LETTER:
        yield BY_LETTER[plain]
    if plain in ALIASES:
        yield ALIASES[plain]
    if len(plain) > 1:
        yield from (each for each in known if one_word(each).lower() == folded)
        if folded in ALIASES:
            yield ALIASES[folded]
        yield _STAGE.sub("stage_", folded)
        yield from (each for each in known if "_" in each and one_word(each).lower().replace("_", "") == folded)
        bare = _ROUND.sub("", _ROUND.sub("", folded))
        yield from (
            str(one.symbol) for one in table(given=True) if _called(one.meaning) in (folded, _BEFORE.sub("", folded))
        )
        if bare != folded:
            yield from (ALIASES.get(each, each) for each in (bare, f"{bare}s"))


def words_of_symbols() -> Iterator[tuple[str, sp.Symbol]]:
    """Yield the words that people write in a formula for what is given, with its symbol.

    >>> words = dict(words_of_symbols())
    >>> words["batch_size"], words["seq_len"], words["vocabulary_size"]
    (B, S, V)
    """
    symbols = {str(one.symbol): one.symbol for one in table(given=True)}
    yield from ((_called(one.meaning), one.symbol) for one in table(given=True))
    yield from ((word, symbols[name]) for word, name in ALIASES.items() if name in symbols)


@cache
def _called(meaning: str) -> str:
    """What a symbol is called in a table of what is given, without what stands in brackets.

    >>> _called("number of attention (query) heads"), _called("sequence length")
    ('attention_heads', 'sequence_length')
    """
    return one_word(re.sub(r"\s*\([^)]*\)", "", meaning)).lower().removeprefix("number_of_")


@lru_cache(4096)
def one_word(name: str) -> str:
    """Write a name without spaces, commas and hyphens.

    >>> one_word("F_attention scores, small"), one_word("M_scores, 16,384 tokens")
    ('F_attention_scores_small', 'M_scores_16384_tokens')
    """
    return re.sub(r"[\s,-]+", "_", _GROUPED.sub("", name.strip()))


def same_symbol(symbol: object, name: str) -> bool:
    """Whether `name` is that of a symbol, or what documents print for it.

    >>> from symbolic_mem.base.symbols import F_layer, M_divided
    >>> same_symbol(M_divided, "M_div"), same_symbol(F_layer, "F")
    (True, True)
    """
    return one_word(name) in written(symbol)


def written(symbol: object) -> tuple[str, str]:
    """Return the name of a symbol, and what documents print for it, as one word each.

    >>> from symbolic_mem.base.symbols import M_activations
    >>> written(M_activations), written("M_stage 1")
    (('M_activations', 'M_act'), ('M_stage_1', 'M_stage_1'))
    """
    plain = one_word(str(symbol))
    known = lookup(str(symbol))
    if known is None:
        return plain, plain
    name = named(known)
    return plain, f"{name.base}_{name.sub}" if name.sub else name.base
