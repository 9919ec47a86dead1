"""Where it lives and what it must send."""
