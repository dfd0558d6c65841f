"""What makes a page light: formulas without a script, one style sheet, pictures in files."""

import base64
import io
import re

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from fontTools.ttLib import TTFont
from PIL import Image

from coursebook import code, fonts, formulas, pictures, styles
from tests.book import little

PROSE = """With $x_t^2$ and $x_t$ in the text.

$$a &= b \\\\ c &= \\mathbb{E}[x_t]$$ (eq-pair)

By {eq}`eq-pair` it is so.
"""
PLOT = """---
mystnb:
  image: {alt: a line that rises}
---
import matplotlib.pyplot as plt

plt.plot([1, 2]);"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A little book with formulas and a plot."""
    made = little.make(tmp_path_factory.mktemp("book"))
    made.chapter.write_text(made.chapter.read_text().replace("Prose.", PROSE))
    made.add_cell(PLOT)
    done = made.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def page(book):
    """The chapter as built."""
    return BeautifulSoup(book.page, "html.parser")


def test_every_letter_of_every_formula_has_its_outline_on_the_page_once(page):
    """Formulas point to outlines; a missing one would be drawn as nothing."""
    outlines = [path["id"] for path in page.select("svg.glyphs path")]
    used = {use["href"][1:] for use in page.select("mjx-container use")}
    assert len(outlines) == len(set(outlines))
    assert used == set(outlines) != set()


def test_a_formula_is_readable_for_those_who_do_not_see_it(page):
    """The drawing is hidden from screen readers, the MathML is not."""
    containers = page.select("mjx-container")
    assert len(containers) == 3
    for container in containers:
        assert container.svg["aria-hidden"] == "true"
        assert container.find("math").get_text(strip=True)
        assert not container.find("mjx-assistive-mml").get("aria-hidden")
    assert page.select_one("div.math mjx-container math mtable")


def test_a_page_with_formulas_needs_no_script_for_them(page):
    """No MathJax, and nothing that the text would wait for: scripts are deferred, the style sheet is one."""
    sources = [script["src"] for script in page.select("script[src]")]
    assert not [source for source in sources if "mathjax" in source.lower()]
    assert all(script.has_attr("defer") for script in page.select("script[src]"))
    assert [link["href"].partition("?")[0] for link in page.select("link[rel=stylesheet]")] == [
        "_static/book-all.css"
    ]


def test_numbers_of_equations_lead_to_them(page):
    """As they did when MathJax ran in the page."""
    assert page.select_one("div.math .eqno").get_text().startswith("(1)")
    assert page.select_one("a.reference[href='#equation-eq-pair']").get_text() == "(1)"
    assert page.find(id="equation-eq-pair")


def test_a_formula_that_cannot_be_read_fails_the_build(tmp_path):
    """With its place, and MathJax's reason."""
    made = little.make(tmp_path)
    made.chapter.write_text(made.chapter.read_text().replace("Prose.", "Here $\\nosuch{x}$ stands."))
    done = made.build()
    assert done.returncode != 0
    assert "01-chapter.md" in done.stderr
    assert "Undefined control sequence \\nosuch" in done.stderr


def test_a_length_does_not_depend_on_the_font_that_is_there():
    """ex would change when the serif arrives, and the page would move."""
    html = formulas.typeset("x^2", display=False)
    assert re.search(r'width="[\d.]+em"', html)
    assert not re.search(r"\dex\b", html)


def test_a_plot_is_a_webp_of_known_size(book, page):
    """Nothing moves when it comes, and it waits for the reader."""
    picture = page.select_one("img[alt='a line that rises']")
    with Image.open(book.root / "_build" / "html" / picture["src"]) as file:
        assert file.format == "WEBP"
        assert (int(picture["width"]), int(picture["height"])) == file.size
    assert picture["loading"] == "lazy"


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ('<svg width="72pt" height="36pt" viewBox="0 0 72 36">', (96, 48)),
        ('<svg height="10" viewBox="0 0 30 10">', (30, 10)),
    ],
)
def test_a_drawing_has_a_size_too(tmp_path, head, size):
    """Matplotlib counts in points, others in pixels."""
    path = tmp_path / "a.svg"
    path.write_text(f"<?xml version='1.0'?>\n{head}</svg>")
    assert pictures.size(path) == size
    path.write_text("<svg></svg>")
    with pytest.raises(ValueError, match="has no viewBox"):
        pictures.size(path)


def test_figures_keep_their_pictures_and_their_script_in_files(tmp_path):
    """Two figures share one style and one script; the same picture is one file."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "WEBP")
    inline = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
    figure = f'<div class="ck-figure"><style>a{{}}</style><img src="{inline}"><script>run()</script></div>'
    document = nodes.document(None, None)
    document += [nodes.raw("", figure, format="html"), nodes.raw("", figure, format="html")]
    app = type("App", (), {"builder": type("B", (), {"format": "html", "name": "html"}), "outdir": tmp_path})
    pictures.out_of_line(app, document, "exercises/a")
    first, second = (node.astext() for node in document)
    assert "base64" not in first + second
    assert first.count("<style>") == first.count("<script defer") == 1
    assert "<style>" not in second
    assert "<script" not in second
    source = re.search(r'<img src="\.\./(_images/[^"]+\.webp)"', second)[1]
    assert (tmp_path / source).read_bytes() == file.getvalue()
    assert (tmp_path / re.search(r'src="\.\./(_images/[^"]+\.js)"', first)[1]).read_text() == "run()"


@pytest.mark.parametrize(
    ("selectors", "kept"),
    [
        (".known", True),
        (".known.strange", False),
        ("div .strange, p", True),
        ("p:not(.strange)", True),
        (".known:is(.strange, .other)", True),
        (".strange > p", False),
        ("html[data-theme=dark] #anything", True),
    ],
)
def test_a_rule_is_dropped_only_if_no_element_can_have_its_classes(selectors, kept):
    """Words of scripts count as classes, since a script may set them."""
    assert styles.needed(selectors, {"known"}) is kept


def test_a_property_that_is_read_only_by_one_that_is_not_goes_too():
    """Palettes are built in layers."""
    text = "a{--x:1;--y:var(--x);--z:2;color:var(--z)}"
    assert styles.without_unread(text) == "a{--z:2;color:var(--z)}"


def test_an_imported_sheet_stands_in_its_place(tmp_path):
    """Addresses in it are seen from the one sheet."""
    static = tmp_path / "_static"
    (static / "styles").mkdir(parents=True)
    (static / "styles" / "a.css").write_text('@import "../b.css";\np{color:red}')
    (static / "b.css").write_text('a{background:url("i.png")}')
    rules = styles.parse(static / "styles" / "a.css", tmp_path)
    text = "".join(rule.serialize() for rule in rules)
    assert text.index('url("i.png")') < text.index("red")


@pytest.mark.parametrize(
    ("before", "after", "ours"),
    [
        ("so ", ", and", ("", ",")),
        ("“(", ").”", ("“(", ").”")),
        ("the ", "-th one", ("", "-th")),
        ("a ", " b", None),
    ],
)
def test_signs_stay_with_their_formula(before, after, ours):
    """No line ends with a bracket that opens before it, or begins with a comma."""
    inline = '<span class="math notranslate nohighlight"><mjx-container><svg></svg></mjx-container></span>'
    found = formulas.held(f"<p>{before}{inline}{after} and {inline}</p>")
    if ours:
        left, right = ours
        inner = f'{before.removesuffix(left)}<span class="held">{left}{inline}{right}</span>'
        assert found == f"<p>{inner}{after.removeprefix(right)} and {inline}</p>"
    else:
        assert found == f"<p>{before}{inline}{after} and {inline}</p>"


def test_every_page_asks_for_the_sheet_as_it_is_now(tmp_path):
    """Also a page that an earlier build wrote, from any folder; nothing else on it changes."""
    (tmp_path / "api").mkdir()
    link = '<link rel="stylesheet" href="{}book-all.css{}" /><a href="x.html?v=1">'
    before = {"a.html": ("_static/", ""), "api/b.html": ("../_static/", "?v=0123abcd")}
    for name, parts in before.items():
        (tmp_path / name).write_text(link.format(*parts))
    styles.address(tmp_path, "89ef89ef")
    for name, (folder, _) in before.items():
        assert (tmp_path / name).read_text() == link.format(folder, "?v=89ef89ef")


def test_the_serif_is_slim_and_has_its_letters():
    """A variable font from 400 to 700, with every letter that the package has."""
    whole = fonts.assets.ensure(fonts.assets.TOOLS) / "fonts"
    for path in sorted((fonts.ensure() / "fonts").glob("*.woff2")):
        font = TTFont(path)
        (axis,) = font["fvar"].axes
        assert (axis.axisTag, axis.minValue, axis.maxValue) == ("wght", *fonts.WEIGHTS)
        assert set(font.getBestCmap()) == set(TTFont(whole / path.name).getBestCmap())
        assert path.stat().st_size < 0.75 * (whole / path.name).stat().st_size


def test_code_keeps_its_words_without_idle_marks():
    """What a reader copies is the same; nested marks stay."""
    nested = '<span class="n"><b>x</b></span>'
    context = {"body": f'<span class="k">def</span><span class="w"> </span><span class="n">f</span>{nested}'}
    code.plain(None, "a", "page.html", context, None)
    assert context["body"] == f'<span class="k">def</span> f{nested}'
