"""How it is trained: bytes per element, optimizer, recomputation."""
