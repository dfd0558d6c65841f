"""Recipes: named, JSON-able configurations from which models are built, trained, saved and loaded:

    recipe = recipes.get("vae", dataset="glyphs", latent_dim=2)
    model, history = recipes.train(recipe, "runs/vae", steps=2000)
    model = recipes.load("runs/vae")

`recipes.pretrained` loads one of the networks that ship with the book.
"""

from coursekit.recipes import (  # noqa: F401  (they register their recipes)
    ar,
    classifier,
    diffusion,
    flows,
    gan,
    image_flows,
    pixels,
    restoration,
    translation,
    vae,
)
from coursekit.recipes.checkpoint import load, pull, push, save
from coursekit.recipes.registry import Recipe, build, get, known
from coursekit.recipes.run import train
from coursekit.recipes.shelf import pretrained

__all__ = ["Recipe", "build", "get", "known", "load", "pretrained", "pull", "push", "save", "train"]
