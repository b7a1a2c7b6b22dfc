// Two conveniences. Every page works without them, and nothing is sent anywhere.
"use strict";

// Changes since the last visit: the day of the newest report shown is stored in this browser only.
(() => {
  const form = document.querySelector("form[data-newest]");
  const note = document.querySelector(".last-visit");
  if (!form || !note || document.querySelector(".as-of")) return;
  const key = "oversight-ledger-newest-seen";
  try {
    const newest = form.dataset.newest;
    const before = sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? "";
    sessionStorage.setItem(key, before);
    localStorage.setItem(key, newest);
    if (!/^\d{4}-\d\d-\d\d$/.test(before)) return;
    if (before < newest) {
      const link = document.createElement("a");
      link.href = "/changes?since=" + before;
      link.textContent = "What changed since your last visit";
      form.elements.since.value = before;
      note.append(link);
    } else {
      note.textContent = "No newer report since your last visit.";
    }
    note.hidden = false;
  } catch {
    // Storage is blocked: the reader can enter the day.
  }
})();

// A copy button after each citation.
for (const field of document.querySelectorAll(".cite input[readonly], .cite textarea[readonly]")) {
  const label = document.querySelector(`label[for="${field.id}"]`)?.textContent ?? "";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${label}`);
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: now press Ctrl-C";
    }
  });
  field.after(button);
}
