"""Does a grader that is killed every 20 s lose one of 1,000 submissions; how fast is it beside `otter run`?

`make bench-grading` sets the other grader up and writes book/results/grading.json.
"""

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from bench import otter
from bench.students import Notebook, classroom
from coursekit.files import write_json
from coursekit.grading.commands import cores
from coursekit.grading.exercise import Exercise, read
from coursekit.grading.tables import read_table
from coursekit.recipes.records import record

ALLOWED = 20.0  # times the throughput of the other grader, at least
NUMPY, TORCH = Path("bench/numbers.md"), Path("solutions/03-vae.md")
PROGRAM = "from coursekit.cli import app; app()"


def main(
    submissions: Annotated[int, typer.Option(help="Graded by us, of the numpy exercise.")] = 1000,
    torch_submissions: Annotated[int, typer.Option(help="Graded by us, of the torch exercise.")] = 200,
    peers: Annotated[int, typer.Option(help="Of these also graded by the other grader.")] = 30,
    kill_every: Annotated[float, typer.Option(help="Seconds from a start to the SIGKILL.")] = 20.0,
    result: Annotated[Path, typer.Option(help="Result file.")] = Path("book/results/grading.json"),
) -> None:
    """Print and write what was found; the exit status is 1 if a limit is broken."""
    settings = {"peers": peers, "kill_every": kill_every, "processes": cores()}
    found = {}
    for path, n in ((NUMPY, submissions), (TORCH, torch_submissions)):
        exercise = read(path)
        found[exercise.name] = each = {"title": exercise.title}
        with tempfile.TemporaryDirectory() as folder:
            if path is NUMPY:
                each["under_fire"] = under_fire(path, exercise, Path(folder) / "fire", n, kill_every)
            each["side_by_side"] = side_by_side(path, exercise, Path(folder) / "beside", n, peers)
        print(f"{exercise.name}: {json.dumps(each, indent=1)}", flush=True)
    facts = record()
    facts["versions"] |= {"otter-grader": otter.version(), "numpy": importlib.metadata.version("numpy")}
    write_json(result, facts | {"settings": settings, "exercises": found})
    fast = all(each["side_by_side"]["ratio"] >= ALLOWED for each in found.values())
    whole = all(each["under_fire"]["lost"] == 0 for each in found.values() if "under_fire" in each)
    sys.exit(0 if fast and whole else 1)


def under_fire(path: Path, exercise: Exercise, folder: Path, n: int, every: float) -> dict[str, Any]:
    """Grade a class, a tenth of it hostile or broken, with a SIGKILL every so often; count the lost."""
    students = hand_in(folder, classroom(exercise, n))
    started, kills = time.perf_counter(), 0
    while True:
        before = stored(folder)
        grader = grade(path, folder, "--seconds", "2")
        try:
            code = grader.wait(timeout=every)
            break
        except subprocess.TimeoutExpired:
            grader.kill()
            grader.wait()
            kills += 1
        after = stored(folder)
        assert before.items() <= after.items(), "A result that was there has changed."
        assert len(after) > len(before), f"No progress within {every} s; the kills come too soon."
    seconds = time.perf_counter() - started
    assert code == 0, f"The last run ended with exit code {code}."
    scores = gradebook(folder)
    lost = [one.name for one in students if one.name not in scores or not scores[one.name]["status"]]
    unfair = [one.name for one in students if float(scores[one.name]["score"]) < one.least]
    statuses = Counter(row["status"] for row in scores.values())
    return {
        "submissions": n,
        "kinds": dict(Counter(one.kind for one in students)),
        "statuses": dict(statuses),
        "kills": kills,
        "lost": len(lost),
        "below_what_they_deserve": len(unfair),
        "seconds": round(seconds, 1),
        "per_second": round(n / seconds, 2),
    }


def side_by_side(path: Path, exercise: Exercise, folder: Path, n: int, peers: int) -> dict[str, Any]:
    """Throughput on the same notebooks, start-up included; ours between two halves of the other's."""
    students = hand_in(folder, classroom(exercise, n, hostile=False, seed=1))
    chosen = students[:: max(1, n // peers)][:peers]
    zipped = otter.autograder(exercise, folder / "otter.zip")
    theirs = seconds_of_otter(chosen[::2], folder, zipped)
    started = time.perf_counter()
    assert grade(path, folder).wait() == 0
    ours = time.perf_counter() - started
    theirs += seconds_of_otter(chosen[1::2], folder, zipped)
    scores = gradebook(folder)
    points = {one.name: otter.score(folder / "otter" / one.name) for one in chosen}
    same = sum(abs(points[name] - float(scores[name]["reached"])) < 0.02 for name in points)
    return {
        "ours": {"submissions": n, "seconds": round(ours, 1), "per_second": round(n / ours, 2)},
        "otter": {
            "submissions": len(chosen),
            "seconds": round(theirs, 1),
            "per_second": round(len(chosen) / theirs, 3),
        },
        "ratio": round(n / ours / (len(chosen) / theirs), 1),
        "same_score": same,
    }


def seconds_of_otter(students: list[Notebook], folder: Path, zipped: Path) -> float:
    """Wall time of `otter run` on each, as many at a time as there are cores."""
    started, running = time.perf_counter(), []
    for one in students:
        if len(running) == cores():
            running.pop(0).wait()
        running.append(otter.run(folder / "in" / f"{one.name}.ipynb", zipped, folder / "otter" / one.name))
    for process in running:
        process.wait()
    return time.perf_counter() - started


def hand_in(folder: Path, students: Any) -> list[Notebook]:
    """Write the notebooks to folder/in; returns them."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    found = list(students)
    for one in found:
        (folder / "in" / f"{one.name}.ipynb").write_bytes(one.content)
    return found


def grade(path: Path, folder: Path, *options: str) -> subprocess.Popen:
    """Start `coursekit grade` on folder/in."""
    arguments = ["grade", str(folder / "in"), "--exercise", str(path), "--out", str(folder / "grades")]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments, *options], stdout=log, stderr=log)


def gradebook(folder: Path) -> dict[str, dict[str, str]]:
    """Its rows, by student."""
    return {row["student"]: row for row in read_table(folder / "grades" / "gradebook.csv")}


def stored(folder: Path) -> dict[str, bytes]:
    """The results that are there."""
    return {path.name: path.read_bytes() for path in (folder / "grades" / "results").glob("*.json")}


if __name__ == "__main__":
    typer.run(main)
