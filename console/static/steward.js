// Keys, and what counts down. Everything works without this file too, by links and forms.
(() => {
  "use strict";
  const typing = (t) => t.isContentEditable || t.closest("textarea, select, dialog[open]") ||
    (t.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(t.type));
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => rows().find((row) => row.classList.contains("here")) || null;

  function choose(row) {
    if (!row) return;
    rows().forEach((one) => one.classList.toggle("here", one === row));
    (row.querySelector("a[data-open]") || row).focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = rows();
    const at = all.indexOf(current());
    choose(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  // What a key does on this page: the element that offers it, in the chosen row first.
  const offered = (key) => (current() && current().querySelector(`[data-do="${key}"]`)) || document.querySelector(`[data-do="${key}"]`);

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
    if (typing(event.target)) return;
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
    if (row) rows().forEach((one) => one.classList.toggle("here", one === row));
  });

  // <time data-until="2026-01-01T00:00:00Z"> counts the seconds down; at the end its [data-ends] part goes.
  setInterval(() => {
    document.querySelectorAll("[data-until]").forEach((element) => {
      const left = Math.ceil((Date.parse(element.dataset.until) - Date.now()) / 1000);
      if (left > 0) { element.textContent = `${left} s`; return; }
      (element.closest("[data-ends]") || element).remove();
    });
  }, 250);

  // The place in a list is kept over a swap and over an answer, after which the next one stands where the answered one was.
  const place = () => `here:${location.pathname}`;
  const keep = () => { const at = rows().indexOf(current()); if (at >= 0) sessionStorage.setItem(place(), String(at)); };
  const restore = () => {
    const at = sessionStorage.getItem(place());
    if (at !== null && rows().length && !typing(document.activeElement)) choose(rows()[Math.min(Number(at), rows().length - 1)]);
  };
  window.addEventListener("pagehide", keep);
  document.addEventListener("htmx:before:swap", keep);
  document.addEventListener("htmx:after:swap", restore);

  // So are the boxes that were ticked: a list that loads itself anew must not take them away.
  const boxes = () => [...document.querySelectorAll("input[name=chosen]")];
  let ticked = [];
  document.addEventListener("htmx:before:swap", () => { ticked = boxes().filter((box) => box.checked).map((box) => box.value); });
  document.addEventListener("htmx:after:swap", () => boxes().forEach((box) => { box.checked = box.checked || ticked.includes(box.value); }));
  restore();

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
  document.addEventListener("steward:everything", () => location.reload());
})();
