"""Which group of weights a parameter belongs to, by its name in a checkpoint or in an engine's module."""

from __future__ import annotations

import re

# The first pattern that is found in a name decides. A name is a path of modules, as in ``model.layers.0.mlp.gate.weight``.
_RULES = (
    (
        r"(vision_tower|vision_model|visual|vision_encoder|image_encoder|vision_backbone|patch_embed)\.",
        "vision tower",
    ),
    (r"(audio_tower|audio_model|audio_encoder|speech_encoder)\.", "audio tower"),
    (r"(multi_modal_projector|mm_projector|embed_vision|embed_audio|connector|modality_projection)", "projector"),
    (r"indexer\.", "attention"),
    (r"\beh_proj\.", "prediction"),
    (
        r"(mamba|mixer|linear_attn|short_conv|conv)\.(A_log|D|dt_bias|conv1d|in_proj|out_proj|x_proj|dt_proj|conv)",
        "mixer",
    ),
    (r"(mixer|linear_attn|conv)\.(norm|in_proj\w*|[bc]_layernorm|dt_layernorm)\b", "mixer"),
    (r"mamba\.", "mixer"),
    (r"self_attn\.(norm|output_gate|qkv_proj|out_proj)\.weight$", "attention"),
    (r"(shared_experts?|shared_mlp|shared_expert_gate)\b", "shared experts"),
    (r"experts\b", "experts"),
    (
        r"(mlp|block_sparse_moe|feed_forward|ffn|moe|mixer|router)\.(gate|router)\b|\.router\.|e_score_correction_bias",
        "router",
    ),
    (r"embeddings\.LayerNorm\.", "norm"),
    (r"(patch_embeddings?|cls_token|mask_token|distillation_token)\b", "patch embedding"),
    (r"(position_embeddings?|embed_positions?|wpe|pos_emb)\b", "position embedding"),
    (
        r"(embed_tokens|wte|word_embeddings|embed_in|embeddings|tok_embeddings|project_in|shared|token_type_embeddings)\.",
        "token embedding",
    ),
    (r"(lm_head|embed_out|score|classifier|qa_outputs|project_out|output_layer|pooler|cls)\b", "head"),
    (r"(?i:norm|_ln|ln_\w+|layernorm|layer_norm)\w*(\.\d+)?\.(weight|bias)$", "norm"),
    (r"(altup|laurel)", "AltUp and LAuReL"),
    (r"per_layer", "per-layer embedding"),
    (r"(attention|attn|self_attention|SelfAttention|EncDecAttention)\b", "attention"),
    (r"(mlp|feed_forward|ffn|fc1|fc2|mlps)\b", "mlp"),
    (r"(DenseReluDense|(intermediate|output)\.dense)\b", "mlp"),
    (r"\.(q|k|v|o|qkv)_proj\.", "attention"),
    (r"\.(gate|up|down)_proj\.", "mlp"),
)
OTHER = "other"


def group_of(name: str) -> str:
    """Return the group of the parameter called `name`; "other" where no rule knows it.

    >>> group_of("model.layers.0.mlp.experts.gate_up_proj"), group_of("transformer.h.3.ln_1.bias")
    ('experts', 'norm')
    """
    return next((group for pattern, group in _RULES if re.search(pattern, name)), OTHER)
