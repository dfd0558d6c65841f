"""A package, so that nobody else's `tests` in the environment stands in for it."""
