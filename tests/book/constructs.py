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
        f"![A dot.]({SITE}_images/dot.png)\n\n**Fig. 1.1** The *dot*.",
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
    "attributes": ("A [span]{.blue} of words.", "A span of words."),
    "table": (
        "| a | b |\n|---|---|\n| $\\|x\\|$ | 2 |",
        "| a | b |\n| --- | --- |\n| $\\vert x\\vert $ | 2 |",
    ),
}
# Plain Markdown, which must come through as it was.
PLAIN = {
    "list": "1. One, with $x_1 * y$.\n\n2. Two:\n\n   $$\\text{a} = {{b}}$$\n\n   and more.",
    "code": "```python\nx = {'a': 1}  # {ref}`x`\n```",
    "line": "A **bold** and *soft* `code`, a [link](https://example.org/a) and \\*stars\\* of 2 \\$.",
    "quotation": "> Words.",
}
