// Stand-in for https://js.stripe.com/endive/stripe.js. This is not Stripe; it works with the local double only.
"use strict";
(() => {
  const API_URL = "{{API_URL}}";
  const ELEMENT_URL = "{{ELEMENT_URL}}";

  class IntegrationError extends Error {
    constructor(message) {
      super(message);
      this.name = "IntegrationError";
    }
  }

  const call = async (client, method, path, params) => {
    const fields = new URLSearchParams({ key: client.publishableKey, ...params });
    if (client.stripeAccount) fields.set("_stripe_account", client.stripeAccount);
    try {
      const url = method === "GET" ? `${API_URL}${path}?${fields}` : `${API_URL}${path}`;
      const response = await fetch(url, method === "GET" ? {} : { method, body: fields });
      const answer = await response.json();
      return response.ok ? answer : { error: answer.error };
    } catch {
      return { error: { type: "api_connection_error", message: "The payment service could not be reached." } };
    }
  };

  // Host pages may forbid inline style; properties set through the object model are always allowed.
  const style = (element, properties) => Object.assign(element.style, properties);

  class PaymentElement {
    constructor(elements, options) {
      this.elements = elements;
      this.options = options;
      this.handlers = {};
      this.waiting = new Map();
      this.counter = 0;
      this.receive = this.receive.bind(this);
    }

    mount(target) {
      const host = typeof target === "string" ? document.querySelector(target) : target;
      if (!host) throw new IntegrationError(`Invalid value for mount(): no element matches ${target}`);
      if (this.frame) this.unmount();
      const frame = document.createElement("iframe");
      frame.name = "__privateStripeFrame0";
      frame.title = "Secure payment input frame";
      frame.setAttribute("scrolling", "no");
      style(frame, { display: "block", width: "100%", height: "230px", border: "0", colorScheme: "light" });
      this.frame = frame;
      window.addEventListener("message", this.receive);
      frame.src = `${ELEMENT_URL}/element`;
      host.replaceChildren(frame);
      return this;
    }

    unmount() {
      window.removeEventListener("message", this.receive);
      if (this.frame) this.frame.remove();
      this.frame = null;
      return this;
    }

    destroy() {
      this.unmount();
      this.elements.element = null;
    }

    on(name, handler) {
      (this.handlers[name] = this.handlers[name] || []).push(handler);
      return this;
    }

    once(name, handler) {
      const wrapped = (event) => {
        this.off(name, wrapped);
        handler(event);
      };
      return this.on(name, wrapped);
    }

    off(name, handler) {
      this.handlers[name] = handler ? (this.handlers[name] || []).filter((known) => known !== handler) : [];
      return this;
    }

    update(options) {
      Object.assign(this.options, options);
      this.sendOptions();
      return this;
    }

    focus() { this.send({ command: "focus" }); }

    clear() { this.send({ command: "clear" }); }

    fire(name, event) { [...(this.handlers[name] || [])].forEach((handler) => handler(event)); }

    send(message) {
      if (this.frame) this.frame.contentWindow.postMessage({ stripeDouble: "host", ...message }, ELEMENT_URL);
    }

    sendOptions() {
      const { client, options } = this.elements;
      this.send({
        command: "options",
        options: {
          publishableKey: client.publishableKey, stripeAccount: client.stripeAccount,
          appearance: options.appearance || {}, setupFutureUsage: options.setupFutureUsage,
          excludedPaymentMethodTypes: options.excludedPaymentMethodTypes || [], currency: options.currency,
        },
      });
    }

    ask(command, params) {
      return new Promise((resolve) => {
        if (!this.frame) {
          resolve({ error: { type: "validation_error", message: "The Payment Element is not mounted." } });
          return;
        }
        this.counter += 1;
        this.waiting.set(this.counter, resolve);
        this.send({ command, id: this.counter, params });
      });
    }

    receive(event) {
      if (!this.frame || event.source !== this.frame.contentWindow || event.origin !== ELEMENT_URL) return;
      const message = event.data || {};
      if (message.stripeDouble !== "element") return;
      if (message.loaded) this.sendOptions();
      if (message.height) style(this.frame, { height: `${message.height}px` });
      if (message.change) this.fire("change", message.change);
      if (message.ready && !this.ready) {
        this.ready = true;
        this.fire("ready", { elementType: "payment" });
      }
      if (message.reply && this.waiting.has(message.reply)) {
        this.waiting.get(message.reply)(message.result);
        this.waiting.delete(message.reply);
      }
    }
  }

  class Elements {
    constructor(client, options) {
      if (options.paymentMethodTypes) {
        throw new IntegrationError("paymentMethodTypes is no longer supported; use allowedPaymentMethodTypes.");
      }
      this.client = client;
      this.options = { ...options };
      this.element = null;
      this.check();
    }

    check() {
      const { mode, clientSecret, amount, currency } = this.options;
      if (!mode && !clientSecret) throw new IntegrationError("elements() needs mode or clientSecret.");
      if (mode && !["payment", "setup"].includes(mode)) throw new IntegrationError(`The double does not have mode "${mode}".`);
      if (mode === "payment" && !(Number.isInteger(amount) && amount > 0)) {
        throw new IntegrationError("amount must be a positive integer in the smallest currency unit.");
      }
      if (mode && !/^[a-z]{3}$/.test(currency || "")) throw new IntegrationError("currency must be lower case.");
    }

    create(type, options = {}) {
      if (type !== "payment") throw new IntegrationError(`The double has the payment element only, not ${type}.`);
      if (this.element) throw new IntegrationError("Can only create one Element of type payment.");
      this.element = new PaymentElement(this, { ...options });
      return this.element;
    }

    getElement() { return this.element; }

    async update(options) {
      Object.assign(this.options, options);
      this.check();
      if (this.element) this.element.sendOptions();
    }

    async submit() {
      if (!this.element) return { error: { type: "validation_error", message: "No Element has been created." } };
      const result = await this.element.ask("validate");
      this.submitted = !result.error;
      return result;
    }
  }

  // Shows the bank's page over the shop until the payer has answered.
  const authenticate = (url) => new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const frame = document.createElement("iframe");
    dialog.setAttribute("aria-label", "Payment authentication");
    frame.title = "Payment authentication";
    frame.name = "stripe-challenge-frame";
    frame.src = url;
    style(dialog, { padding: "0", border: "0", borderRadius: "12px", width: "min(480px, 94vw)" });
    style(frame, { display: "block", width: "100%", height: "360px", border: "0" });
    dialog.append(frame);
    const finish = (event) => {
      if (event.source !== frame.contentWindow || event.origin !== ELEMENT_URL) return;
      if ((event.data || {}).stripeDouble !== "authenticated") return;
      window.removeEventListener("message", finish);
      dialog.close();
      dialog.remove();
      resolve();
    };
    window.addEventListener("message", finish);
    // Leaving by the Escape key would leave the page waiting for ever.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });

  const retrieve = (client, clientSecret) => {
    const id = clientSecret.split("_secret_")[0];
    const kind = id.startsWith("seti_") ? "setup_intents" : "payment_intents";
    return call(client, "GET", `/v1/${kind}/${id}`, { client_secret: clientSecret });
  };

  window.Stripe = (publishableKey, options = {}) => {
    if (!/^pk_test_\w+$/.test(publishableKey || "")) {
      throw new IntegrationError("The local double takes pk_test_ keys only.");
    }
    const client = { publishableKey, stripeAccount: options.stripeAccount };
    return {
      elements: (elementsOptions = {}) => new Elements(client, elementsOptions),

      async createConfirmationToken({ elements, params = {} }) {
        if (!elements || !elements.submitted) {
          throw new IntegrationError("elements.submit() must be called before createConfirmationToken().");
        }
        return elements.element.ask("token", params);
      },

      async retrievePaymentIntent(clientSecret) {
        const intent = await retrieve(client, clientSecret);
        return intent.error ? intent : { paymentIntent: intent };
      },

      async handleNextAction({ clientSecret }) {
        const intent = await retrieve(client, clientSecret);
        if (intent.error) return intent;
        const [name, problem] = intent.object === "setup_intent"
          ? ["setupIntent", "last_setup_error"] : ["paymentIntent", "last_payment_error"];
        if (intent.status !== "requires_action") return { [name]: intent };
        const action = intent.next_action;
        if (action.redirect_to_url) {
          window.location.assign(action.redirect_to_url.url);
          return new Promise(() => {});
        }
        await authenticate(action.use_stripe_sdk.stripe_js);
        const after = await retrieve(client, clientSecret);
        const error = after.error || after[problem];
        return error ? { error: { ...error, [intent.object]: after } } : { [name]: after };
      },
    };
  };
  window.Stripe.version = "endive";
})();
