"""Everything that MyST has and chapters may use, with what becomes of it in a notebook."""

SITE = "https://dgm-course.github.io/dgm-course/"
PAGE = f"{SITE}01-chapter.html"
# name: source in MyST, what must stand in the notebook.
CONSTRUCTS = {
    "citation": ("By {cite:t}`bishop2006pattern`.", f"By Bishop [[2006]({SITE}index.html#id"),
    "citations": ("Known {cite:p}`bishop2006pattern`.", f"Known [[Bishop, 2006]({SITE}index.html#id"),
    "target": ("(sec-here)=\n## A section\n\nIts text.", "## A section\n\nIts text."),
    "ref": ("See {ref}`sec-here` once.", f"See [A section]({PAGE}#sec-here) once."),
    "titled ref": ("See {ref}`there <sec-here>` twice.", f"See [there]({PAGE}#sec-here) twice."),
    "markdown link": ("See [that](#sec-here) too.", f"See [that]({PAGE}#sec-here) too."),
    "equation": ("$$a\n= b$$ (eq-one)", "$$a\n= b \\tag{1.1}$$"),
    "math directive": ("```{math}\n:label: eq-two\nc = d\n```", "$$c = d \\tag{1.2}$$"),
    "eq": ("By {eq}`eq-two` so.", f"By [(1.2)]({PAGE}#equation-eq-two) so."),
    "doc": ("In {doc}`/index` first.", f"In [A little book]({SITE}index.html) first."),
    "term": ("An {term}`entropy <Entropy>` here.", f"An [entropy]({SITE}index.html#term-Entropy) here."),
    "figure": (
        "```{figure} dot.png\n:name: fig-dot\n:alt: A dot.\n\nThe *dot*.\n```",
        f"![A dot.]({SITE}_images/dot.webp)\n\n**Fig. 1.1** The *dot*.",
    ),
    "numref": ("In {numref}`fig-dot` we see.", f"In [Fig. 1.1]({PAGE}#fig-dot) we see."),
    "theorem": (
        "```{prf:theorem} Of $x$\n:label: thm-x\n\nAll is {term}`Entropy`.\n```",
        f"> **Theorem 1.1 (Of $x$)**\n>\n> All is [Entropy]({SITE}index.html#term-Entropy).",
    ),
    "unnumbered": ("```{prf:remark} Aside\n:nonumber:\n\nSo.\n```", "> **Remark (Aside)**\n>\n> So."),
    "proof": ("```{prf:proof}\nClear.\n```", "> Proof. Clear."),
    "prf:ref": ("By {prf:ref}`thm-x` it is.", f"By [Theorem 1.1]({PAGE}#thm-x) it is."),
    "admonition": (":::{admonition} Why?\n:class: tip\n\nBecause.\n:::", "> **Why?**\n>\n> Because."),
    "note": ("```{note}\nMind this.\n```", "> **Note**\n>\n> Mind this."),
    "dropdown": (":::{dropdown} More\nHidden $x$.\n:::", "> **More**\n>\n> Hidden $x$."),
    "tab set": (
        "::::{tab-set}\n:::{tab-item} One\nFirst.\n:::\n:::{tab-item} Two\nSecond.\n:::\n::::",
        "**One**\n\nFirst.\n\n**Two**\n\nSecond.",
    ),
    "footnote": ("Noted.[^note]\n\n[^note]: Below.", f"Noted.<sup>[1]({PAGE}#note)</sup>"),
    "comment": ("Before.\n\n% never seen\n\nAfter.", "Before.\n\nAfter."),
    "definition list": ("Word\n: What it means.", "- **Word**\n\n  What it means."),
    "subscript": ("Water is H{sub}`2`O.", "Water is H<sub>2</sub>O."),
    "superscript": ("The 2{sup}`nd` one.", "The 2<sup>nd</sup> one."),
    "attributes": ("A [span]{.blue} of words.", "A span of words."),
    "table": (
        "| a | b |\n|---|---|\n| $\\|x\\|$ | 2 |",
        "| a | b |\n| --- | --- |\n| $\\vert x\\vert $ | 2 |",
    ),
}
# What a notebook can't hold: reStructuredText, the tag of what it becomes, the remedy that the error names.
UNTRANSLATED = {
    "raw HTML": (".. raw:: html\n\n   <b>x</b>", "raw", "say it in Markdown"),
    "letters as numbers": ("a. One\nb. Two", "enumerated_list", r"count by 1\. 2\. 3\."),
    "numbers in brackets": ("(1) One\n(2) Two", "enumerated_list", r"count by 1\. 2\. 3\."),
    "span of columns": ("== ==\na  b\n== ==\nboth\n-----\n1  2\n== ==", "table", "repeat it"),
    "span of rows": (
        "+-+-+\n|a|b|\n+=+=+\n|1|2|\n+ +-+\n| |3|\n+-+-+",
        "table",
        "repeat it",
    ),
    "table without a head": ("== ==\n1  2\n3  4\n== ==", "table", "give it one"),
    "table with two heads": ("== ==\na  b\nc  d\n== ==\n1  2\n== ==", "table", "give it one"),
    "list in a cell": ("== ====\na  b\n== ====\n1  * x\n   * y\n== ====", "table", "write it in a line"),
    "lines of a verse": ("| One\n| Two", "line_block", "add on_line_block"),
    "options": ("-a  All.", "option_list", "add on_option_list"),
    "a problem": ("`x", "problematic", "add on_problematic"),
    "a session": (">>> 1\n1", "doctest_block", "add on_doctest_block"),
    "fields": ("Words.\n\n:a: b", "field_list", "add on_field_list"),
}
# Plain Markdown, which must come through as it was.
PLAIN = {
    "list": "1. One, with $x_1 * y$.\n\n2. Two:\n\n   $$\\text{a} = {{b}}$$\n\n   and more.",
    "brackets": "3) Three,\n4) four.",
    "code": "```python\nx = {'a': 1}  # {ref}`x`\n```",
    "line": "A **bold** and *soft* `code`, a [link](https://example.org/a) and \\*stars\\* of 2 \\$.",
    "quotation": "> Words.",
}
