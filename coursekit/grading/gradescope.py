"""Grade the one submission of a Gradescope container, and say it in Gradescope's format, results.json."""

from pathlib import Path
from typing import Any

from coursekit.files import write_json
from coursekit.grading import job, roster, run
from coursekit.grading.gradebook import Grade
from coursekit.grading.job import Plan
from coursekit.grading.notebook import Unreadable
from coursekit.grading.report import summary
from coursekit.grading.roster import Student
from coursekit.grading.submissions import find


def grade_one(folder: Path, out: Path, plan: Plan) -> dict[str, Any]:
    """Grade the newest notebook in a folder and write out/results.json; returns what it holds.

    Lateness is left to Gradescope, and so are the answers graded by hand. If the grader fails no file is
    written, and Gradescope tells the instructor that the autograder failed.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is empty.
        SandboxError: the sandbox does not start.
    """
    turn = roster.turn(Student("submission", "submission"), find(folder))
    submission = turn.submission
    try:
        if submission.problem:
            raise submission.problem
        result = job.do(job.Job(submission.read(), plan))
    except Unreadable as error:
        result = run.refused(plan.exercise, error.reason, error.text)
    finally:
        job.close()
    grade = Grade(turn, plan.exercise, result)
    content = results(grade)
    write_json(out / "results.json", content)
    print("\n".join(for_instructors(grade)))  # which Gradescope shows to instructors alone
    return content


def for_instructors(grade: Grade) -> list[str]:
    """Lines on what failed in the hidden tests, and on what the answers behave like."""
    lines = []
    for key, seen in grade.result["questions"].items():
        failed = [check for check in seen["checks"] if check["which"] == "hidden" and not check["passed"]]
        lines += [f"{key}, hidden: {check['name']}: {check['problem']['text']}" for check in failed]
        lines += [f"{key} behaves like: {seen['like']}"] if seen["like"] else []
    return lines or ["Nothing failed in the hidden tests."]


def results(grade: Grade) -> dict[str, Any]:
    """A result in Gradescope's format: a test for each question, with nothing of the hidden tests.

    None is "hidden": students then would not see their score at all.
    """
    said = [] if grade.status == "graded" else [f"Not graded: {grade.status}."]
    return {
        "score": grade.reached,
        "execution_time": round(grade.result["seconds"], 1),
        "output": "\n".join([*said, *grade.result["notes"]]),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [_test(grade, key, i) for i, key in enumerate(grade.exercise.questions, 1)],
    }


def _test(grade: Grade, key: str, position: int) -> dict[str, Any]:
    question, points = grade.exercise.questions[key], grade.points(key)
    facts = {"name": key, "number": str(position), "output_format": "text", "visibility": "visible"}
    if question.kind != "code":
        return facts | {"output": f"{question.points} points, graded by hand."}
    lines = summary(grade.question(key)) if grade.question(key) else []
    status = "passed" if points == question.points else "failed"
    return facts | {
        "score": points,
        "max_score": question.points,
        "status": status,
        "output": "\n".join(lines),
    }
