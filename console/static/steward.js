// Keys, and what counts down. Everything works without this file too, by links and forms.
(() => {
  "use strict";
  // What was refused came back at the address to which it was sent: there is no page to load anew.
  if (document.body.dataset.page) history.replaceState(null, "", document.body.dataset.page);

  const typing = (t) => t.isContentEditable || t.closest("textarea, select, dialog[open]") ||
    (t.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(t.type));
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length);  // what is folded is not looked at
  const current = () => rows().find((row) => row.classList.contains("here")) || null;

  const named = (name) => rows().find((row) => row.dataset.row === name);
  const mark = (row) => rows().forEach((one) => one.classList.toggle("here", one === row));

  function choose(row) {
    if (!row) return;
    mark(row);
    (row.querySelector("a[data-open]") || row).focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = rows();
    const at = all.indexOf(current());
    choose(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  // What a key does on this page: the element that offers it. Where there are rows only the chosen one is meant; taking back is of the page.
  const offered = (key) => (rows().length && key !== "z" ? current() : document)?.querySelector(`[data-do="${key}"]`);

  function act(key) {
    const element = offered(key);
    if (!element) return false;
    if (element.matches("details")) { element.open = true; (element.querySelector("textarea, input:not([type=hidden]), select, button") || element).focus(); return true; }
    if (element.matches("input[type=checkbox], a, button")) { element.click(); return true; }
    element.focus();
    return true;
  }

  let leader = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || (event.repeat && !["j", "k"].includes(event.key))) return;  // a key that is held acts once
    const done = leader ? go(event.key) : press(event);
    if (done) event.preventDefault();
  });

  function go(key) {
    leader = false;
    const link = document.querySelector(`nav a[data-key="${CSS.escape(key)}"]`);
    if (link) link.click();
    return Boolean(link);
  }

  function press(event) {
    switch (event.key) {
      case "g": leader = true; setTimeout(() => { leader = false; }, 1500); return true;
      case "j": move(1); return true;
      case "k": move(-1); return true;
      case "?": document.getElementById("keys").showModal(); return true;
      case "Enter": {
        const row = current();
        const link = row && document.activeElement.closest("a, button, summary, input") === null && row.querySelector("a[data-open]");
        if (link) link.click();
        return Boolean(link);
      }
      case "a": case "e": case "r": case "s": case "x": case "z": return act(event.key);
      default: return false;
    }
  }

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) mark(row);
  });

  // <time data-left="9.4"> counts these seconds down by a clock that nobody sets; at the end its [data-ends] part goes.
  const ends = new WeakMap();
  setInterval(() => {
    document.querySelectorAll("[data-left]").forEach((element) => {
      if (!ends.has(element)) ends.set(element, performance.now() + 1000 * Number(element.dataset.left));
      const left = Math.ceil((ends.get(element) - performance.now()) / 1000);
      if (left > 0) { element.textContent = `${left} s`; return; }
      (element.closest("[data-ends]") || element).remove();
    });
  }, 250);

  // The chosen row is kept by its name from page to page. Once it was answered, the next one stands where it stood.
  const place = () => `here:${location.pathname}`;
  window.addEventListener("pagehide", () => {
    const row = current();
    if (row) sessionStorage.setItem(place(), JSON.stringify({ row: row.dataset.row, at: rows().indexOf(row) }));
  });
  document.addEventListener("submit", (event) => sessionStorage.setItem("answered", event.target.getAttribute("action") || ""));
  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(place()));
    if (!kept?.row) return;
    const answered = (sessionStorage.getItem("answered") || "").startsWith(`${location.pathname}/${kept.row}/`);
    choose(named(kept.row) || (answered && rows()[Math.min(kept.at, rows().length - 1)]));
  }

  // A part that loads itself anew keeps what the operator did to it: the chosen row (never another one), ticks and open folds.
  // Where something was typed into it, it stays as it is.
  const partOf = (target) => (typeof target === "string" ? document.querySelector(target) : target);
  const boxes = (part) => [...part.querySelectorAll("input[name=chosen]")];
  const folds = (part) => [...part.querySelectorAll("details[id]")];
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    const part = partOf(ctx.target);
    if (!part) return;
    if (typedIn(part)) { event.preventDefault(); old(); return; }
    const row = part.contains(current()) ? current() : null;
    const focus = row && row.contains(document.activeElement) ? document.activeElement : null;
    ctx.kept = {
      row: row?.dataset.row,
      focus: focus && (focus.dataset.do ? `[data-do="${focus.dataset.do}"]` : "a[data-open]"),
      ticked: boxes(part).filter((box) => box.checked).map((box) => box.value),
      open: folds(part).filter((fold) => fold.open).map((fold) => fold.id),
    };
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { kept } = event.detail.ctx;
    if (!kept) return;
    folds(document).forEach((fold) => { fold.open = fold.open || kept.open.includes(fold.id); });
    boxes(document).forEach((box) => { box.checked = box.checked || kept.ticked.includes(box.value); });
    const row = kept.row && named(kept.row);
    if (row) mark(row);
    if (row && kept.focus) (row.querySelector(kept.focus) || row).focus({ preventScroll: true });
  });
  restore();

  // What was typed and not sent. A choice of rows is kept in another way.
  function changed(field) {
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    return field.selectedIndex !== Math.max([...field.options].findIndex((one) => one.defaultSelected), 0);
  }
  const typedIn = (part) => [...part.querySelectorAll("input:not([type=hidden], [name=chosen]), textarea, select")]
    .some((field) => field === document.activeElement || changed(field));

  function tell(name, words) {
    const told = document.getElementById("told");
    if (!told || told.querySelector(`.${name}`)) return;
    const line = document.createElement("p"), again = document.createElement("a");
    line.className = `refused over ${name}`;
    again.href = location.pathname + location.search;
    again.textContent = "Load it anew";
    line.append(`${words} `, again);
    told.append(line);
  }
  const old = () => tell("old", "This page is old, and you have begun something on it.");
  document.addEventListener("htmx:error", () => tell("away", "The console does not answer, so this page may be old."));
  document.addEventListener("htmx:after:request", () => document.querySelector("#told .away")?.remove());

  // A link to a part that is folded (…#reject) opens it.
  function unfold() {
    const part = location.hash && document.getElementById(location.hash.slice(1));
    if (!part) return;
    if (part.matches("details")) part.open = true;
    (part.querySelector("textarea, input:not([type=hidden]), select, button") || part).focus();
  }
  window.addEventListener("hashchange", unfold);
  window.addEventListener("load", () => setTimeout(unfold));  // after the browser has gone there itself, which takes the focus

  // What happened while nobody could look loads the page anew.
  document.addEventListener("steward:everything", () => {
    if (typedIn(document) || boxes(document).some((box) => box.checked)) old(); else location.reload();
  });
})();
