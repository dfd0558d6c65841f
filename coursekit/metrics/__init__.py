"""Metrics: how good is a model, with the uncertainty of the answer."""
