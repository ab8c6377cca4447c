// The widget of the Forte Payments simulator: no money moves.
//
// It defines window.initFortePaymentsWidget({containerId, data}) and tells the page three things through events on
// window: FortePaymentsWidgetLoaded, FortePaymentsBuyVdaSuccess, FortePaymentsWidgetClosed. It works below a strict
// content security policy: styles are set through the CSSOM only, and it talks to the origin it came from.

const API = new URL("widget/v1/", import.meta.url);
const KYC = "ERR06";
const LOST = "Forte cannot be reached. Please try again.";

function element(tag, properties = {}, children = []) {
  const { style, attributes = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.style, style);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(label, onclick) {
  return element("button", { type: "button", textContent: label, onclick, style: { margin: "0 8px 8px 0" } });
}

function paragraph(text, role) {
  return element("p", { textContent: text, attributes: role ? { role } : {} });
}

function field(label, name, properties = {}) {
  const input = element("input", { name, required: true, autocomplete: "off", ...properties });
  Object.assign(input.style, { display: "block", width: "100%", boxSizing: "border-box", font: "inherit" });
  return element("label", { style: { display: "block", margin: "0 0 12px" } }, [label, input]);
}

// The token that `data.widget_data` carries, or null if it carries none.
function readToken(data) {
  try {
    return JSON.parse(atob(data.widget_data)).access_token ?? null;
  } catch {
    return null;
  }
}

// One request: what the simulator says about the session. Throws an Error whose message is meant for the buyer.
async function ask(token, path, body) {
  let answer, content;
  try {
    answer = await fetch(new URL(path, API), {
      method: body ? "POST" : "GET",
      headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    content = await answer.json();
  } catch {
    throw new Error(LOST);
  }
  if (!answer.ok) throw new Error(content.error?.message ?? LOST);
  return content.data;
}

class Widget {
  constructor(container, data) {
    this.container = container;
    this.data = data;
    this.token = readToken(data);
    this.entered = {};
  }

  async start() {
    this.show(paragraph("One moment, please.", "status"));
    if (this.token === null) {
      this.showEnd(this.data.error_code ? this.refusal() : "This payment cannot be shown.");
      return;
    }
    await this.update("session");
  }

  // Ask, and show what came of it.
  async update(path, body) {
    try {
      this.view(await ask(this.token, path, body));
    } catch (error) {
      if (this.form?.isConnected) this.complain(error.message);
      else this.showEnd(error.message);
    }
  }

  view(session) {
    const views = {
      ready: () => this.showCard(session),
      challenge: () => this.showChallenge(session),
      kyc: () => this.showIdentity(session),
      refused: () => this.showEnd(session.message),
      verified: () => this.showEnd(session.message),
      approved: () => this.showSuccess(),
      declined: () => this.showEnd("The payment was declined."),
      expired: () => this.showEnd("The time for this payment is over."),
    };
    const { error_code: code } = this.data;
    const refused = code && code !== KYC && ["ready", "challenge"].includes(session.state);
    if (refused) this.showEnd(this.refusal());
    else views[session.state]();
  }

  refusal() {
    return `This payment is not possible (${this.data.error_code}).`;
  }

  // Replace what is shown, and take the reader along.
  show(...children) {
    const heading = element("h2", { textContent: "Forte payment (test)", tabIndex: -1 });
    Object.assign(heading.style, { margin: "0 0 12px", outline: "none" });
    const style = { font: "16px/1.5 system-ui, sans-serif", maxWidth: "28rem", padding: "16px", border: "1px solid" };
    this.container.replaceChildren(
      element("section", { style, attributes: { "aria-label": "Forte payment" } }, [heading, ...children]),
    );
    heading.focus();
  }

  showForm(lead, hint, fields, label, submit) {
    this.alert = paragraph("", "alert");
    const pay = element("button", { textContent: label, style: { margin: "0 8px 8px 0" } });
    const buttons = [pay, button("Close", () => this.end("FortePaymentsWidgetClosed"))];
    this.form = element("form", { noValidate: true }, [...fields, this.alert, ...buttons]);
    this.form.addEventListener("submit", async (event) => {
      event.preventDefault();
      Object.assign(this.entered, Object.fromEntries(new FormData(this.form)));
      for (const each of buttons) each.disabled = true;
      await submit();
      for (const each of buttons) each.disabled = false;
    });
    this.show(paragraph(lead), this.form, paragraph(hint));
  }

  showCard({ title, amount, currency, hint, needs_email: needsEmail, test_cards: cards }) {
    const options = cards.map(({ number, label }) => element("option", { value: number, label }));
    const list = element("datalist", { id: "forte-test-cards" }, options);
    const number = field("Card number", "card_number", { inputMode: "numeric" });
    number.querySelector("input").setAttribute("list", list.id);
    const fields = [
      ...(needsEmail ? [field("E-mail", "email", { type: "email" })] : []),
      field("One-time code", "code", { inputMode: "numeric" }),
      number,
      list,
    ];
    this.showForm(`${title}: ${amount} ${currency}`, hint, fields, "Pay", () => this.pay());
  }

  showChallenge({ hint }) {
    const fields = [field("3-D Secure password", "password", { type: "password" })];
    this.showForm("Your bank wants to know that it is you.", hint, fields, "Confirm", () => this.pay());
  }

  pay() {
    return this.update("payment", this.entered);
  }

  showIdentity({ message }) {
    const verify = button("Verify identity", () => this.update("identity", {}));
    const close = button("Close", () => this.end("FortePaymentsWidgetClosed"));
    this.show(paragraph(message, "alert"), verify, close);
  }

  showSuccess() {
    const leave = button("Continue", () => this.end("FortePaymentsBuyVdaSuccess"));
    this.show(paragraph("The payment was approved.", "status"), leave);
  }

  // Nothing can be done here any more but to go.
  showEnd(message) {
    this.show(paragraph(message, "alert"), button("Close", () => this.end("FortePaymentsWidgetClosed")));
  }

  complain(message) {
    this.alert.textContent = message;
  }

  end(name) {
    this.container.replaceChildren();
    const detail = { paymentIntentId: this.data.payment_intent_id ?? null };
    window.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

window.initFortePaymentsWidget = ({ containerId, data }) => {
  const container = document.getElementById(containerId);
  if (!container) throw new Error(`There is no element with the id ${containerId}.`);
  new Widget(container, data).start();
};

window.dispatchEvent(new CustomEvent("FortePaymentsWidgetLoaded"));
