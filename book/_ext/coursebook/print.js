// What paper needs and a style sheet can't say. Loaded into the document that is printed, and nowhere else.

const LEAST = { pre: 0.72, math: 0.6, table: 0.6 };

// The share of its size at which a thing of this width fits.
const share = (width, room) => Math.min(1, (room - 0.5) / width);

const shrink = (element, kind, width, room) => {
  const found = share(width, room);
  if (found === 1) return;
  element.style.fontSize = `${parseFloat(getComputedStyle(element).fontSize) * Math.max(found, LEAST[kind])}px`;
};

const widthOf = (math) => Math.max(...[...math.children].filter((child) => !child.matches("mjx-assistive-mml"))
  .map((child) => child.getBoundingClientRect().width));

// Wide code, tables and formulas get smaller, so that they fit the page; code that would get too small is broken.
function fit() {
  document.querySelectorAll("pre").forEach((pre) => {
    pre.style.whiteSpace = "pre";
    const style = getComputedStyle(pre);
    const pad = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    shrink(pre, "pre", pre.scrollWidth - pad, pre.clientWidth - pad);
    pre.style.whiteSpace = "";
  });
  document.querySelectorAll("div.math").forEach((box) => {
    const number = box.querySelector(".eqno")?.getBoundingClientRect().width ?? 0;
    box.querySelectorAll("mjx-container").forEach((math) =>
      shrink(math, "math", widthOf(math), box.clientWidth - 2 * number - (number ? 16 : 0)));
  });
  document.querySelectorAll("table").forEach((table) =>
    shrink(table, "table", table.scrollWidth, table.parentElement.clientWidth));
}

const shown = (element) => element.checkVisibility() && !element.closest("mjx-assistive-mml, .visually-hidden");

// What stands out of the page at its right edge, by the page of the site it is on.
function tooWide() {
  const right = document.body.getBoundingClientRect().right + 1;
  const outer = [...document.querySelectorAll(".page pre, .page table, .page mjx-container, .page img, .page svg")];
  return outer
    .filter((each) => shown(each) && each.getBoundingClientRect().right > right)
    .map((each) => `${each.closest(".page").id}: ${each.tagName.toLowerCase()} ${each.textContent.trim().slice(0, 80)}`);
}

// Whether a character is drawn as one that no font has, as a box: the browser does not say so.
const pen = new OffscreenCanvas(48, 48).getContext("2d", { willReadFrequently: true });
const NOBODYS = "\u{10fffe}";
const drawing = (sign, { fontFamily, fontStyle, fontWeight }) => {
  pen.clearRect(0, 0, 48, 48);
  pen.font = `${fontStyle} ${fontWeight} 28px ${fontFamily}`;
  pen.fillText(sign, 8, 32);
  return pen.getImageData(0, 0, 48, 48).data.join();
};
const isBox = (sign, style) => drawing(sign, style) === drawing(NOBODYS, style);

// One element for each character that the document shows in each style, for the question which font draws it.
function probes() {
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const owner = node.parentElement;
    if (!node.data.trim() || !shown(owner)) continue;
    const { fontFamily, fontStyle, fontWeight } = getComputedStyle(owner);
    for (const sign of node.data) {
      const key = [fontFamily, fontStyle, fontWeight, sign].join("|");
      if (sign.trim() && !found.has(key)) {
        found.set(key, { sign, fontFamily, fontStyle, fontWeight, page: owner.closest(".page")?.id ?? "front matter" });
      }
    }
  }
  const box = document.body.appendChild(document.createElement("div"));
  box.id = "probes";
  return [...found.values()].map(({ sign, page, ...style }) => {
    const probe = box.appendChild(document.createElement("span"));
    Object.assign(probe.style, style);
    probe.textContent = sign;
    return { sign, page, box: isBox(sign, style) };
  });
}

// Links to places that the document does not have, or has twice.
function deadLinks() {
  const count = {};
  document.querySelectorAll("[id]").forEach(({ id }) => { count[id] = (count[id] ?? 0) + 1; });
  return [...document.querySelectorAll('a[href^="#"]')]
    .map((link) => decodeURIComponent(link.getAttribute("href").slice(1)))
    .filter((name) => count[name] !== 1);
}

// The words of each heading, in order; of a formula in it what a screen reader says.
function headings() {
  return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown).map((heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll("a.headerlink").forEach((link) => link.remove());
    copy.querySelectorAll("mjx-container").forEach((math) =>
      math.replaceWith(math.querySelector("mjx-assistive-mml")?.textContent ?? ""));
    return copy.textContent.replace(/\s+/g, " ").trim();
  });
}

// Fills in the numbers of pages; how many were not yet right.
function number(pages) {
  let changed = 0;
  document.querySelectorAll(".page-number").forEach((place) => {
    const found = String(pages[decodeURIComponent(place.closest("a").hash.slice(1))]);
    changed += place.textContent !== found;
    place.textContent = found;
  });
  return changed;
}

// All pictures decoded, those too that would wait for a reader; the addresses of those that are not there.
async function ready() {
  const images = [...document.images];
  images.forEach((image) => { image.loading = "eager"; });
  const failed = await Promise.all(images.map((image) => image.decode().then(() => "", () => image.src.slice(0, 200))));
  await document.fonts.ready;
  return failed.filter(Boolean);
}
