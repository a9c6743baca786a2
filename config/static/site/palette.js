// The field at the top of every page: pages, views, tickets and people as one types. Without a choice, Enter searches.
(function () {
  "use strict";

  const field = document.getElementById("search");
  const box = document.getElementById("palette");
  if (!field || !box || !window.htmx || !field.hasAttribute("hx-get")) return;
  let at = -1;

  function options() {
    return [...box.querySelectorAll('[role="option"]')];
  }

  function choose(place) {
    const all = options();
    at = all.length ? (place + all.length) % all.length : -1;
    all.forEach((option, each) => option.setAttribute("aria-selected", String(each === at)));
    if (at < 0) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    field.setAttribute("aria-activedescendant", all[at].id);
    all[at].scrollIntoView({ block: "nearest" });
  }

  function show(open) {
    const seen = open && options().length > 0;
    box.hidden = !seen;
    field.setAttribute("aria-expanded", String(seen));
    if (!seen) {
      at = -1;
      field.removeAttribute("aria-activedescendant");
    }
  }

  function ask() {
    window.htmx.trigger(field, "palette");
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    field.focus();
    field.select();
    ask();
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      event.preventDefault();
      if (box.hidden) ask();
      else choose(at < 0 && event.key === "ArrowUp" ? -1 : at + moves[event.key]);
    } else if (event.key === "Enter" && at >= 0 && !box.hidden) {
      event.preventDefault();
      options()[at].click();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (box.hidden) field.blur();
      show(false);
    }
  });

  // a press on an option must not take the cursor out of the field before it is a click
  box.addEventListener("mousedown", (event) => event.preventDefault());
  field.addEventListener("blur", () => show(false));

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== box) return;
    at = -1;
    show(document.activeElement === field);
  });
})();
