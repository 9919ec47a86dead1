"""Model x Recipe x Plan -> Memory: what is kept, how many bytes, and why."""
