// One box ticks every box of its name on the page.
(function () {
  "use strict";

  document.addEventListener("change", (event) => {
    const name = event.target.dataset && event.target.dataset.ticks;
    if (!name || !event.target.form) return;
    for (const box of event.target.form.querySelectorAll(`input[type="checkbox"][name="${name}"]`)) {
      box.checked = event.target.checked;
    }
  });
})();
