"""One engine each, numbers only, no words."""
