// A stand-in for Stripe.js that pays with test cards at the simulator that serves it. It offers what a page with a
// Payment Element calls, keeps to a strict content security policy (no inline script, style or frame), and speaks only
// to its own origin. What a page calls and hears: https://docs.stripe.com/js.
(() => {
  "use strict";

  const script = document.currentScript ?? document.querySelector('script[src*="/stripe-elements.js"]');
  const calls = new URL("__sim/elements/", script.src);
  const TEST_CARDS = {
    4242424242424242: "succeeds",
    4000000000000002: "is declined",
    4000002500003155: "asks for 3-D Secure",
  };

  class IntegrationError extends Error {
    name = "IntegrationError";
  }

  // Answers {paymentIntent} or {error}, never fails: so do the functions of Stripe.js.
  async function call(action, fields) {
    try {
      const answer = await fetch(new URL(action, calls), { method: "POST", body: new URLSearchParams(fields) });
      return await answer.json();
    } catch {
      return { error: { type: "api_connection_error", message: "The payment provider cannot be reached." } };
    }
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // The cardholder's answer to a 3-D Secure challenge: true, or false if it was failed or closed.
  function challenge(place, intent) {
    return new Promise((resolve) => {
      const complete = make("button", { type: "button", value: "complete" }, "Complete authentication");
      const fail = make("button", { type: "button", value: "fail" }, "Fail authentication");
      const amount = make("p", {}, `${intent.amount} minor units of ${intent.currency}`);
      const dialog = make("dialog", {}, make("h2", {}, "3-D Secure test"), amount, complete, fail);
      const answer = (success) => {
        dialog.remove();
        resolve(success);
      };
      complete.addEventListener("click", () => answer(true));
      fail.addEventListener("click", () => answer(false));
      dialog.addEventListener("cancel", () => answer(false));
      place.append(dialog);
      dialog.showModal();
    });
  }

  function leave(intent, returnUrl) {
    const target = new URL(returnUrl, document.baseURI);
    target.searchParams.set("payment_intent", intent.id);
    target.searchParams.set("payment_intent_client_secret", intent.client_secret);
    target.searchParams.set("redirect_status", intent.last_payment_error ? "failed" : "succeeded");
    window.location.assign(target);
    return new Promise(() => {}); // the page is on its way out
  }

  class PaymentElement {
    #handlers = new Map();
    #input = null;
    place = null;

    on(event, handler) {
      this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
      return this;
    }

    #emit(event, details) {
      for (const handler of this.#handlers.get(event) ?? []) {
        handler({ elementType: "payment", ...details });
      }
    }

    get number() {
      return this.#input.value.replace(/\D/g, "");
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!(place instanceof Element)) {
        throw new IntegrationError(`Invalid value for mount(): ${target} is no element of the page.`);
      }
      const options = Object.entries(TEST_CARDS).map(([value, label]) => make("option", { value, label }));
      const suggestions = make("datalist", { id: `test-cards-${crypto.randomUUID()}` }, ...options);
      this.#input = make("input", { type: "text", inputMode: "numeric", autocomplete: "cc-number", maxLength: 23 });
      this.#input.setAttribute("list", suggestions.id);
      this.#input.addEventListener("input", () => this.#changed());
      const note = make("small", {}, "A simulated form: it takes test cards only.");
      place.replaceChildren(make("label", {}, "Card number ", this.#input), suggestions, note);
      this.place = place;
      queueMicrotask(() => this.#emit("ready"));
    }

    #changed() {
      const { length } = this.number;
      this.#emit("change", { complete: length >= 13, empty: length === 0, value: { type: "card" } });
    }

    unmount() {
      this.place?.replaceChildren();
      this.place = this.#input = null;
    }

    focus() {
      this.#input?.focus();
    }
  }

  class Elements {
    #payment = null;

    constructor(clientSecret) {
      this.clientSecret = clientSecret;
    }

    create(type) {
      if (type !== "payment") {
        throw new IntegrationError(`The simulator has a Payment Element, and no element of the type ${type}.`);
      }
      if (this.#payment) {
        throw new IntegrationError("There is a Payment Element already: use elements.getElement().");
      }
      this.#payment = new PaymentElement();
      return this.#payment;
    }

    getElement(type) {
      return type === "payment" ? this.#payment : null;
    }

    async submit() {
      return incomplete(this.#payment) ?? {};
    }
  }

  function incomplete(element) {
    if (!element?.place) {
      throw new IntegrationError("Invalid value for elements: it should have a mounted Payment Element.");
    }
    const error = { type: "validation_error", code: "incomplete_number", message: "Your card number is incomplete." };
    return element.number.length < 13 ? { error } : null;
  }

  function checked(clientSecret) {
    if (!/^pi_\w+_secret_\w+$/.test(clientSecret)) {
      throw new IntegrationError("Invalid value for clientSecret: it has the form ${id}_secret_${secret}.");
    }
    return clientSecret;
  }

  function Stripe(publishableKey, { stripeAccount = "" } = {}) {
    if (!/^pk_(test|live)_/.test(publishableKey)) {
      throw new IntegrationError("Stripe() takes a publishable key, which starts with pk_test_ or pk_live_.");
    }
    const own = (secret) => ({ key: publishableKey, account: stripeAccount, client_secret: checked(secret) });

    // Lets the cardholder answer if the intent waits for that.
    async function settle(answer, place) {
      if (answer.paymentIntent?.status !== "requires_action") {
        return answer;
      }
      const success = await challenge(place, answer.paymentIntent);
      return call("authenticate", { ...own(answer.paymentIntent.client_secret), success });
    }

    async function confirmPayment({ elements, clientSecret, confirmParams = {}, redirect = "always" }) {
      const element = elements?.getElement("payment");
      const refused = incomplete(element);
      const returnUrl = confirmParams.return_url;
      if (redirect === "always" && !returnUrl) {
        throw new IntegrationError("confirmPayment() needs confirmParams.return_url unless redirect is if_required.");
      }
      if (refused) {
        return refused;
      }
      const fields = { number: element.number, return_url: returnUrl ?? "" };
      const first = await call("confirm", { ...own(clientSecret ?? elements.clientSecret), ...fields });
      const last = await settle(first, element.place);
      return last.error || redirect === "if_required" ? last : leave(last.paymentIntent, returnUrl);
    }

    async function handleNextAction({ clientSecret }) {
      const answer = await call("retrieve", own(clientSecret));
      const elsewhere = answer.paymentIntent?.next_action?.redirect_to_url;
      if (elsewhere) {
        window.location.assign(elsewhere.url);
        return new Promise(() => {});
      }
      return settle(answer, document.body);
    }

    return {
      elements: ({ clientSecret } = {}) => new Elements(checked(clientSecret)),
      confirmPayment,
      handleNextAction,
      retrievePaymentIntent: (clientSecret) => call("retrieve", own(clientSecret)),
    };
  }

  window.Stripe = Stripe;
})();
