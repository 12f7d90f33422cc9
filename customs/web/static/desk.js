// The desk's hands: keys, copying, dropping, choosing. Every page does its work without this file too.
//
// A page says what it has by attributes:
//   [data-search]            the box that `/` focuses
//   [data-go="w"]            a link that `g` and then its letter follows
//   [data-rows]              a table: `j` and `k` move through the rows of its tbody, Enter opens, `x` chooses;
//                            a row opens by its [data-open] or its first link, and is chosen by its checkbox
//   [data-main-action]       what Ctrl+Enter (Cmd+Enter) presses: the one of the form or dialog one is in, else the page's
//   [data-opens="keys"]      shows the <dialog> with this id; `?` shows #keys
//   [data-copy="text"]       copies the text, then says its data-copied in #live-message
//   [data-drop]              a form: a file dropped on it goes into its file input; it bears .is-over meanwhile
//   [data-submits]           an input or select that sends its form when it changes; a textarea, when one pasted into it
//   [data-select-all]        chooses every row of the [data-rows] it is in, or of the page
//   [data-selected-count]    shows how many rows are chosen
//   [data-needs-selection]   a button that cannot be pressed while no row is chosen
//   [data-cells]             where cells are mended in place: after Enter, the first input with aria-invalid="true"
//                            from the one that was sent on gets the focus, and when there is none the main action.
//                            With [data-refused] the last answer refused something
//   [data-row]               a row of cells there, which htmx sends when it hears "save"
//   [data-fresh]             a hidden field whose value is read once more when its form, which htmx let wait, really leaves
//   #live-message            an aria-live region; its data-failed, data-forbidden and data-offline are what it says
//                            of an answer that is an error, when that says nothing itself as text/plain; data-unsent
//                            what it says when nothing was submitted because a cell could not be saved; data-left when
//                            what was typed elsewhere would be left behind
// What only makes sense with a script is shown by the stylesheet under html.scripted.
(() => {
  "use strict";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);
  const isShown = (element) => element.getClientRects().length > 0;
  const openDialog = () => one("dialog[open]");
  const mainAction = (within) => all("[data-main-action]", within).find(isShown);

  // Saying

  const MESSAGE_MS = 6000;
  let messageTimer;

  function say(text) {
    const live = one("#live-message");
    if (!live || !text) return;
    clearTimeout(messageTimer);
    live.textContent = "";
    // A region that goes empty first says the same words a second time as well.
    setTimeout(() => { live.textContent = text; }, 50);
    messageTimer = setTimeout(() => { live.textContent = ""; }, MESSAGE_MS);
  }

  // Keys

  const NOT_TYPED_INTO = ["checkbox", "radio", "button", "submit", "reset", "file", "image", "range", "color"];
  const SEQUENCE_WITHIN = 1500;
  let goSince = -Infinity;
  let place = -1;

  const KEYS = {
    "/": focusSearch,
    "、": focusSearch,
    "g": (event) => { goSince = event.timeStamp; },
    "j": () => move(1),
    "k": () => move(-1),
    "x": () => here() && checkboxOf(here())?.click(),
    "?": () => show("keys"),
    "？": () => show("keys"),
  };

  const isTypedInto = (element) =>
    element.isContentEditable || element.matches("textarea, select")
    || (element.matches("input") && !NOT_TYPED_INTO.includes(element.type));

  function onKey(event) {
    // 229 is what a key is called while an input method is at work, even before it says that it composes.
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return pressMainAction(event);
    if (event.key === "Enter" && event.target.matches(CELLS)) return saveRow(event);
    if (event.ctrlKey || event.metaKey || event.altKey || openDialog() || isTypedInto(event.target)) return;
    const key = event.shiftKey ? event.key : event.key.toLowerCase();
    const isSecond = event.timeStamp - goSince < SEQUENCE_WITHIN;
    goSince = -Infinity;
    if (isSecond) return go(key, event);
    if (key === "enter") return openRow(event);
    if (!KEYS[key]) return;
    event.preventDefault();
    KEYS[key](event);
  }

  function focusSearch() {
    one("[data-search]")?.focus();
    one("[data-search]")?.select();
  }

  function go(letter, event) {
    const link = all("[data-go]").find((candidate) => candidate.dataset.go === letter);
    if (!link) return;
    event.preventDefault();
    link.click();
  }

  function pressMainAction(event) {
    const within = openDialog() ?? event.target.closest("form") ?? document;
    const own = isTypedInto(event.target) && within.matches?.("form[method=post]") && one("button:not([type=button])", within);
    const action = mainAction(within) ?? (own || (openDialog() ? null : mainAction(document)));
    if (!action || event.repeat) return;
    event.preventDefault();
    action.click();
  }

  function show(id) {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  }

  // Rows

  const rows = () => all("[data-rows] > tbody > tr").filter((row) => isShown(row) && handleOf(row));
  const checkboxOf = (row) => one("input[type=checkbox]", row);
  const linkOf = (row) => one("[data-open]", row) ?? one("a[href]", row);
  const handleOf = (row) => linkOf(row) ?? checkboxOf(row);
  const here = () => rows().find((row) => row.contains(document.activeElement));

  function move(step) {
    const among = rows();
    if (!among.length) return;
    const now = here() ? among.indexOf(here()) : place;
    place = Math.min(Math.max(now + step, 0), among.length - 1);
    handleOf(among[place]).focus({ preventScroll: true });
    among[place].scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  function openRow(event) {
    // Links and buttons open by themselves; on a checkbox, Enter would send the form around the table.
    const row = event.target.matches("input[type=checkbox]") && here();
    if (!row || !linkOf(row)) return;
    event.preventDefault();
    linkOf(row).click();
  }

  // Cells: what was typed is never left behind

  const CELLS = "[data-row] input.form-control";
  // What is on its way to the desk, by the input it was typed into.
  const underWay = new WeakMap();
  let refusals = 0;
  let onward = null;
  let isLeaving = false;
  let warnedOf = null;

  const isTyped = (field) => field.value !== field.defaultValue;
  const isUnsent = (cell) => isTyped(cell) && underWay.get(cell) !== cell.value;
  const typedCells = () => all(CELLS).filter(isTyped);

  function saveRow(event) {
    event.preventDefault();
    event.target.closest("[data-row]").dispatchEvent(new Event("save"));
  }

  function onInput(event) {
    if (!event.target.matches(CELLS)) return;
    // The row may be right with what is typed now: the desk decides, and says so where it is not.
    const action = mainAction(event.target.form);
    if (action) action.disabled = false;
  }

  function follow(event) {
    const link = event.target.closest("a[href]:not([href^='#'])");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || !typedCells().length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    onward = () => link.click();
    new Set(typedCells().filter(isUnsent).map((cell) => cell.closest("[data-row]"))).forEach((row) => row.dispatchEvent(new Event("save")));
  }

  function goOnward() {
    if (!onward || typedCells().length) return;
    const go = onward;
    onward = null;
    go();
  }

  function refuse() {
    refusals += 1;
    onward = null;
  }

  const LEFT = "form[method=post] input:not([type=hidden], [type=password], [data-submits]), form[method=post] textarea:not([data-submits])";
  const isText = (field) => field.matches("textarea") || !NOT_TYPED_INTO.includes(field.type);

  function onSubmit(event) {
    // Once only: whoever presses again has read what is said.
    const left = all(LEFT).find((field) => field.form !== event.target && isText(field) && !field.matches(CELLS) && isTyped(field));
    if (!left || left === warnedOf || !isShown(left)) return;
    warnedOf = left;
    event.preventDefault();
    event.stopImmediatePropagation();
    left.focus();
    say(one("#live-message")?.dataset.left);
  }

  function onLeaving(event) {
    if (!isLeaving && typedCells().length) event.preventDefault();
  }

  // Choosing

  const choices = (tables) => tables.flatMap((table) => all("tbody > tr input[type=checkbox]:enabled", table));
  const everyChoice = () => choices(all("[data-rows]"));
  const chosenBy = (selectAll) => {
    const table = selectAll.closest("[data-rows]");
    return table ? choices([table]) : everyChoice();
  };

  function count() {
    const chosen = everyChoice().filter((choice) => choice.checked).length;
    all("[data-selected-count]").forEach((counter) => { counter.textContent = String(chosen); });
    all("[data-needs-selection]").forEach((button) => { button.disabled = chosen === 0; });
    all("[data-select-all]").forEach((selectAll) => {
      const own = chosenBy(selectAll);
      const checked = own.filter((choice) => choice.checked).length;
      selectAll.checked = own.length > 0 && checked === own.length;
      selectAll.indeterminate = checked > 0 && checked < own.length;
    });
  }

  function onChange(event) {
    const changed = event.target;
    if (changed.matches("[data-select-all]")) {
      chosenBy(changed).forEach((choice) => { choice.checked = changed.checked; });
    }
    if (changed.matches("input[type=checkbox]")) count();
    const isNothing = changed.type === "file" && !changed.files.length;
    if (changed.matches("input[data-submits], select[data-submits]") && !isNothing) changed.form.requestSubmit();
  }

  // Copying

  async function copy(button) {
    const text = button.dataset.copy;
    // Browsers have no clipboard for pages that came over plain http from another machine.
    const done = navigator.clipboard ? await navigator.clipboard.writeText(text).then(() => true, () => false) : false;
    if (done || copyBySelection(button, text)) say(button.dataset.copied);
  }

  function copyBySelection(button, text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    field.className = "visually-hidden";
    // Beside the button: in an open dialog nothing outside of it can be selected.
    button.after(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    button.focus();
    return done;
  }

  function onClick(event) {
    const button = event.target.closest("[data-copy], [data-opens]");
    if (!button) return;
    event.preventDefault();
    if (button.matches("[data-opens]")) show(button.dataset.opens);
    else copy(button);
  }

  // Dropping and pasting

  const isFile = (event) => event.dataTransfer?.types.includes("Files") && one("[data-drop]");

  function mark(form) {
    all("[data-drop].is-over").filter((marked) => marked !== form).forEach((marked) => marked.classList.remove("is-over"));
    form?.classList.add("is-over");
  }

  function onDrag(event) {
    if (!isFile(event)) return;
    // Also beside the form: a file that misses it must not replace the page.
    event.preventDefault();
    const form = event.target.closest?.("[data-drop]");
    event.dataTransfer.dropEffect = form ? "copy" : "none";
    mark(form);
  }

  function onDrop(event) {
    if (!isFile(event)) return;
    event.preventDefault();
    mark(null);
    const form = event.target.closest?.("[data-drop]");
    const input = form && one("input[type=file]", form);
    if (!input || !event.dataTransfer.files.length) return;
    const taken = new DataTransfer();
    [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1).forEach((file) => taken.items.add(file));
    input.files = taken.files;
    if (input.matches("[data-submits]")) form.requestSubmit();
  }

  function onPaste(event) {
    if (!event.target.matches?.("textarea[data-submits]")) return;
    // The text is in its place only after this event.
    setTimeout(() => event.target.value.trim() && event.target.form.requestSubmit());
  }

  // What htmx asks for by itself

  let complained = null;

  function complain(ctx, text) {
    // What asks every two seconds complains once, until something is answered again.
    if (ctx.sourceEvent.type === "every") {
      if (text === complained) return;
      complained = text;
    }
    say(text);
  }

  function onError({ detail: { ctx } }) {
    const { status, headers } = ctx.response;
    if (status === 401) return location.reload();
    if (ctx.cells) refuse();
    if (ctx.sourceElement.hasAttribute(`hx-status:${status}`)) return;
    const text = headers.get("Content-Type")?.startsWith("text/plain") && ctx.text;
    const otherwise = one("#live-message")?.dataset ?? {};
    complain(ctx, text || (status === 403 ? otherwise.forbidden : otherwise.failed));
  }

  function onOffline({ detail: { ctx } }) {
    if (!ctx || ctx.response) return;
    if (ctx.cells) refuse();
    complain(ctx, one("#live-message")?.dataset.offline);
  }

  const isSubmit = (ctx) => ctx.sourceElement.matches("[data-cells] form") && Boolean(one(CELLS, ctx.sourceElement) ?? mainAction(ctx.sourceElement));

  function beforeAsking(event) {
    const { ctx } = event.detail;
    // Nobody looks: the next round asks again.
    if (ctx.sourceEvent.type === "every" && document.hidden) event.preventDefault();
    if (!ctx.sourceElement.closest("[data-cells]")) return;
    // Only what was typed is sent: the others may be mended by what leaves before.
    ctx.cells = all(CELLS).filter((cell) => ctx.request.body.has(cell.name));
    ctx.cells.filter((cell) => !isTyped(cell)).forEach((cell) => ctx.request.body.delete(cell.name));
    ctx.refusals = refusals;
    if (isSubmit(ctx) || ctx.sourceEvent.type === "save") ctx.sentCell = document.activeElement.id;
    if (ctx.sourceElement.matches("[data-row]") && !ctx.cells.some(isUnsent) && ctx.sourceEvent.type !== "save") event.preventDefault();
  }

  function beforeSending(event) {
    const { ctx } = event.detail;
    if (!ctx.cells) return;
    if (isSubmit(ctx) && ctx.refusals !== refusals) {
      event.preventDefault();
      return say(one("#live-message")?.dataset.unsent);
    }
    // Those before it may have changed the page, and what it was told when it was asked is old.
    const { body } = ctx.request;
    all("[data-fresh]").filter((field) => body.has(field.name)).forEach((field) => body.set(field.name, field.value));
    ctx.cells.filter((cell) => cell.isConnected && isTyped(cell)).forEach((cell) => body.set(cell.name, cell.value));
    ctx.cells.filter((cell) => body.has(cell.name)).forEach((cell) => underWay.set(cell, body.get(cell.name)));
  }

  function beforeAnswer({ detail: { ctx } }) {
    if (ctx.cells && ctx.hx?.redirect) isLeaving = true;
  }

  function beforeSwap({ detail: { ctx } }) {
    // What was typed since, while the answer was awaited.
    if (ctx.cells) ctx.typedSince = typedCells().filter(isUnsent).map((cell) => [cell, cell.value]);
  }

  function afterSwap({ detail: { ctx } }) {
    ctx.typedSince?.forEach(([cell, value]) => { cell.value = value; });
    count();
    if (ctx.response.status >= 400) return;
    complained = null;
    if (ctx.cells && one("[data-refused]")) refuse();
    if (ctx.sentCell !== undefined) focusAfter(ctx.sentCell);
  }

  function afterAll({ detail: { ctx } }) {
    ctx.cells?.forEach((cell) => underWay.delete(cell));
    goOnward();
  }

  function focusAfter(id) {
    const inputs = all("[data-cells] input, [data-cells] select").filter(isShown);
    const from = Math.max(inputs.findIndex((input) => input.id === id), 0);
    const next = inputs.slice(from).find((input) => input.getAttribute("aria-invalid") === "true");
    (next ?? mainAction(document))?.focus();
    next?.select?.();
  }

  const HEARD = {
    keydown: onKey,
    change: onChange,
    input: onInput,
    click: onClick,
    dragover: onDrag,
    dragleave: (event) => !event.relatedTarget && mark(null),
    drop: onDrop,
    paste: onPaste,
    "htmx:config:request": beforeAsking,
    "htmx:before:request": beforeSending,
    "htmx:response:error": onError,
    "htmx:error": onOffline,
    "htmx:before:response": beforeAnswer,
    "htmx:before:swap": beforeSwap,
    "htmx:after:swap": afterSwap,
    "htmx:finally:request": afterAll,
  };

  Object.entries(HEARD).forEach(([name, listener]) => document.addEventListener(name, listener));
  // Before anything else hears of it, htmx among others.
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("click", follow, true);
  window.addEventListener("beforeunload", onLeaving);
  // A page that comes back from the browser's own store shows what was chosen before.
  window.addEventListener("pageshow", count);
  document.documentElement.classList.add("scripted");
  count();
})();
