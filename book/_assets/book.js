// A box that scrolls can be reached by keyboard. Boxes are measured when the reader comes near: to measure all of
// them at once would lay out the whole page.
{
  const boxes = document.querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container, div.math");
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
