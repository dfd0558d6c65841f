"""What one does with a trained model: codes of images, edits, and what a measurement lost."""

from coursekit.tasks.ddrm import DDRM
from coursekit.tasks.directions import Direction, find_direction
from coursekit.tasks.guided import DPS, Guided, LikelihoodGuided
from coursekit.tasks.inversion import Inversion, Inverter, Likeness, invert
from coursekit.tasks.linear import LinearOperator, Operator
from coursekit.tasks.operators import (
    OPERATORS,
    Blur,
    Crop,
    Downsample,
    Exposure,
    Grey,
    Mask,
    hole,
    make_operator,
    random_pixels,
    window,
)
from coursekit.tasks.replacement import Replacement
from coursekit.tasks.solver import Direct, Solver

__all__ = [
    "DDRM",
    "DPS",
    "OPERATORS",
    "Blur",
    "Crop",
    "Direct",
    "Direction",
    "Downsample",
    "Exposure",
    "Grey",
    "Guided",
    "Inversion",
    "Inverter",
    "LikelihoodGuided",
    "Likeness",
    "LinearOperator",
    "Mask",
    "Operator",
    "Replacement",
    "Solver",
    "find_direction",
    "hole",
    "invert",
    "make_operator",
    "random_pixels",
    "window",
]
