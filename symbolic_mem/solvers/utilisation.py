"""Model and hardware FLOP utilisation, by the formulas of the papers that print them."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.symbols import B, L, P, S, V, d_head, d_model, n_heads

RECOMPUTES = ("none", "selective", "full")


def transformer_flops(*, recompute: str = "none") -> sp.Expr:
    """FLOP of one training step of B sequences through a GPT of L layers (Korthikanti et al., 2022, appendix A).

    `recompute`: ``none`` gives the FLOP of the model; ``selective`` repeats the attention scores, ``full`` the whole
    forward pass of the layers (Narayanan et al., 2021, equation 3), which the hardware also does.

    >>> sp.expand(transformer_flops(recompute="selective") - transformer_flops())
    12*B*L*S**2*d_model
    """
    attention, head = S / (6 * d_model), V / (12 * L * d_model)
    dense = 72 * B * L * S * d_model**2
    match recompute:
        case "none":
            return dense * (1 + attention + head)
        case "selective":
            return dense * (1 + 2 * attention + head)
        case "full":
            return 96 * B * L * S * d_model**2 * (1 + attention + V / (16 * L * d_model))
    raise BadInput(f"unknown recompute {recompute!r}; {nearest(recompute, RECOMPUTES)}")


def utilisation(flops: sp.Expr, seconds: sp.Expr, chips: sp.Expr, rate: sp.Expr) -> sp.Expr:
    """Part of the peak `rate` (FLOP/s of one chip) that a step of `flops` in `seconds` reaches.

    >>> utilisation(sp.Integer(50), sp.Integer(2), sp.Integer(5), sp.Integer(10))
    1/2
    """
    return sp.sympify(flops) / (sp.sympify(seconds) * chips * rate)


def flops_per_token(*, attention: bool = True) -> sp.Expr:
    """FLOP of training on one token: 6 P + 12 L H Q T (PaLM, appendix B), without attention 6 P.

    >>> flops_per_token()
    12*L*S*d_head*n_heads + 6*P
    """
    return 6 * P + (12 * L * n_heads * d_head * S if attention else 0)
