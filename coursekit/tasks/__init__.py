"""What one does with a trained model: find the code of an image, and edit it."""

from coursekit.tasks.directions import Direction, find_direction
from coursekit.tasks.inversion import Inversion, Inverter, Likeness, invert

__all__ = ["Direction", "Inversion", "Inverter", "Likeness", "find_direction", "invert"]
