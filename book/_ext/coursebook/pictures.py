"""Pictures as a page wants them: small files with known sizes, fetched when a reader comes near."""

import base64
import hashlib
import re
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.writers.html5 import HTML5Translator

INLINE = re.compile(r"data:image/(webp|png|svg\+xml);base64,([A-Za-z0-9+/=]{2000,})")
SHARED = re.compile(r"<style>(?P<style>.*?)</style>|<script>(?P<script>.*?)</script>", re.S)
WIDE = 700  # CSS pixels; on a phone the words in such a plot would be too small to read
VIEW_BOX = re.compile(
    r"<svg[^>]*?(?:width=\"[\d.]+(pt|px|)\"[^>]*?)?viewBox=\"\S+ \S+ ([\d.]+) ([\d.]+)\"", re.S
)


class WebP(ImageConverter):
    """PNG becomes lossless WebP, which holds a plot in about half the bytes."""

    conversion_rules = [("image/png", "image/webp")]  # noqa: RUF012

    def match(self, node: nodes.image) -> bool:
        """Any PNG of an HTML page."""
        return self.app.builder.format == "html" and "image/png" in self.guess_mimetypes(node)

    def get_conversion_rule(self, node: nodes.image) -> tuple[str, str]:
        """The only one."""
        return self.conversion_rules[0]

    def convert(self, _from: str, _to: str) -> bool:
        """Write the WebP unless a younger one is there."""
        source, target = Path(_from), Path(_to)
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            with Image.open(source) as picture:
                picture.save(target, "WEBP", lossless=True, method=5)
        return True


def size(path: Path) -> tuple[int, int]:
    """Width and height in CSS pixels."""
    if path.suffix != ".svg":
        with Image.open(path) as picture:
            return picture.size
    box = VIEW_BOX.search(path.read_text(encoding="utf-8"))
    if box is None:
        raise ValueError(f"{path} has no viewBox; expected one, so that the page knows its size beforehand.")
    unit = 96 / 72 if box[1] == "pt" else 1
    return round(float(box[2]) * unit), round(float(box[3]) * unit)


def visit_image(translator: HTML5Translator, node: nodes.image) -> None:
    """The picture with its size, so that nothing moves when it comes after the words; a wide one is boxed."""
    path = Path(translator.builder.srcdir, node["uri"])
    HTML5Translator.visit_image(translator, node)
    more = ' loading="lazy" decoding="async" fetchpriority="low"'
    if path.is_file() and not {"width", "height", "scale"} & set(node.attributes):
        width, height = size(path)
        more += f' width="{width}" height="{height}"'
        node["wide"] = width > WIDE and "cell_output" in node.parent.get("classes", [])
    box = f'<div class="ck-wide" style="--natural: {width}px">' if node.get("wide") else ""
    translator.body[-1] = translator.body[-1].replace("<img ", f"{box}<img{more} ", 1)


def depart_image(translator: HTML5Translator, node: nodes.image) -> None:
    """As ever, and the end of the box."""
    HTML5Translator.depart_image(translator, node)
    if node.get("wide"):
        translator.body.append("</div>\n")


def out_of_line(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the pictures that interactive figures carry within themselves into files."""
    if app.builder.format != "html":
        return
    home = "../" * docname.count("/")
    seen: set[str] = set()
    for node in doctree.findall(nodes.raw):
        if node.get("format") != "html":
            continue
        text = INLINE.sub(lambda found: home + written(found, Path(app.outdir)), node.astext())
        if 'class="ck-figure"' in text:
            text = SHARED.sub(lambda found: once(found, seen, home, Path(app.outdir)), text)
        node.clear()
        node += nodes.Text(text)


def once(found: re.Match[str], seen: set[str], home: str, out: Path) -> str:
    """What figures share stands once a page, and the text need not wait for their script."""
    if found[0] in seen:
        return ""
    seen.add(found[0])
    if found["style"]:
        return found[0]
    return f'<script defer src="{home}{in_file(found["script"].encode(), "js", out)}"></script>'


def written(found: re.Match[str], out: Path) -> str:
    """Write one picture; its address from the book's home."""
    return in_file(base64.b64decode(found[2]), found[1].partition("+")[0], out)


def in_file(content: bytes, suffix: str, out: Path) -> str:
    """Write a file, named by its content, unless it is there; its address from the book's home."""
    path = out / "_images" / f"{hashlib.sha256(content).hexdigest()[:20]}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content)
    return f"_images/{path.name}"
