"""Sweeps: the smallest degree and the peak of many configurations at once, exact in every row."""
