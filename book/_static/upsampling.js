// Wide figures, tables and formulas scroll inside their own box. A box that scrolls must
// be reachable by keyboard, one that does not must not be in the way.
(() => {
  const scrollers =
    ".ubh-scroll, .bd-article pre, mjx-container[display], .pst-scrollable-table-container";
  const update = () => {
    for (const box of document.querySelectorAll(scrollers)) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", update);
  addEventListener("resize", update);
  addEventListener("change", update); // a framework tab was switched
  addEventListener("toggle", update, true); // a box was opened

  // The sidebar holds the title and the search too, not only the list of pages.
  const sidebar = document.getElementById("pst-primary-sidebar");
  sidebar?.setAttribute("role", "navigation");
  sidebar?.setAttribute("aria-label", "Course");
})();
