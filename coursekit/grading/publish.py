"""From a folder of submissions to everything that is written about them."""

from dataclasses import dataclass, field
from pathlib import Path

from coursekit.files import write_atomically
from coursekit.grading import job, roster, run, written
from coursekit.grading.exercise import Exercise
from coursekit.grading.gradebook import Grade, write_canvas, write_gradebook, write_moodle
from coursekit.grading.job import Plan
from coursekit.grading.late import Late
from coursekit.grading.overview import instructor_page
from coursekit.grading.report import student_page
from coursekit.grading.submissions import find

SHEET = "written.csv"


@dataclass(frozen=True)
class Options:
    """How a folder of submissions is graded.

    Attributes:
        plan: exercise, sandbox and limits.
        processes: of this machine that grade side by side.
        scheduler: address of a Dask scheduler, whose workers grade in their place; "": none.
        roster: CSV of the students, or None: whoever handed in.
        written: CSV with marks given by hand, beside those in the output folder's own sheet.
        late: the policy.
        column: the assignment as Canvas calls it; "": the exercise's name.
    """

    plan: Plan
    processes: int = 1
    scheduler: str = ""
    roster: Path | None = None
    written: Path | None = None
    late: Late = field(default_factory=Late)
    column: str = ""


def grade_folder(folder: Path, out: Path, options: Options, progress: bool = True) -> list[Grade]:
    """Grade all submissions in `folder`; write results, tables, reports and the instructor's page to `out`.

    What can be wrong with tables and options is found before anything is graded.

    Raises:
        FileNotFoundError: folder, roster or sheet is not there.
        ValueError: one of them can't be read, or another grader is at work in `out`.
    """
    exercise = options.plan.exercise
    students = roster.read(options.roster) if options.roster else []
    sheet = _sheet(out, options.written, exercise)
    turns = roster.assign(find(folder), students)
    store = run.Store(out / "results", exercise, options.plan.conditions)
    runner = job.locally(options.plan, options.processes)
    if options.scheduler:
        runner = job.on_cluster(options.plan, options.scheduler)
    found = run.results(turns, store, runner, progress)
    grades = [Grade(turn, exercise, found[turn.student.key], {}, options.late) for turn in turns]
    grades = written.marked(grades, sheet)
    publish(out, exercise, grades, sheet, options.column)
    return grades


def publish(out: Path, exercise: Exercise, grades: list[Grade], sheet: written.Sheet, column: str) -> None:
    """Write the tables, the sheet for marks, a report for each student, and the instructor's page."""
    run.clean(out)
    write_gradebook(out / "gradebook.csv", exercise, grades)
    write_canvas(out / "canvas.csv", exercise, grades, column or exercise.name)
    write_moodle(out / "moodle.csv", exercise, grades)
    written.write_sheet(out / SHEET, grades, sheet)
    run.clean(out / "reports")
    for grade in grades:
        write_atomically(out / "reports" / f"{run.slug(grade.key)}.html", student_page(grade))
    write_atomically(out / "instructor.html", instructor_page(exercise, grades))


def _sheet(out: Path, given: Path | None, exercise: Exercise) -> written.Sheet:
    """The marks in the output folder's sheet, and over them those of the sheet that was given."""
    own = written.read_sheet(out / SHEET, exercise) if (out / SHEET).is_file() else {}
    rows = written.read_sheet(given, exercise) if given else {}
    return own | {whose: row for whose, row in rows.items() if row["points"]}
