"""Ours beside what an installed engine holds, and beside measured and published cases."""
