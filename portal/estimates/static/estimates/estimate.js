/* Keeps the totals of the options in step with what is ticked. The server computes them anew; this only shows. */
(() => {
  "use strict";
  const form = document.getElementById("offer");
  if (!form) return;
  // The server's Spanish is that of the United States too: $601.50, not 601,50 US$.
  const here = document.documentElement.lang === "es" ? "es-US" : "en-US";
  const money = new Intl.NumberFormat(here, { style: "currency", currency: form.dataset.currency });
  const digits = money.resolvedOptions().maximumFractionDigits;
  const button = document.getElementById("approve");

  const total = (offer) => {
    let cents = Number(offer.dataset.base);
    for (const extra of offer.querySelectorAll("[data-cents]:checked")) cents += Number(extra.dataset.cents);
    return cents + Math.floor((cents * Number(form.dataset.tax) + 5000) / 10000);
  };

  const show = () => {
    for (const offer of form.querySelectorAll("[data-option]")) {
      const words = money.format(total(offer) / 10 ** digits);
      offer.querySelector("[data-total]").textContent = words;
      if (!offer.querySelector("[name=option]").checked) continue;
      const name = offer.querySelector("[data-name]").textContent;
      button.textContent = button.dataset.words.replace("{name}", name).replace("{amount}", words);
    }
  };

  // Ticking something of an option picks the option.
  form.addEventListener("change", (event) => {
    const offer = event.target.closest("[data-option]");
    if (offer && event.target.name === "line") offer.querySelector("[name=option]").checked = true;
    show();
  });
  const picked = form.querySelector("[name=option]:checked");
  if (picked && matchMedia("(max-width: 59.99rem)").matches) {
    const offer = picked.closest("[data-option]");
    offer.parentElement.scrollLeft = offer.offsetLeft - (offer.parentElement.clientWidth - offer.clientWidth) / 2;
  }
  show();
})();
