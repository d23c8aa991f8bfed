/* Small conveniences. Every page works without this file. */
(() => {
  "use strict";

  // Copy buttons: <button data-copy="text"> or <button data-copy-from="#id">, shown only when copying works.
  const prepare = (root) => {
    for (const button of root.querySelectorAll("[data-copy], [data-copy-from]")) {
      if (navigator.clipboard) button.hidden = false;
    }
    for (const button of root.querySelectorAll("[data-dismiss]")) button.hidden = false;
    for (const node of root.querySelectorAll("[data-poll-url]")) poll(node);
    if (root.matches && root.matches("[data-poll-url]")) poll(root);
  };

  const copy = async (button) => {
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    const text = source ? (source.value ?? source.textContent).trim() : button.dataset.copy;
    await navigator.clipboard.writeText(text);
    const label = button.querySelector("[data-label]") || button;
    const before = label.textContent;
    label.textContent = button.dataset.copied || before;
    setTimeout(() => { label.textContent = before; }, 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from], [data-dismiss]");
    if (!button) {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
      return;
    }
    if ("dismiss" in button.dataset) button.closest(".toast, .banner").remove();
    else copy(button);
  });

  // A form is sent once, unless it says data-repeatable (a download leaves the page standing).
  // The button stays enabled for the browser, so its name and value are sent.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method") !== "post" || "repeatable" in form.dataset || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });

  // A fragment replaces itself until an answer comes without data-poll-url; a redirect moves the page.
  const poll = (node) => {
    const seconds = Number(node.dataset.pollSeconds || 2);
    setTimeout(async () => {
      if (!node.isConnected) return;
      if (document.hidden) { poll(node); return; }
      try {
        const answer = await fetch(node.dataset.pollUrl, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
        if (answer.redirected) { window.location.assign(answer.url); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
        if (!fresh) throw new Error("empty");
        node.replaceWith(fresh);
        prepare(fresh);
      } catch {
        node.dataset.pollSeconds = String(Math.min(seconds * 2, 30));
        poll(node);
      }
    }, seconds * 1000);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (target) { event.preventDefault(); target.focus(); }
  });

  // Where the menu scrolls sideways, the page one is on is in sight.
  const here = document.querySelector(".app__side [aria-current]");
  if (here) {
    const menu = here.parentElement;
    menu.scrollLeft = here.offsetLeft - menu.offsetLeft - (menu.clientWidth - here.clientWidth) / 2;
  }

  prepare(document);
})();
