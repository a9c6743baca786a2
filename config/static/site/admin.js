// The admin site names a column, not its cells: each field in a row of a table gets its column's name, and each
// half of a date and time the name of its row, for those who hear the page.
(function () {
  "use strict";

  function nameOf(field) {
    const cell = field.closest(".tabular td");
    const head = cell && cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
    const row = field.closest(".form-row");
    const name = head || (row && row.querySelector("label, legend"));
    return name ? name.textContent.trim().replace(/[:：]$/, "") : "";
  }

  function nameFields(place) {
    for (const field of place.querySelectorAll("input:not([type=hidden], [type=submit]), select, textarea")) {
      const name = field.labels.length || field.getAttribute("aria-label") ? "" : nameOf(field);
      if (name) field.setAttribute("aria-label", name);
    }
  }

  document.addEventListener("formset:added", (event) => nameFields(event.target));
  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("#content-main form[method=post]")) nameFields(form);
  });
})();
