"""Generative models: one file a method, one folder a family."""
