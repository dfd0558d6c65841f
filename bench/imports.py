"""How long does `import coursekit` take beyond `import torch`?"""

import statistics
import subprocess
import sys

ALLOWED = 0.3
PROGRAM = """
import torch, time
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
"""


def seconds(module: str, launches: int) -> list[float]:
    """Import times of a module in fresh processes that have torch already, sorted."""
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(launches)]
    return sorted(float(run.stdout) for run in runs)


def main(launches: int = 5) -> bool:
    """Print the times; returns whether that of the package is within what is allowed."""
    print(f"import beyond torch, seconds, {launches} launches: median [range], limit {ALLOWED}")
    within = True
    for module in ("coursekit", "coursekit.models.vae", "coursekit.data", "coursekit.train"):
        times = seconds(module, launches)
        median = statistics.median(times)
        within &= module != "coursekit" or median <= ALLOWED
        print(f"  {module:21} {median:.3f} [{times[0]:.3f}, {times[-1]:.3f}]")
    return within
