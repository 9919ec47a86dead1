"""The answer: bounds in closed form, with their conditions, exactly."""
