// Typesets one formula a line: {"tex", "display"} in, {"html", "glyphs", "error"} out.
const path = require("path");
const readline = require("readline");

const folder = path.resolve(process.argv[2]);
const NAME = /^data-(mml-node|mjx-texclass|c)$/;

// MathJax tells its own scripts what each element stands for; the page has none of them.
const withoutNames = (adaptor, node) => {
  for (const { name } of [...adaptor.allAttributes(node)]) if (NAME.test(name)) adaptor.removeAttribute(node, name);
  adaptor.childNodes(node).filter((child) => adaptor.kind(child) !== "#text").forEach((child) => withoutNames(adaptor, child));
};

// Groups that only name what they hold are left out, and a group that moves a single glyph lends it its transform.
const simplify = (adaptor, node) => {
  for (const child of [...adaptor.childNodes(node)]) {
    if (adaptor.kind(child) === "#text") continue;
    simplify(adaptor, child);
    if (adaptor.kind(child) !== "g") continue;
    const inner = adaptor.childNodes(child), names = adaptor.allAttributes(child).map(({ name }) => name);
    const single = inner.length === 1 && adaptor.kind(inner[0]) === "use" && !adaptor.getAttribute(inner[0], "transform");
    if (single && names.length === 1 && names[0] === "transform") {
      adaptor.setAttribute(inner[0], "transform", adaptor.getAttribute(child, "transform"));
      adaptor.replace(inner[0], child);
    } else if (!names.length) {
      inner.forEach((each) => adaptor.insert(each, child));
      adaptor.remove(child);
    }
  }
};

// The outlines of a formula's letters: a page holds each once, whatever number of formulas draws it.
const takeGlyphs = (adaptor, svg) => {
  const [defs] = adaptor.tags(svg, "defs"), glyphs = {}, plain = (id) => id.replace(/^#?MJX-\d+-TEX/, "g");
  for (const outline of adaptor.childNodes(defs)) {
    glyphs[plain(adaptor.getAttribute(outline, "id"))] = adaptor.getAttribute(outline, "d");
  }
  adaptor.remove(defs);
  for (const use of adaptor.tags(svg, "use")) {
    adaptor.setAttribute(use, "href", `#${plain(adaptor.getAttribute(use, "xlink:href"))}`);
    adaptor.removeAttribute(use, "xlink:href");
  }
  return glyphs;
};

const typeset = async (MathJax, { tex, display }) => {
  const adaptor = MathJax.startup.adaptor;
  const container = await MathJax.tex2svgPromise(tex, { display });
  const failed = /data-mjx-error="([^"]*)"/.exec(adaptor.outerHTML(container));
  if (failed) return { error: failed[1] };
  const svg = adaptor.firstChild(container);
  const glyphs = takeGlyphs(adaptor, svg);
  withoutNames(adaptor, svg);
  simplify(adaptor, svg);
  const [math] = adaptor.tags(container, "math");
  withoutNames(adaptor, math);
  for (const name of ["style", "class", "jax"]) adaptor.removeAttribute(container, name);
  for (const name of ["xmlns", "xmlns:xlink", "role", "focusable"]) adaptor.removeAttribute(svg, name);
  for (const name of ["unselectable", "display"]) adaptor.removeAttribute(adaptor.parent(math), name);
  adaptor.removeAttribute(math, "xmlns");
  return { html: adaptor.outerHTML(container).replace(/><\/(use|rect)>/g, "/>"), glyphs };
};

require(path.join(folder, "node-main.js")).init({
  loader: { versionWarnings: false, paths: { mathjax: folder }, load: ["input/tex-base", "[tex]/ams", "output/svg", "adaptors/liteDOM", "a11y/assistive-mml"], require },
  tex: { packages: ["base", "ams"] },
  svg: { fontCache: "local" },
}).then(async (MathJax) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await typeset(MathJax, JSON.parse(line)))}\n`);
  }
});
