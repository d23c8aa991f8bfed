/* The card form: Stripe's own field in Stripe's own frame. This page and our server never see a card number. */
(() => {
  "use strict";

  const data = document.getElementById("pay-client");
  if (!data) return;
  const client = JSON.parse(data.textContent);

  // On the result page: the payer's bank wants an answer. Whatever comes of it, the server looks and decides.
  if (client.secret) {
    const stripe = window.Stripe(client.publishableKey, { stripeAccount: client.account });
    stripe.handleNextAction({ clientSecret: client.secret }).finally(() => window.location.reload());
    return;
  }

  const form = document.getElementById("pay-form");
  const button = document.getElementById("pay-button");
  const field = document.getElementById("payment-element");
  const banner = document.getElementById("payment-error");
  if (!form || !field) return;

  const show = (title, text) => {
    banner.querySelector("[data-title]").textContent = title;
    banner.querySelector("[data-text]").textContent = text;
    banner.hidden = !title;
    if (title) banner.scrollIntoView({ block: "center" });
  };
  const busy = (yes) => {
    form.setAttribute("aria-busy", String(yes));
    button.disabled = yes;
    button.dataset.state = yes ? "working" : "";
  };

  // What is on file needs no field: the form alone says with what is paid.
  const ways = document.getElementById("pay-ways");
  const isOnFile = () => Boolean(ways && form.elements.method.value);
  if (!window.Stripe) {
    field.removeAttribute("aria-busy");
    field.textContent = "";
    if (isOnFile()) return; // the form works without a script
    show(client.failed.title, client.failed.offline);
    button.disabled = true;
    return;
  }

  const css = getComputedStyle(document.documentElement);
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const appearance = () => {
    const dark = css.colorScheme === "dark" || (css.colorScheme !== "light" && system.matches);
    return { theme: dark ? "night" : "stripe" };
  };
  const stripe = window.Stripe(client.publishableKey, { stripeAccount: client.account, locale: client.locale });
  const purpose = client.mode === "setup"
    ? { mode: "setup", setupFutureUsage: "off_session" } : { mode: "payment", amount: client.amount };
  const elements = stripe.elements({
    ...purpose,
    currency: client.currency,
    excludedPaymentMethodTypes: client.excluded,
    appearance: appearance(),
  });
  const element = elements.create("payment", { layout: "tabs" });
  element.on("ready", () => field.removeAttribute("aria-busy"));
  // A phone may turn to its night colors while the form is open; dark labels on a dark page are no labels.
  system.addEventListener("change", () => elements.update({ appearance: appearance() }));
  field.replaceChildren();
  element.mount(field);

  // Paying a part: what is typed decides what the button says; the server decides what is charged.
  const choice = document.getElementById("pay-part");
  const digits = new Intl.NumberFormat("en", { style: "currency", currency: client.currency })
    .resolvedOptions().maximumFractionDigits;
  const inWords = (cents) => new Intl.NumberFormat(client.locale === "es" ? "es-US" : "en-US", {
    style: "currency", currency: client.currency.toUpperCase(),
  }).format(cents / 10 ** digits);
  const chosenCents = () => {
    if (!choice || form.elements.part.value !== "part") return client.amount;
    const typed = Number(form.elements.amount.value.replace(/[$,\s]/g, ""));
    const cents = Math.round(typed * 10 ** digits);
    return cents > 0 && cents <= client.amount ? cents : 0;
  };
  const showAmount = () => {
    const cents = chosenCents();
    if (!cents) return;
    elements.update({ amount: cents });
    const words = inWords(cents);
    button.querySelector("[data-label]").textContent = client.button.replace("{amount}", words);
    form.querySelector("[data-amount]").textContent = words;
  };
  if (choice) {
    choice.addEventListener("input", (event) => {
      if (event.target.name === "amount") form.elements.part.value = "part";
      showAmount();
    });
    showAmount();
  }

  const save = form.elements.save;
  if (save) {
    save.addEventListener("change", () => elements.update({ setupFutureUsage: save.checked ? "off_session" : null }));
  }

  const fetchToken = async () => {
    const checked = await elements.submit();
    if (checked.error) return ""; // the frame says what is missing, beside the field
    const made = await stripe.createConfirmationToken({ elements });
    if (made.error) { show(made.error.message, ""); return ""; }
    return made.confirmationToken.id;
  };
  const pay = async () => {
    const token = isOnFile() ? "" : await fetchToken();
    if (!token && !isOnFile()) return;
    form.elements.token.value = token;
    const answer = await fetch(form.action || window.location.pathname, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
    });
    // Sent elsewhere means: signed out meanwhile. The page itself then leads to the sign-in and back.
    if (answer.type === "opaqueredirect") { window.location.reload(); return new Promise(() => {}); }
    const said = await answer.json();
    if (said.url) { window.location.assign(said.url); return new Promise(() => {}); }
    form.elements.form_key.value = said.form_key;
    form.elements.token.value = "";
    show(said.title, said.text);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    busy(true);
    show("", "");
    try {
      await pay();
    } catch {
      // The answer was lost on the way to this page: the same form key is sent again, so nothing is paid twice.
      show(client.failed.title, client.failed.text);
    }
    busy(false);
  });

  // Coming back from the result by the back button: the page is old, the amount may be too.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
})();
