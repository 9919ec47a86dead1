"""How much memory, how many devices, and why: training memory accounts, derived symbolically and solved exactly."""

__version__ = "0.1.0"
