// Small comforts on top of pages that work without them. No inline code, nothing evaluated, no address of our own.
(function () {
  "use strict";

  const root = document.documentElement;
  root.classList.add("scripted");

  const wordsTag = document.querySelector('meta[name="words"]');
  const words = wordsTag ? wordsTag.dataset : {};

  // ---- time chips tick ----

  function span(minutes) {
    const d = Math.floor(minutes / 1440);
    const h = Math.floor((minutes % 1440) / 60);
    const m = minutes % 60;
    const form = d ? words.days : h ? words.hours : words.minutes;
    return form.replace("{d}", d).replace("{h}", h).replace("{m}", h && !d ? String(m).padStart(2, "0") : m);
  }

  function tick() {
    if (!words.in) return;
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-tick]")) {
      const left = Date.parse(time.dateTime) - now;
      if (Number.isNaN(left)) continue;
      const late = left < 0;
      const said = span(Math.floor(Math.abs(left) / 60000));
      const text = (late ? words.late : words.in).replace("{t}", said);
      if (time.textContent !== text) time.textContent = text;
      const chip = time.closest(".time-chip");
      if (chip && late) {
        chip.classList.remove("time-soon", "time-due");
        chip.classList.add("time-late");
      }
    }
  }

  // ---- what somebody typed is kept until it has arrived ----

  const STORE = "typed:";

  function fieldsOf(form) {
    return [...form.elements].filter(
      (field) => field.name && (field.tagName === "TEXTAREA" || (field.tagName === "INPUT" && field.type === "text")),
    );
  }

  function read(form) {
    try {
      return JSON.parse(sessionStorage.getItem(STORE + form.dataset.keep));
    } catch {
      return null;
    }
  }

  function write(form, sent) {
    const typed = {};
    for (const field of fieldsOf(form)) {
      if (field.value !== field.defaultValue) typed[field.name] = field.value;
    }
    if (!Object.keys(typed).length) return forget(form);
    try {
      sessionStorage.setItem(STORE + form.dataset.keep, JSON.stringify({ typed, sent }));
    } catch {
      /* storage is full or forbidden: the page works without it */
    }
  }

  function forget(form) {
    try {
      sessionStorage.removeItem(STORE + form.dataset.keep);
    } catch {
      /* forbidden: nothing was stored either */
    }
  }

  function restore(form) {
    if (form.dataset.kept) return;
    form.dataset.kept = "1";
    const stored = read(form);
    if (!stored) return;
    if (stored.sent && document.querySelector(".message-success")) return forget(form);
    let restored = false;
    for (const field of fieldsOf(form)) {
      const text = stored.typed[field.name];
      if (text && field.value === field.defaultValue && field.value !== text) {
        field.value = text;
        restored = true;
      }
    }
    if (restored) sayRestored(form);
  }

  function sayRestored(form) {
    const note = document.createElement("p");
    note.className = "restored";
    note.append(words.restored || "");
    const discard = document.createElement("button");
    discard.type = "button";
    discard.className = "button button-quiet button-small";
    discard.textContent = words.discard || "";
    discard.addEventListener("click", () => {
      for (const field of fieldsOf(form)) field.value = field.defaultValue;
      forget(form);
      note.remove();
    });
    note.append(discard);
    form.append(note);
    const folded = form.closest("details");
    if (folded) folded.open = true;
  }

  function forgetAll() {
    try {
      for (const key of Object.keys(sessionStorage)) {
        if (key.startsWith(STORE)) sessionStorage.removeItem(key);
      }
    } catch {
      /* forbidden: nothing was stored either */
    }
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.dataset.keep) write(form, false);
  });

  // ---- forms: ask first, send once, send on change ----

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asking = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (asking && !window.confirm(asking)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if ("forget" in form.dataset) forgetAll();
    if (form.dataset.keep) write(form, true);
    if ("once" in form.dataset) {
      if (form.classList.contains("is-sending")) event.preventDefault();
      form.classList.add("is-sending");
    }
  }, true);

  // an address says only what was asked
  document.addEventListener("formdata", (event) => {
    if (!("tidy" in event.target.dataset)) return;
    for (const name of new Set(event.formData.keys())) {
      const values = event.formData.getAll(name).filter((value) => value !== "");
      event.formData.delete(name);
      for (const value of values) event.formData.append(name, value);
    }
  });

  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form.is-sending")) form.classList.remove("is-sending");
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // ---- seconds to take something back; afterwards the button stays in its place and rests ----

  function countDown() {
    for (const button of document.querySelectorAll("[data-seconds]")) {
      const left = Number(button.dataset.seconds) - 1;
      const shownIn = button.querySelector(".countdown");
      shownIn.textContent = shownIn.textContent.replace(/\d+/, Math.max(0, left));
      button.dataset.seconds = left;
      if (left > 0) continue;
      button.disabled = true;
      delete button.dataset.seconds;
    }
  }

  window.setInterval(countDown, 1000);

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset && "autosubmit" in field.dataset && field.form) field.form.requestSubmit();
  });

  // ---- opening and closing ----

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const sheet = opener && document.getElementById(opener.dataset.opens);
    if (sheet && sheet.showModal) {
      event.preventDefault();
      sheet.showModal();
      return;
    }
    const closer = event.target.closest("[data-closes]");
    if (closer) {
      const box = closer.closest("dialog, details");
      if (box && box.close) box.close();
      else if (box) box.open = false;
    }
    if (event.target.matches("dialog.sheet")) {
      const box = event.target.getBoundingClientRect();
      const outside = event.clientX < box.left || event.clientX > box.right ||
        event.clientY < box.top || event.clientY > box.bottom;
      if (outside) event.target.close();
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // The newest panel at the foot of a ticket takes the place of the last one, and the cursor goes into it. Where
  // its buttons have keys they are live at once, and none holds the focus: a space typed blindly would press it.
  document.addEventListener("toggle", (event) => {
    const act = event.target;
    if (!act.matches || !act.matches("details.act") || !act.open) return;
    for (const other of document.querySelectorAll("details.act[open]")) {
      if (other !== act) other.open = false;
    }
    enterPanel(act);
  }, true);

  function enterPanel(act) {
    const panel = act.querySelector(".act-panel");
    if (panel.contains(document.activeElement)) return;
    const first = panel.querySelector("[data-first]") ||
      panel.querySelector(":is(textarea, input:not([type=hidden]), select, button)");
    const target = panel.querySelector("[data-key]") ? panel : first;
    if (target) target.focus({ preventScroll: true });
  }

  // what was put into the panel anew is written on at its end
  function writeOn(panel) {
    const text = panel.querySelector("textarea");
    if (!text || panel.contains(document.activeElement)) return;
    text.focus({ preventScroll: true });
    text.setSelectionRange(text.value.length, text.value.length);
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.matches("#reply-panel")) writeOn(event.detail.target);
  });

  function closeTop() {
    const open = document.querySelector("details.menu[open], details.act[open]");
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus();
    return true;
  }

  // ---- keys ----

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
      !/^(checkbox|radio|button|submit)$/.test(target.type);
  }

  function shown(element) {
    return element.getClientRects().length > 0;
  }

  // keys inside an open panel or sheet come before the page's own
  function keyed(key) {
    const all = [...document.querySelectorAll("[data-key]")].filter((el) => el.dataset.key === key && shown(el));
    const sheet = document.querySelector("dialog[open]");
    if (sheet) return all.find((el) => sheet.contains(el));
    if (awaited) return all.find((el) => !el.closest(".split-detail"));
    return all.find((el) => el.closest("details[open]") && el.tagName !== "SUMMARY") || all[0];
  }

  function moveRow(step) {
    const links = rows();
    if (!links.length) return false;
    const at = links.findIndex((link) => link === document.activeElement || link.closest(".is-picked"));
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))] || links[0];
    pick(next, links);
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  function pick(link, links) {
    for (const other of links) {
      const row = other.closest("li, tr") || other;
      row.classList.toggle("is-picked", other === link);
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    const detail = document.querySelector(".split-detail");
    const follows = link.closest('[data-list="follow"]') && detail && shown(detail) && window.htmx;
    wanted = "";
    awaited = Boolean(follows);
    if (follows) showBeside(detail, link.pathname);
    return awaited;
  }

  // Asked for by the place it goes to: the row may be read anew meanwhile. What was asked before is given up.
  function showBeside(detail, path) {
    window.htmx.trigger(detail, "htmx:abort");
    window.htmx.ajax("GET", path, { source: detail, target: detail, swap: "innerHTML" }).catch(() => {});
  }

  // The keys of the acts work on the row one stands on: beside the list where there is room, else on its own page.
  // While the ticket beside is still the last one, they wait for the one that was picked.
  const ACTS = "abcenrw";
  let awaited = false;
  let wanted = "";

  function actOnRow(key) {
    if (key.length !== 1 || !ACTS.includes(key) || document.querySelector("dialog[open]")) return false;
    const links = rows().filter((link) => link.closest('[data-list="follow"], [data-list="acts"]'));
    if (!links.length) return false;
    const link = links.find((each) => each === document.activeElement || each.closest(".is-picked")) || links[0];
    if (awaited || pick(link, links)) wanted = key;
    else window.location.assign(link.href + "#" + key);
    return true;
  }

  function press(key) {
    const element = key && ACTS.includes(key) ? keyed(key) : null;
    if (element) element.click();
  }

  function arrived(swapped) {
    awaited = false;
    if (swapped) press(wanted);
    wanted = "";
  }

  // a list read anew still shows which row stands beside it
  function pickAgain() {
    const open = document.querySelector(".split-detail .ticket-name a");
    const link = open && rows().find((each) => each.pathname === open.pathname);
    if (!link) return;
    (link.closest("li, tr") || link).classList.add("is-picked");
    link.setAttribute("aria-current", "true");
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.matches && event.target.matches("#desk-list")) pickAgain();
    if (event.detail.target.matches(".split-detail")) arrived(true);
  });

  for (const failed of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failed, (event) => {
      if (event.detail.target && event.detail.target.matches(".split-detail")) arrived(false);
    });
  }

  window.addEventListener("load", () => {
    const key = window.location.hash.slice(1);
    if (key.length !== 1 || !ACTS.includes(key)) return;
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    press(key);
  });

  // a mouse press shows the row beside the list where there is room; Enter opens its own page
  document.addEventListener("click", (event) => {
    const link = event.target.closest('[data-list="follow"] .work-link');
    const plain = event.detail > 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (link && plain && pick(link, rows())) event.preventDefault();
  });

  function rows() {
    return [...document.querySelectorAll("[data-list] .work-link, [data-list] [data-row]")].filter(shown);
  }

  // Ctrl+Enter sends the act one is writing: the form of the field; where no field is, the one that is open.
  function formIn(target) {
    if (target.form) return typing(target) ? target.form : null;
    const open = [...document.querySelectorAll("dialog[open] .board-act form, details.act[open] .act-panel form")];
    const forms = open.filter((form) => shown(form) && sender(form));
    return forms.length === 1 ? forms[0] : null;
  }

  function sender(form) {
    if (form.matches(".board-do")) return form.querySelector("button");
    return form.closest(".act-panel") && form.querySelector(".form-foot .button-primary");
  }

  function send(form) {
    const button = form && sender(form);
    if (button) form.requestSubmit(button);
    return Boolean(button);
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      if (send(formIn(event.target))) event.preventDefault();
      return;
    }
    if (event.key === "Escape") {
      if (typing(event.target) && event.target.type === "search") event.target.blur();
      else if (closeTop()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const step = { j: 1, k: -1 }[event.key];
    if (step && !document.querySelector("dialog[open]") && moveRow(step)) {
      event.preventDefault();
      return;
    }
    const element = keyed(event.key);
    if (element) {
      event.preventDefault();
      element.click();
      // at once, so that the first letters of a quick hand are text and not keys
      const act = element.matches("summary") && element.closest("details.act[open]");
      if (act) enterPanel(act);
    } else if (actOnRow(event.key)) {
      event.preventDefault();
    }
  });

  // ---- htmx: say when it failed, and go to the sign-in page as a whole page ----

  function sayFailed(text) {
    const place = document.getElementById("messages");
    if (!place || !text) return;
    const line = document.createElement("div");
    line.className = "message message-error";
    line.textContent = text;
    place.replaceChildren(line);
  }

  // ---- a page nobody looks at says nothing of being looked at; one that is written on says so ----

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-looking]") && document.hidden) event.preventDefault();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches("[data-looking]")) return;
    const texts = [...document.querySelectorAll("details.act[open] textarea")];
    if (texts.some((field) => field.value !== field.defaultValue)) event.detail.parameters.writing = "1";
  });

  document.addEventListener("htmx:responseError", () => sayFailed(words.failed));
  document.addEventListener("htmx:sendError", () => sayFailed(words.offline));

  document.addEventListener("htmx:beforeSwap", (event) => {
    const answered = event.detail.xhr && event.detail.xhr.responseURL;
    if (words.login && answered && new URL(answered).pathname === words.login) {
      event.detail.shouldSwap = false;
      window.location.reload();
    }
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest && event.detail.elt.closest("form");
    if (!form) return;
    form.classList.remove("is-sending");
    if (form.dataset.keep && event.detail.successful && event.detail.requestConfig.verb !== "get") forget(form);
  });

  function settle() {
    tick();
    for (const form of document.querySelectorAll("form[data-keep]")) restore(form);
  }

  document.addEventListener("htmx:afterSettle", settle);
  settle();
  // of more tabs than fit, the one that is open is in sight
  const tab = document.querySelector(".tabs > [aria-current]");
  if (tab) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  window.setInterval(tick, 15000);
})();
