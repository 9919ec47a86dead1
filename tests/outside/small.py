"""A small stack of feed-forward blocks, as the middle of a study file: what a test asks of it stands around it."""

STACK = """
[model]
kind = "ffn"
[values]
d_model = 512
d_ff = 2048
L = 4
B = 16
S = 256
[recipe]
preset = "cs336"
"""
