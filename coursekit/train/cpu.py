"""An allocator setting that makes training on a CPU faster."""

import ctypes
import sys

# glibc's malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def tune_cpu(keep: int = 1 << 30) -> bool:
    """Let glibc keep freed memory instead of returning it to the system at every step.

    The setting holds for the whole process: up to `keep` bytes stay reserved. It changes no result.

    Returns:
        True if the setting was made, False where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {M_TRIM_THRESHOLD: keep, M_TOP_PAD: keep // 8, M_MMAP_MAX: 0}
    results = [mallopt(name, value) for name, value in settings.items()]
    return all(result == 1 for result in results)
