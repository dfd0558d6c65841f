"""Notebooks as they come: nothing hostile, but not as they were handed out."""

from tests.grading.attacks.attack import CODE, FULL, HONEST, answer, beside, code, notebook

MEAN, SCALE, NORM = HONEST.values()
BARE = {key: source.split("\n", 1)[1] for key, source in HONEST.items()}
OTHERS = {"rows.scale": 2.0, "rows.norm": 2.0}
STARTERS = [question.starter for question in CODE]

ATTACKS = [
    notebook("all as it should be", [MEAN, SCALE, NORM], FULL),
    notebook("no cells", [], {}, says="no answer"),
    notebook("nothing answered", STARTERS, {}, says="not answered"),
    notebook("one answer deleted", [SCALE, NORM], OTHERS, says="no answer"),
    notebook("answers in another order", [NORM, SCALE, MEAN], FULL),
    notebook("every answer twice", [MEAN, SCALE, NORM] * 2, FULL),
    notebook(
        "a later answer that is wrong",
        [MEAN, SCALE, NORM, "# exercise: rows.mean\ndef mean_square(x):\n    return x"],
        OTHERS,
    ),
    notebook(
        "a later answer that is right",
        ["# exercise: rows.mean\ndef mean_square(x):\n    return x", MEAN, SCALE, NORM],
        FULL,
    ),
    notebook(
        "an answer whose key is spelt wrong", [MEAN.replace("rows.mean", "rows.men"), SCALE, NORM], FULL
    ),
    notebook("answers without their first lines", list(BARE.values()), FULL),
    notebook(
        "two cells without a first line that might be the answer",
        [BARE["rows.mean"], "def mean_square(x):\n    return x", SCALE, NORM],
        OTHERS,
        says="no answer",
    ),
    notebook(
        "markers in capitals and with spaces",
        [f"\n  #  EXERCISE :  rows.mean\n{BARE['rows.mean']}", SCALE, NORM],
        FULL,
    ),
    notebook("an answer in a text cell", [("markdown", MEAN), SCALE, NORM], OTHERS, says="no answer"),
    notebook(
        "an empty answer",
        ["# exercise: rows.mean (2 points)", SCALE, NORM],
        OTHERS,
        says="NameError",
    ),
    notebook("training in cells that are no answers", ["while True: pass", MEAN, "1 / 0", SCALE, NORM], FULL),
    notebook(
        "cells that pretend to be the grader's",
        ["# prelude\n1 / 0", "# hidden: rows.mean\n1 / 0", MEAN, SCALE, NORM],
        FULL,
    ),
    notebook("a thousand cells of text", [*[("markdown", "# Text\n" * 50)] * 1000, MEAN, SCALE, NORM], FULL),
    notebook("a thousand answers", [MEAN] * 1000 + [SCALE, NORM], FULL),
    notebook(
        "a hundred answers that end the process",
        ["# exercise: rows.mean\nimport os\nos._exit(0)"] * 100 + [SCALE, NORM],
        OTHERS,
        says="the process ended",
    ),
    answer("a syntax error", "def mean_square(x)\n    return x", says="SyntaxError"),
    answer("tabs and blanks mixed", "def mean_square(x):\n\ty = x\n        return y", says="TabError"),
    answer("a print of Python 2", "print 'mean'\ndef mean_square(x): return x", says="SyntaxError"),
    answer("a null byte", "def mean_square(x):\n    return '\0'", says="null bytes"),
    answer("half a character", "def mean_square(x):\n    return '\ud800'", says="a text came"),
    answer("brackets without end", "(" * 100_000, says="SyntaxError"),
    answer("an operator ten thousand times", "-" * 100_000 + "1", says="Error"),
    answer(
        "a line of a million characters", f"a = '{'a' * 10**6}'\ndef mean_square(x): return a", says="text"
    ),
    answer("a wrong number of arguments", "def mean_square(): return 0", says="TypeError"),
    answer("no function", "mean_square = 5", says="not callable"),
    answer(
        "an argument changed in place",
        "def mean_square(x):\n    x *= x\n    return x.mean(0)",
        says="in place",
    ),
    answer(
        "a random state that is changed",
        "def mean_square(x):\n    np.random.seed(1)\n    return (x * x).mean(0)",
        says="random state",
    ),
    beside(
        "lines of a notebook",
        "%matplotlib inline\n!pip install everything\nget_ipython().run_line_magic('time', '')",
    ),
    beside(
        "check within the answer",
        "check('rows.mean', None, None)\nsheet.score()\ndisplay(1)",
        key="rows.norm",
    ),
    answer(
        "a name that is not there",
        "print(model_of_another_cell)\n\ndef mean_square(x):\n    return (x * x).mean(0)",
        says="NameError",
    ),
    notebook(
        "a cell that fails after its definition", [f"{MEAN}\nprint(model.parameters())", SCALE, NORM], FULL
    ),
    answer("a dict with endless keys", "def mean_square(x):\n    return {'a' * 10**6: 1}", says="came"),
    notebook(
        "a thousand cells with keys of no question",
        [f"# exercise: {'other' * 100}.{n}\n1" for n in range(1000)] + [MEAN, SCALE, NORM],
        FULL,
    ),
    answer(
        "an exception with a long text",
        "def mean_square(x):\n    raise ValueError('a' * 10**7)",
        says="ValueError",
    ),
]
assert code([MEAN]) == ATTACKS[0].cells[:1]
