"""Work for pools of processes: like grading, but quick, and able to fail in every way."""

import os
import sys
import time
from typing import Any


def double(job: int) -> dict[str, Any]:
    """{"value": 2 * job}."""
    return {"value": 2 * job}


def obey(job: str) -> dict[str, Any]:
    """Do what the job says."""
    match job.split():
        case ["raise"]:
            raise RuntimeError("no such file")
        case ["die"]:
            os.kill(os.getpid(), 9)
        case ["exit"]:
            os._exit(3)
        case ["sleep", seconds]:
            time.sleep(float(seconds))
        case ["nan"]:
            return {"value": float("nan")}
        case ["path"]:
            return {"value": sys.path[0]}
    return {"value": job}


def pid(job: str) -> dict[str, Any]:
    """Write this process's id to the file `job`, and never end."""
    with open(job, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
    return {}
