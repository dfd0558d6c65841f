"""Recipes: named, JSON-able configurations from which models are built, trained, saved and loaded.

recipe = recipes.get("vae", dataset="glyphs", latent_dim=2)
model, history = recipes.train(recipe, "runs/vae", steps=2000)
model = recipes.load("runs/vae")
"""

from coursekit.recipes import ar, classifier, flows, image_flows, pixels, vae  # noqa: F401  (they register their recipes)
from coursekit.recipes.checkpoint import load, pull, push, save
from coursekit.recipes.registry import Recipe, build, get, known
from coursekit.recipes.run import train

__all__ = ["Recipe", "build", "get", "known", "load", "pull", "push", "save", "train"]
