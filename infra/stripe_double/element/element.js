// The card form. Card numbers live in this frame only: it sends them to the API and answers with a token.
"use strict";
(() => {
  const apiUrl = document.querySelector('meta[name="api-url"]').content;
  const byId = (id) => document.getElementById(id);
  const digits = (value) => value.replace(/\D/g, "");
  const groups = { card: ["number", "expiry", "cvc", "postal"], us_bank_account: ["holder", "routing", "account"] };
  const everything = Object.values(groups).flat();
  let kind = "card";
  const variables = {
    colorPrimary: "--primary", colorBackground: "--background", colorText: "--text",
    colorTextSecondary: "--muted", colorTextPlaceholder: "--muted", colorDanger: "--danger",
    borderRadius: "--radius", fontFamily: "--font", fontSizeBase: "--size",
  };
  let options = {};
  let hostOrigin = null;

  const tell = (message) => {
    if (hostOrigin) window.parent.postMessage({ stripeDouble: "element", ...message }, hostOrigin);
  };
  const reportHeight = () => tell({ height: Math.ceil(document.documentElement.getBoundingClientRect().height) });

  const luhn = (number) => [...number].reverse().reduce((sum, character, position) => {
    const value = Number(character) * (position % 2 ? 2 : 1);
    return sum + (value > 9 ? value - 9 : value);
  }, 0) % 10 === 0;
  const brandOf = (number) => (/^3[47]/.test(number) ? "amex" : /^4/.test(number) ? "visa"
    : /^(5[1-5]|2[2-7])/.test(number) ? "mastercard" : "");
  const lengthOf = (number) => (brandOf(number) === "amex" ? 15 : 16);
  const expiry = () => {
    const value = digits(byId("expiry").value);
    return value.length === 4 ? { month: Number(value.slice(0, 2)), year: 2000 + Number(value.slice(2)) } : null;
  };

  const checks = {
    number() {
      const number = digits(byId("number").value);
      if (number.length < lengthOf(number)) return ["incomplete_number", "Your card number is incomplete."];
      return luhn(number) ? null : ["invalid_number", "Your card number is invalid."];
    },
    expiry() {
      const date = expiry();
      if (!date) return ["incomplete_expiry", "Your card's expiration date is incomplete."];
      if (date.month < 1 || date.month > 12) return ["invalid_expiry_month", "The month must be 01 to 12."];
      const past = new Date(date.year, date.month, 1) <= new Date();
      return past ? ["invalid_expiry_year_past", "Your card's expiration date is in the past."] : null;
    },
    cvc() {
      const wanted = brandOf(digits(byId("number").value)) === "amex" ? 4 : 3;
      return digits(byId("cvc").value).length >= wanted ? null
        : ["incomplete_cvc", "Your card's security code is incomplete."];
    },
    postal() {
      return byId("postal").value.trim().length >= 3 ? null : ["incomplete_zip", "Your ZIP code is incomplete."];
    },
    holder() {
      return byId("holder").value.trim().length >= 2 ? null : ["incomplete_name", "Your name is incomplete."];
    },
    routing() {
      return digits(byId("routing").value).length === 9 ? null
        : ["incomplete_routing_number", "Your routing number is incomplete."];
    },
    account() {
      return digits(byId("account").value).length >= 4 ? null
        : ["incomplete_account_number", "Your account number is incomplete."];
    },
  };

  const show = (name, problem) => {
    byId(`${name}-error`).textContent = problem ? problem[1] : "";
    byId(name).setAttribute("aria-invalid", problem ? "true" : "false");
  };
  const isComplete = () => groups[kind].every((name) => checks[name]() === null);
  const reportChange = () => tell({
    change: {
      elementType: "payment", collapsed: false, complete: isComplete(),
      empty: groups[kind].every((name) => byId(name).value === ""), value: { type: kind },
    },
  });

  const validate = () => {
    let first = null;
    for (const name of groups[kind]) {
      const problem = checks[name]();
      show(name, problem);
      if (problem && !first) first = { name, problem };
    }
    reportHeight();
    if (!first) return null;
    byId(first.name).focus();
    byId("announcement").textContent = first.problem[1];
    return { type: "validation_error", code: first.problem[0], message: first.problem[1] };
  };

  const cardFields = () => {
    const date = expiry();
    return new URLSearchParams({
      "payment_method_data[type]": "card",
      "payment_method_data[card][number]": digits(byId("number").value),
      "payment_method_data[card][exp_month]": date.month,
      "payment_method_data[card][exp_year]": date.year,
      "payment_method_data[card][cvc]": digits(byId("cvc").value),
      "payment_method_data[billing_details][address][postal_code]": byId("postal").value.trim(),
      "payment_method_data[billing_details][address][country]": "US",
    });
  };
  const bankFields = () => new URLSearchParams({
    "payment_method_data[type]": "us_bank_account",
    "payment_method_data[us_bank_account][account_holder_type]": "individual",
    "payment_method_data[us_bank_account][routing_number]": digits(byId("routing").value),
    "payment_method_data[us_bank_account][account_number]": digits(byId("account").value),
    "payment_method_data[billing_details][name]": byId("holder").value.trim(),
  });

  const createToken = async (params) => {
    const problem = validate();
    if (problem) return { error: problem };
    const billing = ((params || {}).payment_method_data || {}).billing_details || {};
    const body = kind === "card" ? cardFields() : bankFields();
    body.set("key", options.publishableKey);
    for (const name of ["name", "email", "phone"]) {
      if (billing[name]) body.set(`payment_method_data[billing_details][${name}]`, billing[name]);
    }
    if (options.stripeAccount) body.set("_stripe_account", options.stripeAccount);
    if (options.setupFutureUsage) body.set("setup_future_usage", options.setupFutureUsage);
    if ((params || {}).return_url) body.set("return_url", params.return_url);
    try {
      const response = await fetch(`${apiUrl}/v1/confirmation_tokens`, { method: "POST", body });
      const answer = await response.json();
      return response.ok ? { confirmationToken: answer } : { error: answer.error };
    } catch {
      return { error: { type: "api_connection_error", message: "The payment service could not be reached." } };
    }
  };

  const showKind = () => {
    byId("card").hidden = kind !== "card";
    byId("bank").hidden = kind !== "us_bank_account";
    reportHeight();
    reportChange();
  };
  const offer = () => {
    const excluded = options.excludedPaymentMethodTypes || [];
    const offered = Object.keys(groups).filter((name) => !excluded.includes(name)
      && (name === "card" || (options.currency || "usd") === "usd"));
    byId("kinds").hidden = offered.length < 2;
    if (!offered.includes(kind)) {
      kind = offered[0] || "card";
      showKind();
    }
  };

  const applyAppearance = (appearance) => {
    const root = document.documentElement;
    root.dataset.theme = appearance.theme === "night" ? "night" : "light";
    for (const [name, property] of Object.entries(variables)) {
      const value = (appearance.variables || {})[name];
      if (value) root.style.setProperty(property, value);
      else root.style.removeProperty(property);
    }
  };

  window.addEventListener("message", async (event) => {
    const message = event.data;
    if (event.source !== window.parent || !message || message.stripeDouble !== "host") return;
    hostOrigin = event.origin;
    if (message.command === "options") {
      options = message.options;
      applyAppearance(options.appearance || {});
      offer();
      tell({ ready: true });
      reportHeight();
    }
    if (message.command === "validate") {
      const problem = validate();
      tell({ reply: message.id, result: problem ? { error: problem } : { selectedPaymentMethod: kind } });
    }
    if (message.command === "token") tell({ reply: message.id, result: await createToken(message.params) });
    if (message.command === "focus") byId("number").focus();
    if (message.command === "clear") {
      byId("form").reset();
      everything.forEach((name) => show(name, null));
      reportHeight();
    }
  });

  const format = {
    number(value) {
      const number = digits(value).slice(0, 19);
      byId("brand").textContent = { visa: "Visa", mastercard: "Mastercard", amex: "Amex" }[brandOf(number)] || "";
      const groups = brandOf(number) === "amex" ? /^(\d{1,4})(\d{1,6})?(\d{1,5})?.*$/ : null;
      return groups ? number.replace(groups, (_, ...parts) => parts.slice(0, 3).filter(Boolean).join(" "))
        : number.replace(/(\d{4})(?=\d)/g, "$1 ");
    },
    expiry(value) {
      let date = digits(value).slice(0, 4);
      if (/^[2-9]/.test(date)) date = `0${date}`.slice(0, 4);
      return date.length > 2 ? `${date.slice(0, 2)} / ${date.slice(2)}` : date;
    },
    cvc: (value) => digits(value).slice(0, 4),
    postal: (value) => value,
    holder: (value) => value,
    routing: (value) => digits(value).slice(0, 9),
    account: (value) => digits(value).slice(0, 17),
  };
  for (const radio of document.querySelectorAll('input[name="kind"]')) {
    radio.addEventListener("change", () => {
      kind = radio.value;
      showKind();
    });
  }
  for (const name of everything) {
    const input = byId(name);
    input.addEventListener("input", () => {
      // Reformatting moves the caret to the end, so only do it while typing there.
      if (input.selectionStart === input.value.length) input.value = format[name](input.value);
      if (input.getAttribute("aria-invalid") === "true") show(name, checks[name]());
      reportHeight();
      reportChange();
    });
    input.addEventListener("blur", () => {
      if (input.value) show(name, checks[name]());
      reportHeight();
    });
  }
  byId("fill").addEventListener("click", () => {
    const values = {
      number: "4242424242424242", expiry: "1234", cvc: "123", postal: "12345",
      holder: "Jenny Rosen", routing: "110000000", account: "000123456789",
    };
    for (const name of groups[kind]) {
      byId(name).value = format[name](values[name]);
      show(name, null);
    }
    byId("announcement").textContent = kind === "card" ? "Test card filled in." : "Test account filled in.";
    reportHeight();
    reportChange();
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  new ResizeObserver(reportHeight).observe(document.documentElement);
  // Anything may embed the form; what it may learn is decided by who sends options.
  window.parent.postMessage({ stripeDouble: "element", loaded: true }, "*");
})();
