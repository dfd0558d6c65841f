"""Training: `fit` for any model with a `losses` generator, and what it is made of."""

from coursekit.train.cpu import tune_cpu
from coursekit.train.ema import EMA
from coursekit.train.fit import fit
from coursekit.train.history import History
from coursekit.train.optim import Cosine, adam, adamw, constant
from coursekit.train.processes import is_first_process
from coursekit.train.trainer import Trainer

__all__ = [
    "EMA",
    "Cosine",
    "History",
    "Trainer",
    "adam",
    "adamw",
    "constant",
    "fit",
    "is_first_process",
    "tune_cpu",
]
