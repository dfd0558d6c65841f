"""Formulas with all that the book's formulas are made of, and MathJax's own picture of each."""

import json
import subprocess
from pathlib import Path

from coursebook import assets
from coursebook.npm import NODE

FORMULAS = {
    "letters": r"p_\theta(x \mid z) = \mathcal{N}\big(x; f_\theta(z), \sigma^2 I\big)",
    "accents": r"\hat{x} + \tilde\varepsilon + \bar\alpha_t + \dot x + \overline{ab}",
    "fractions": r"\frac{1}{n} \sum_{i=1}^{n} \tfrac12 \log \frac{p(x_i)}{q(x_i)}",
    "roots": r"\sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \frac{\alpha}{\frac{\beta}{2}}}\,\varepsilon",
    "scripts of scripts": r"e^{-x_{t_k}^{2}} \prod_{k=1}^{K} a_{b_{c_d}}",
    "operators": r"\arg\min_\theta \; \mathbb{E}_{x \sim p}\big[-\log p(x)\big] \iff \det J",
    "cases": r"f(x) = \begin{cases} 1 & \text{if } x > 0, \\ 0 & \text{otherwise} \end{cases}",
    "aligned": r"\begin{aligned} a &= b + c \\ &\le \Big( \int_0^1 d\,\mathrm{d}t \Big)^{1/2} \end{aligned}",
    "tall brackets": r"\left( \begin{matrix} 1 \\ 2 \\ 3 \\ 4 \\ 5 \\ 6 \end{matrix} \right)",
    "tall bars": r"\left\lVert \frac{\frac{a}{b}}{c} \right\rVert",
    "braces": r"\underbrace{\log p(x)}_{\text{wanted, and more}} - \underbrace{D_{\mathrm{KL}}}_{\ge 0}",
    "brackets": r"\lfloor x \rfloor \langle a, b \rangle \lvert c \rvert \Vert d \Vert \{ e \}",
    "letters of other fonts": r"p(\text{жизнь} \mid \text{深度学习}_{\text{ж}})",
    "signs": r"a \propto b \approx c \ne d \pm e \odot f \circ g \times h \cdot i \infty \nabla \partial",
}
ORIGINAL = """
const folder = process.argv[1], formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(`${folder}/node-main.js`).init({
  loader: {
    versionWarnings: false, paths: { mathjax: folder }, require,
    load: ["input/tex-base", "[tex]/ams", "output/svg", "adaptors/liteDOM"],
  },
  tex: { packages: ["base", "ams"] }, svg: { fontCache: "none" },
}).then(async (MathJax) => {
  const drawn = [];
  for (const tex of formulas) {
    drawn.push(MathJax.startup.adaptor.innerHTML(await MathJax.tex2svgPromise(tex, { display: true })));
  }
  process.stdout.write(JSON.stringify(drawn));
});
"""


def originals() -> dict[str, str]:
    """MathJax's own SVG of each formula, with outlines where they stand."""
    folder: Path = assets.ensure(assets.TOOLS) / "mathjax"
    task = json.dumps(list(FORMULAS.values()))
    command = [NODE, "-e", ORIGINAL, folder]
    done = subprocess.run(command, input=task, capture_output=True, text=True, timeout=60, check=True)
    return dict(zip(FORMULAS, json.loads(done.stdout), strict=True))
