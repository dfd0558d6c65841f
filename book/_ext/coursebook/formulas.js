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

// What a formula draws, in one list: every letter and bar with its place, in whole units, of which an em has a thousand.
const STEP = /(translate|scale)\(\s*(-?[\d.]+)(?:[\s,]+(-?[\d.]+))?\s*\)/g;

const placed = (adaptor, node, { x, y, scale }) => {
  const transform = adaptor.getAttribute(node, "transform") ?? "";
  if (transform.replace(STEP, "").trim()) throw new Error(`a transform that is not known: ${transform}`);
  for (const [, name, first, second] of transform.matchAll(STEP)) {
    if (name === "scale") scale *= Number(first);
    else [x, y] = [x + scale * Number(first), y + scale * Number(second ?? 0)];
  }
  return { x, y, scale };
};

const draw = (adaptor, node, at) => {
  const number = (name) => Number(adaptor.getAttribute(node, name) ?? 0);
  const kind = adaptor.kind(node), ours = ["g", "use", "rect"].includes(kind);
  // A letter that is not MathJax's is text, which keeps its own transform: it stands upright in a space upside down.
  const here = ours ? placed(adaptor, node, at) : at, scale = Math.round(1000 * here.scale) / 1000;
  const leaf = adaptor.node(ours ? kind : "g");
  if (kind === "g") return adaptor.childNodes(node).flatMap((child) => draw(adaptor, child, here));
  const [x, y] = [Math.round(here.x + scale * number("x")), Math.round(here.y + scale * number("y"))];
  if (kind === "rect") {
    const [width, height] = ["width", "height"].map((name) => Math.round(scale * number(name)));
    Object.entries({ x, y, width, height }).forEach(([name, value]) => adaptor.setAttribute(leaf, name, `${value}`));
  } else if (scale === 1 && kind === "use") {
    Object.entries({ x, y }).forEach(([name, value]) => value && adaptor.setAttribute(leaf, name, `${value}`));
  } else {
    adaptor.setAttribute(leaf, "transform", `translate(${here.x.toFixed()},${here.y.toFixed()})scale(${scale})`);
  }
  if (kind === "use") adaptor.setAttribute(leaf, "href", adaptor.getAttribute(node, "href"));
  else if (kind !== "rect") adaptor.append(leaf, node);
  return [leaf];
};

const flatten = (adaptor, svg) => {
  const [group] = adaptor.childNodes(svg);
  const leaves = adaptor.childNodes(group).flatMap((child) => draw(adaptor, child, { x: 0, y: 0, scale: 1 }));
  [...adaptor.childNodes(group)].forEach((child) => adaptor.remove(child));
  leaves.forEach((leaf) => adaptor.append(group, leaf));
};

// An outline from step to step, not from the corner of the em: shorter by a third once it is compressed.
const LENGTHS = { M: 2, L: 2, T: 2, Q: 4, H: 1, V: 1, Z: 0 };

const relative = (d) => {
  const tokens = d.match(/[MLTQHVZ]|-?[\d.]+/g) ?? [], parts = [];
  let x = 0, y = 0, startX = 0, startY = 0, last = "";
  for (let i = 0; i < tokens.length;) {
    const command = tokens[i], n = LENGTHS[command], at = tokens.slice(i + 1, i + 1 + n).map(Number);
    if (n === undefined) throw new Error(`an outline that is not known: ${d}`);
    i += 1 + n;
    const steps = at.map((value, k) => value - (command === "V" || (command !== "H" && k % 2) ? y : x));
    const text = steps.map((step) => Number(step.toFixed(2))).join(" ").replaceAll(" -", "-");
    const name = command === last && command !== "M" ? (text.startsWith("-") ? "" : " ") : command.toLowerCase();
    parts.push(name + text);
    last = command;
    if (command === "Z") [x, y] = [startX, startY];
    else if (command === "H") [x] = at;
    else if (command === "V") [y] = at;
    else [x, y] = at.slice(-2);
    if (command === "M") [startX, startY] = [x, y];
  }
  return parts.join("");
};

// The outlines of a formula's letters: a page holds each once, whatever number of formulas draws it.
const takeGlyphs = (adaptor, svg) => {
  const [defs] = adaptor.tags(svg, "defs"), glyphs = {}, plain = (id) => id.replace(/^#?MJX-\d+-TEX-/, "g-");
  for (const outline of adaptor.childNodes(defs)) {
    glyphs[plain(adaptor.getAttribute(outline, "id"))] = relative(adaptor.getAttribute(outline, "d"));
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
  flatten(adaptor, svg);
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
