"""What of MyST would be seen raw where only Markdown is known."""

import re

CODE = re.compile(r"^(`{3,})[\w+-]*\n.*?^\1`*$", re.M | re.S)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.S)
INLINE = re.compile(r"(?<![\\$])\$[^$\n]+(?:\n[^$\n]+)*\$")
FORMULA = "\N{SQUARE ROOT}"
TRACES = {
    "role": re.compile(r"\{[\w:+.-]+\}`[^`]*`"),
    "directive": re.compile(r"^[> ]*(?:`{3,}|:{3,}|~{3,})\s*\{.*$", re.M),
    "end of a directive": re.compile(r"^[> ]*:{3,}\s*$", re.M),
    "option of a directive": re.compile(r"^[> ]*:[\w-]+:(?:[ ].*)?$", re.M),
    "target": re.compile(r"^[> ]*\([\w:. -]+\)=\s*$", re.M),
    "header": re.compile(r"\A---\n.*?^---$", re.M | re.S),
}
OUTSIDE_OF_CODE_AND_MATH = {
    "label of an equation": re.compile(rf"{FORMULA}[ ]*\([\w:.-]+\)"),
    "comment": re.compile(r"^[> ]*%.*$", re.M),
    "break": re.compile(r"^\+\+\+.*$", re.M),
    "footnote": re.compile(r"\[\^[^\]\n]+\]"),
    "substitution": re.compile(r"\{\{.*?\}\}"),
    "attributes": re.compile(r"(?<=[\])`])\{[.#\w][^}\n]*\}|^\{[.#][^}\n]*\}\s*$", re.M),
    "definition": re.compile(r"^[ ]{0,3}:[ ]+\S.*$", re.M),
    "link within the book": re.compile(r"\]\((?!https?:|mailto:)[^)\n]*\)|<project:[^>]*>"),
}


def traces(text: str) -> list[str]:
    """Every construct that is left, with what it is; none in plain Markdown with formulas.

    Code that is only shown may hold anything, but nothing else: a directive looks like code as well.
    """
    shown = CODE.sub("", text)
    found = [f"{name}: {match[0]}" for name, form in TRACES.items() for match in form.finditer(shown)]
    words = re.sub(r"(`+)[^`].*?\1", lambda match: "`" * 2, INLINE.sub("x", DISPLAY.sub(FORMULA, shown)))
    return found + [
        f"{name}: {match[0]}"
        for name, form in OUTSIDE_OF_CODE_AND_MATH.items()
        for match in form.finditer(words)
    ]
