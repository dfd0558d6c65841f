"""Interactive figures that live in a notebook and stay interactive on a page without a kernel."""

from coursekit.widgets.controls import Choice, Plane, Slider
from coursekit.widgets.explore import Explorer, explore

__all__ = ["Choice", "Explorer", "Plane", "Slider", "explore"]
