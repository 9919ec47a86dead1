"""The devices a model must fit in: capacity under three readings, FLOP/s, and bandwidths with their direction."""
