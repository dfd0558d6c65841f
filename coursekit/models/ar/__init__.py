"""Autoregressive models: the chain rule, one conditional at a time."""

from coursekit.models.ar.language import LanguageModel
from coursekit.models.ar.next_symbol import next_symbol
from coursekit.models.ar.outputs import (
    BernoulliOutput,
    CategoricalOutput,
    DiscretizedLogisticMixture,
    LogisticMixtureOutput,
)
from coursekit.models.ar.pixels import PixelModel

__all__ = [
    "BernoulliOutput",
    "CategoricalOutput",
    "DiscretizedLogisticMixture",
    "LanguageModel",
    "LogisticMixtureOutput",
    "PixelModel",
    "next_symbol",
]
