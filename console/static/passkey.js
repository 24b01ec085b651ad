// Passkeys (W3C WebAuthn). The password does everything without this file; what needs it is hidden until it runs.
(() => {
  "use strict";
  const Key = window.PublicKeyCredential;
  if (!Key || !navigator.credentials) return;

  // Options come and answers go as JSON. Browsers that do not read and write it themselves are told in bytes, by hand.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  const named = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  function creation(json) {
    if (Key.parseCreationOptionsFromJSON) return Key.parseCreationOptionsFromJSON(json);
    const user = { ...json.user, id: bytes(json.user.id) };
    return { ...json, user, challenge: bytes(json.challenge), excludeCredentials: named(json.excludeCredentials) };
  }

  function request(json) {
    if (Key.parseRequestOptionsFromJSON) return Key.parseRequestOptionsFromJSON(json);
    return { ...json, challenge: bytes(json.challenge), allowCredentials: named(json.allowCredentials) };
  }

  function written(key) {
    if (key.toJSON) return JSON.stringify(key);
    const response = { transports: key.response.getTransports?.() };
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (key.response[part]) response[part] = text(key.response[part]);
    }
    return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response });
  }

  async function ask(path, fields) {
    const answer = await fetch(path, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(fields) });
    if (answer.status === 204) return null;
    const said = await answer.json().catch(() => ({ message: "the console does not answer as it should", hint: "load the page again" }));
    if (!answer.ok || said.message) throw new Error(said.hint ? `${said.message} (${said.hint})` : said.message);
    return said;
  }

  // What the browser's own dialog gives, as JSON.
  async function answered(path, fields) {
    const options = await ask(path, fields);
    const key = options.rp
      ? await navigator.credentials.create({ publicKey: creation(options) })
      : await navigator.credentials.get({ publicKey: request(options) });
    return written(key);
  }

  const WORDS = {
    NotAllowedError: "No passkey was used: nothing was chosen in time. The password works, too.",
    InvalidStateError: "This device has a passkey for this console already.",
    SecurityError: "The browser has no passkeys under this address.",
    TypeError: "The console does not answer.",
  };

  function say(beside, words, how) {
    document.querySelector(".passkey-said")?.remove();
    const line = document.createElement("p");
    line.className = `${how} passkey-said`;
    line.setAttribute("role", how === "told" ? "status" : "alert");
    line.textContent = words;
    line.tabIndex = -1;
    beside.after(line);
    line.focus();  // not a button: who proves who he is has not said yet what is to be done
  }

  // One at a time, and a refusal is said beside the button.
  async function attempt(button, work) {
    button.disabled = true;
    try { await work(); } catch (error) { say(button, WORDS[error.name] || error.message, "refused"); }
    button.disabled = false;
  }

  // Forms that a passkey fills: the browser's dialog comes before they are sent.
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(form.querySelector("button:not([type])"), async () => {
        form.elements.credential.value = await answered(form.dataset.passkey, new FormData(form));
        form.submit();
      });
    });
  }
  document.querySelectorAll("[data-without]").forEach((line) => line.remove());

  // Where the password is asked once more a passkey does as well. Then it is asked nowhere on the page, and what was typed stays.
  const asked = () => [...document.querySelectorAll("main input[name=password]")];

  async function prove(button) {
    const csrf = button.form.elements.csrf.value;
    await ask("/prove/passkey", { csrf, credential: await answered("/prove/passkey/options", { csrf }) });
    say(button, "It is you: for ten minutes the password is not asked for again.", "told");
    for (const field of asked()) {
      const sends = [...field.form.elements].find((one) => one.type === "submit" && !one.disabled);
      if (field.dataset.do) sends.dataset.do = field.dataset.do;
      field.closest("label").remove();
    }
    document.querySelectorAll("[data-proof]").forEach((one) => one.remove());
  }

  function offer() {
    for (const field of asked()) {
      const label = field.closest("label");
      if (label.nextElementSibling?.matches("[data-proof]")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "small secondary";
      button.dataset.proof = "";
      button.textContent = "Use a passkey";
      button.addEventListener("click", () => attempt(button, () => prove(button)));
      label.after(button);
    }
  }
  if ("proves" in document.body.dataset) {
    offer();
    document.addEventListener("htmx:after:swap", offer);  // a part that has loaded itself anew
  }
})();
