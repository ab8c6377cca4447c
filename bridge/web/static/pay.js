// The buyer's page. It starts the provider's form, takes the form's events as signs and never as proof, and asks the
// bridge, which asks the provider, how the payment stands.
(() => {
  "use strict";

  const page = document.getElementById("pay");
  const { stage, kind, status } = page.dataset;
  const needs = JSON.parse(page.dataset.needs ?? "null");
  const told = document.getElementById("told");
  const failed = document.getElementById("failed");
  const FIRST_PAUSE = 1000, LONGEST_PAUSE = 15000, ROUNDS = 60, SLOW = 6, PATIENCE = 20000; // milliseconds and rounds
  const LOST = "The payment form could not be loaded. Nothing was paid. Please try again in a moment.";

  const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const look = () => location.replace(`${location.pathname}?look`);

  function tell(text) {
    told.textContent = text;
  }

  function complain(text, { canReload = true } = {}) {
    failed.querySelector("[role=alert]").textContent = text;
    failed.querySelector("button").hidden = !canReload;
    failed.hidden = false;
  }

  function uncomplain() {
    failed.hidden = true;
    failed.querySelector("[role=alert]").textContent = "";
  }

  // Asks until the payment stands otherwise than this page shows, and then shows that.
  let watching = false;
  async function watch() {
    if (watching) return;
    watching = true;
    let pause = FIRST_PAUSE;
    for (let round = 1; round <= ROUNDS; round += 1) {
      await sleep(pause);
      pause = Math.min(pause * 1.3, LONGEST_PAUSE);
      if (document.hidden) continue;
      const now = await ask();
      if (now !== null && now !== stage) return look();
      if (round === SLOW) tell("This takes longer than usual. You may close this page; the shop will be notified of a payment.");
    }
    watching = false;
  }

  async function ask() {
    try {
      const answer = await fetch(status, { cache: "no-store", credentials: "omit" });
      return (await answer.json()).stage ?? null;
    } catch {
      return null; // the next round may do better
    }
  }

  // Whether the order can still be paid: the bridge reads it. Without a yes nothing is confirmed at the provider.
  async function mayConfirm() {
    let answer = null;
    try {
      const asked = await fetch(status.replace(/status$/, "confirm"), { method: "POST", cache: "no-store", credentials: "omit" });
      answer = await asked.json();
    } catch {
      answer = null;
    }
    if (answer?.payable) return true;
    tell("");
    if (answer && !["open", "declined"].includes(answer.stage)) look();
    else complain("The shop cannot be asked right now whether this order can still be paid. Nothing was confirmed. Please try again in a moment.");
    return false;
  }

  function confirming() {
    tell("Thank you. We are waiting for the provider's confirmation.");
    watch();
  }

  // Loads the provider's script. Its listeners have to be there before.
  function load(attributes) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.addEventListener("load", resolve);
      script.addEventListener("error", () => reject(new Error(LOST)));
      if (needs.integrity) Object.assign(script, { integrity: needs.integrity, crossOrigin: "anonymous" });
      Object.assign(script, { async: true, referrerPolicy: "no-referrer", ...attributes, src: needs.script_url });
      document.head.append(script);
    });
  }

  async function startWidget() {
    const container = document.querySelector(".provider");
    const left = document.getElementById("left");
    let started = false;
    const start = () => {
      if (started || typeof window.initFortePaymentsWidget !== "function") return;
      started = true;
      tell("");
      window.initFortePaymentsWidget({ containerId: container.id, data: needs.data });
    };
    window.addEventListener("FortePaymentsWidgetLoaded", start);
    window.addEventListener("FortePaymentsBuyVdaSuccess", () => {
      container.hidden = true;
      confirming();
    });
    window.addEventListener("FortePaymentsWidgetClosed", async () => {
      container.hidden = true;
      const now = await ask();
      if (now !== null && now !== stage) return look();
      left.hidden = false;
      left.querySelector("h2").focus();
      watch();
    });
    await load({ type: "module" });
    start();
    await sleep(PATIENCE);
    if (!started) throw new Error(LOST);
  }

  async function startElements() {
    const card = document.getElementById("card");
    const challenge = document.getElementById("challenge");
    await load({});
    const account = needs.stripe_account ? { stripeAccount: needs.stripe_account } : {};
    const stripe = window.Stripe(needs.publishable_key, account);
    const clientSecret = needs.client_secret;
    let elements = null;

    function showCard() {
      challenge.hidden = true;
      card.hidden = false;
      if (elements) return;
      const theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe";
      elements = stripe.elements({ clientSecret, appearance: { theme } });
      const element = elements.create("payment");
      element.on("loaderror", () => complain(LOST));
      element.mount("#payment-element");
    }

    // What the provider's answer means for the page; whether it is true, the bridge finds out.
    function follow({ paymentIntent, error }) {
      const intent = paymentIntent ?? error?.payment_intent;
      if (["succeeded", "processing", "requires_capture"].includes(intent?.status)) {
        card.hidden = challenge.hidden = true;
        confirming();
      } else if (intent?.status === "canceled") {
        card.hidden = challenge.hidden = true;
        watch();
      } else if (intent?.status === "requires_action") {
        card.hidden = true;
        challenge.hidden = false;
      } else if (intent) {
        showCard();
      }
      if (error) complain(error.message ?? LOST, { canReload: !intent && !elements });
    }

    async function run(form, work) {
      const button = form.querySelector("button");
      button.disabled = true;
      uncomplain();
      tell("One moment, please.");
      if (!(await mayConfirm())) {
        button.disabled = false;
        return;
      }
      try {
        const answer = await work();
        tell("");
        follow(answer);
      } catch {
        tell("");
        complain("The payment form has failed. Check first whether you have paid.");
      }
      button.disabled = false;
    }

    card.addEventListener("submit", (event) => {
      event.preventDefault();
      const confirmParams = { return_url: location.origin + location.pathname };
      run(card, () => stripe.confirmPayment({ elements, confirmParams, redirect: "if_required" }));
    });
    challenge.addEventListener("submit", (event) => {
      event.preventDefault();
      run(challenge, () => stripe.handleNextAction({ clientSecret }));
    });
    const found = await stripe.retrievePaymentIntent(clientSecret);
    tell("");
    follow(found);
  }

  const starters = { forte_widget: startWidget, stripe_elements: startElements };

  // A second click sends nothing. The button is disabled only after its form was read: a disabled one is not sent along.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) return event.preventDefault();
      form.dataset.sent = "yes";
      setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
    });
  }
  for (const button of document.querySelectorAll(".reload")) button.addEventListener("click", look);
  window.addEventListener("pageshow", (event) => event.persisted && look());
  const query = location.search;
  if (query) history.replaceState(null, "", location.pathname); // a provider may have put a secret there
  if (["opened", "processing"].includes(stage) || query.includes("redirect_status=")) watch();
  if (needs) {
    tell("The payment form is being loaded.");
    starters[kind]().catch((error) => {
      tell("");
      complain(error.message || LOST);
    });
  }
})();
