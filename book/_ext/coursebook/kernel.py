"""The surroundings in which chapters run: the same in tests and build, free of the user's own set-up."""

import os
from pathlib import Path

from coursebook.cache import ROOT

SETTINGS = 'c = get_config()\nc.IPKernelApp.log_level = "ERROR"\nc.HistoryManager.enabled = False\n'


def isolate(root: Path = ROOT) -> None:
    """Set what kernels started from here inherit.

    A profile of their own, without history; no progress bars (they write to stderr); of interactive figures
    only the twin that a page can show, so that the same sources give the same page.
    """
    profile = root / "_build" / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(SETTINGS)
    os.environ.update(IPYTHONDIR=str(profile.parent), TQDM_DISABLE="1", COURSEKIT_STATIC="1")
