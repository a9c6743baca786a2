// The board by key and by drag: everything here posts the same forms that the pages without it post.
(function () {
  "use strict";

  const KEYS = { a: "assign", x: "extend", t: "take-over", u: "nudge" };
  const sheet = document.getElementById("board-sheet");

  // ---- a run goes on by itself ----

  for (const form of document.querySelectorAll("form[data-continue]")) {
    window.setTimeout(() => {
      if (!form.dataset.stopped) form.requestSubmit(form.querySelector("button:not([name])"));
    }, 400);
    form.addEventListener("submit", () => {
      form.dataset.stopped = "1";
    });
  }

  if (!sheet || !window.htmx) return;

  // ---- the acts on one row ----

  function rowOf(element) {
    return element && element.closest ? element.closest("tr[data-ticket]") : null;
  }

  function focusOn(act) {
    // what is not offered says why, and is read out
    const part = document.getElementById("do-" + act);
    const field = part && (part.querySelector("select, input:not([type=hidden]), textarea") || part);
    if (field) field.focus();
  }

  function open(row, act) {
    const link = row.querySelector("[data-act]");
    if (!link) return;
    sheet.dataset.from = row.dataset.ticket;
    window.htmx.ajax("GET", link.getAttribute("href"), { target: "#board-act", swap: "innerHTML" }).then(() => {
      if (!sheet.open) sheet.showModal();
      if (act) focusOn(act);
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-act]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(rowOf(link), "assign");
  });

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    const act = KEYS[event.key];
    if (!act || typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (sheet.open) {
      event.preventDefault();
      focusOn(act);
      return;
    }
    const row = rowOf(document.activeElement) || rowOf(document.querySelector("tr.is-picked [data-row]"));
    if (!row) return;
    event.preventDefault();
    open(row, act);
  });

  sheet.addEventListener("close", () => {
    const row = document.querySelector(`tr[data-ticket="${CSS.escape(sheet.dataset.from || "")}"] [data-row]`);
    if (row) row.focus();
  });

  // ---- a row dropped on an owner is handed over ----

  let dragged = null;

  function ownerAt(event) {
    const line = event.target.closest ? event.target.closest("tr[data-owner]") : null;
    return dragged && line;
  }

  document.addEventListener("dragstart", (event) => {
    dragged = rowOf(event.target);
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.ticket.split(":")[0]);
    document.documentElement.classList.add("is-dragging");
  });

  document.addEventListener("dragover", (event) => {
    const line = ownerAt(event);
    for (const other of document.querySelectorAll("tr.is-target")) other.classList.toggle("is-target", other === line);
    if (!line) return;
    line.classList.add("is-target");
    event.preventDefault();
  });

  document.addEventListener("dragend", () => {
    dragged = null;
    document.documentElement.classList.remove("is-dragging");
    for (const line of document.querySelectorAll("tr.is-target")) line.classList.remove("is-target");
  });

  document.addEventListener("drop", (event) => {
    const line = ownerAt(event);
    if (!line) return;
    event.preventDefault();
    const [number, version] = dragged.dataset.ticket.split(":");
    const board = document.getElementById("board-form");
    const form = document.createElement("form");
    form.method = "post";
    form.action = dragged.querySelector("[data-act]").pathname;
    const values = {
      csrfmiddlewaretoken: board.elements.csrfmiddlewaretoken.value,
      back: board.elements.back.value,
      do: "assign",
      owner: line.dataset.owner,
      version,
    };
    for (const [name, value] of Object.entries(values)) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
    sheet.dataset.from = `${number}:${version}`;
  });
})();
