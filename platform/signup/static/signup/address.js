/* Judges the address while it is typed. The page works without it: the button and the form judge too. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-check-url]");
  const field = form && form.querySelector("input[name=slug]");
  if (!field) return;
  const keep = form.querySelector("button[data-neutral]");
  // The button must not promise another address than the one in the field.
  const changed = () => { if (keep) keep.textContent = keep.dataset.neutral; };
  let waiting = 0;
  let latest = 0;

  const check = async () => {
    const mine = ++latest;
    const address = `${form.dataset.checkUrl}?slug=${encodeURIComponent(field.value)}`;
    try {
      const answer = await fetch(address, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
      if (!answer.ok || mine !== latest) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("verdict");
      const old = document.getElementById("verdict");
      if (fresh && old) old.replaceWith(fresh);
    } catch {
      // Offline: the form itself will say.
    }
  };

  field.addEventListener("input", () => {
    changed();
    clearTimeout(waiting);
    if (field.value.trim()) waiting = setTimeout(check, 350);
  });

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("#verdict .chip");
    if (!chip) return;
    event.preventDefault();
    field.value = new URL(chip.href).searchParams.get("slug") || "";
    changed();
    field.focus();
    check();
  });
})();
