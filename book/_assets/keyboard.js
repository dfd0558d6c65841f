// The theme takes the focus away from its buttons once they are clicked. Who works them by keyboard keeps it: else a
// menu that closes has nowhere to lead back to, and the next Tab begins at the top of the page.
(() => {
  "use strict";
  let keyed = false;
  document.addEventListener("keydown", () => { keyed = true; }, true);
  document.addEventListener("pointerdown", () => { keyed = false; }, true);
  document.querySelectorAll(".theme-switch-button, .search-button, .sidebar-toggle").forEach((button) => {
    button.blur = () => { if (!keyed) HTMLElement.prototype.blur.call(button); };
  });
})();
