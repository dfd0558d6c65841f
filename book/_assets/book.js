// A page is read from its top: the rest is laid out at the reader's first move, or at once where an address leads into it.
{
  const { classList } = document.documentElement;
  const moves = ["scroll", "wheel", "pointerdown", "touchstart", "keydown", "focusin", "hashchange"];
  const layOut = ({ type, target }) => {
    if (type === "scroll" && target !== document) return; // the theme brings the contents to the page's entry
    moves.forEach((name) => removeEventListener(name, layOut, true));
    classList.add("whole");
  };
  moves.forEach((name) => addEventListener(name, layOut, { capture: true, passive: true }));
}

// A box that scrolls can be reached by keyboard. Boxes are measured when the reader comes near: to measure all of
// them at once would lay out the whole page.
{
  const boxes = document.querySelectorAll(
    "pre, .cell_output > .output, .ck-wide, .pst-scrollable-table-container, div.math, mjx-container[display]");
  const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const fits = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (scrolls(target)) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  const near = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    if (!isIntersecting) return;
    near.unobserve(target);
    fits.observe(target);
  }), { rootMargin: "100%" });
  boxes.forEach((box) => near.observe(box));
}

// The theme takes the focus away from its buttons once they are clicked. Who works them by keyboard keeps it: else a
// menu that closes has nowhere to lead back to, and the next Tab begins at the top of the page.
{
  let keyed = false;
  document.addEventListener("keydown", () => { keyed = true; }, true);
  document.addEventListener("pointerdown", () => { keyed = false; }, true);
  document.querySelectorAll(".theme-switch-button, .search-button, .sidebar-toggle").forEach((button) => {
    button.blur = () => { if (!keyed) HTMLElement.prototype.blur.call(button); };
  });
}
