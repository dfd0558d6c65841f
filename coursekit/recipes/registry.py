"""The register of recipes: name -> function of JSON-able keywords."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from coursekit.data import Vocabulary
from coursekit.train import adam, constant
from coursekit.train.optim import OptimizerFactory, Schedule


@dataclass(frozen=True)
class Recipe:
    """A model and what it takes to train it.

    Attributes:
        make: builds the model, with fresh weights.
        data: split ("train" or "test") -> data set.
        steps, batch_size, lr, optimizer, schedule, clip_norm: as for `train.fit`.
        ema: decay of the weights' moving average, which is what is then saved; 0 for none.
        start: (model, training data) -> None, called before the first step: weights that depend on the data.
        sampling: keywords of the model's `sample`, for the command line and for metrics of samples.
        judged_by: what the model is measured by, among "elbo", "log_prob", "accuracy", "samples" and
            "translation"; () for all likelihoods that it has, or else its accuracy or its samples.
        vocabulary: what the symbols of a text model stand for; None for other models.
        name, keywords: what the recipe was made from, all defaults included.
    """

    make: Callable[[], nn.Module]
    data: Callable[[str], Any]
    steps: int
    batch_size: int = 128
    lr: float = 1e-3
    optimizer: OptimizerFactory = adam
    schedule: Schedule = constant
    clip_norm: float | None = None
    ema: float = 0.0
    start: Callable[[nn.Module, Any], None] | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    judged_by: Sequence[str] = ()
    vocabulary: Vocabulary | None = None
    name: str = ""
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> nn.Module:
        """The model with fresh weights; it remembers its recipe, so that it can be saved."""
        model = self.make()
        model.recipe = {"recipe": self.name, "keywords": dict(self.keywords)}
        return model


_RECIPES: dict[str, Callable[..., Recipe]] = {}


def register(name: str, function: Callable[..., Recipe], **defaults: Any) -> None:
    """Enter a function of keywords, each with a default, under a name; `defaults` replace its own."""
    if name in _RECIPES:
        raise ValueError(f"A recipe called {name!r} is there already.")
    _RECIPES[name] = functools.partial(function, **defaults)


def known() -> dict[str, dict[str, Any]]:
    """Every recipe's name with its keywords and their defaults."""
    return {name: _defaults(function) for name, function in sorted(_RECIPES.items())}


def get(name: str, **keywords: Any) -> Recipe:
    """The recipe of a name, with some keywords changed.

    Raises:
        ValueError: no such recipe or keyword, or a value of the wrong kind; the message lists what there is.
    """
    if name not in _RECIPES:
        raise ValueError(f"No recipe is called {name!r}; there are {', '.join(sorted(_RECIPES))}.")
    settings = _defaults(_RECIPES[name])
    for key, value in keywords.items():
        if key not in settings:
            raise ValueError(f"Recipe {name!r} has no keyword {key!r}; it has {', '.join(settings)}.")
        settings[key] = _like(settings[key], value, f"Keyword {key!r} of recipe {name!r}")
    return replace(_RECIPES[name](**settings), name=name, keywords=settings)


def build(name: str, **keywords: Any) -> nn.Module:
    """The model of a recipe, with fresh weights from torch's random state."""
    return get(name, **keywords).build()


def _defaults(function: Callable[..., Recipe]) -> dict[str, Any]:
    """Keywords and defaults, a tuple as the list that JSON would make of it."""
    defaults = {key: parameter.default for key, parameter in inspect.signature(function).parameters.items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}


def _like(default: Any, value: Any, what: str) -> Any:
    """The value, if it is of the default's kind; whole numbers pass for floats, tuples for lists."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    value = list(value) if isinstance(value, tuple) else value
    if not isinstance(value, type(default)) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ValueError(f"{what} should be like {default!r}, got {value!r} ({type(value).__name__}).")
    return value
