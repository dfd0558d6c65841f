"""Autoregressive models: the chain rule, one conditional at a time."""

from coursekit.models.ar.language import LanguageModel
from coursekit.models.ar.next_symbol import next_symbol

__all__ = ["LanguageModel", "next_symbol"]
