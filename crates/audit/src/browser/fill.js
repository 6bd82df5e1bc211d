// Fills in a form and presses its button, as soon as all of it is there.
(async ({ fields, submit, patience }) => {
  const shown = (element) => element.getClientRects().length > 0;
  const first = (elements) => [...elements].find(shown);
  const select = (selector) => {
    try {
      return first(document.querySelectorAll(selector));
    } catch {
      return undefined; // a name that is no selector
    }
  };
  const field = (key) =>
    first(document.getElementsByName(key)) || first([document.getElementById(key)].filter(Boolean)) || select(key);
  const until = performance.now() + patience;
  for (;;) {
    const missing = Object.keys(fields).filter((key) => !field(key));
    if (submit && !select(submit)) missing.push(submit);
    if (missing.length === 0 && document.readyState === "complete") break;
    if (performance.now() > until) {
      const there = [...document.querySelectorAll("input, select, textarea")].filter(shown);
      return { missing, there: there.map((one) => one.name || one.id).filter(Boolean).slice(0, 12) };
    }
    await new Promise((next) => setTimeout(next, 25));
  }
  const fill = (element, value) => {
    element.focus();
    if (element.type === "checkbox" || element.type === "radio") {
      if (!element.checked) element.click();
      return;
    }
    // The setter of the element's kind, since frameworks put their own before it.
    const setter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value")?.set;
    if (setter) setter.call(element, value);
    else element.textContent = value;
    for (const kind of ["input", "change"]) element.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const filled = Object.entries(fields).map(([key, value]) => [field(key), value]);
  for (const [element, value] of filled) fill(element, value);
  const form = filled.map(([element]) => element.form).find(Boolean);
  const buttons = "button:not([type=button]):not([type=reset]), input[type=submit], input[type=image]";
  const button = submit ? select(submit) : first((form || document).querySelectorAll(buttons)) || (form ? undefined : first(document.querySelectorAll("button")));
  if (!button && !form) return { missing: ["a button"], there: [] };
  // After this answer has left: the page may go elsewhere at once.
  setTimeout(() => (button ? button.click() : form.requestSubmit()), 0);
  return {};
})
