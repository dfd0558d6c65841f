"""Run every benchmark; the exit status is 1 if one is over its limit."""

import sys

import torch

from bench import diffusion, flows, gan, glow, imports, language, sampling, training
from coursekit.recipes.records import hardware

print(f"torch {torch.__version__}; {hardware()}")
BENCHMARKS = (imports, training, language, sampling, flows, glow, gan, diffusion)
results = [benchmark.main() for benchmark in BENCHMARKS]
sys.exit(0 if all(results) else 1)
