"""Deep generative models, short and correct: the companion package of the course book."""

__version__ = "0.1.0"
