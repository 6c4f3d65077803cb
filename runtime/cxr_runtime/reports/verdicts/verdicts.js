"use strict";
/* What a reader says of a film: one word, findings from a short list, a note; and what others and tests say. */

const VERDICTS = { normal: "n", abnormal: "a", "cannot-tell": "u" }; // and their keys
const FINDINGS = ["tb", "opacity", "nodule", "effusion", "pneumothorax", "cardiomegaly", "device", "other"];
const TESTS = ["sputum", "genexpert", "ct"];
const NOTE_KEY = "c";
const SETTLE_MS = 700; // after the last change of findings or note

class VerdictBar {
  /**
   * @param {HTMLElement} root
   * @param {Object} options
   *   labels: as `LABELS` of the page's language; keys: the viewer's `Keys`;
   *   canSay: false where the reader may only look;
   *   isSmall: one line, for a page that says elsewhere how the film was scored;
   *   say({key, verdict, findings, note, source}): keeps it, gives a promise of all verdicts that stand
   */
  constructor(root, { labels, keys, canSay, say, isSmall = false }) {
    Object.assign(this, { root, labels, canSay, say, isSmall, film: null });
    root.classList.add("vb");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", labels.bar);
    this.summary = element("span", "vb-summary");
    this.others = element("span", "vb-others");
    this.state = element("span", "vb-state");
    this.state.setAttribute("role", "status");
    this.words = this.#buttons(Object.keys(VERDICTS), "vb-word", (name) => this.#choose(name), Object.values(VERDICTS));
    this.marks = this.#buttons(FINDINGS, "vb-mark", (name) => this.#toggle(name), FINDINGS.map((_, at) => String(at + 1)));
    this.note = element("input", "vb-note");
    Object.assign(this.note, { type: "text", maxLength: 2000, placeholder: labels.note, disabled: !canSay });
    this.note.setAttribute("aria-label", labels.note);
    this.note.title = `${labels.addNote} (${NOTE_KEY})`;
    this.note.addEventListener("input", () => this.#changed());
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") this.note.blur();
    });
    this.#build();
    if (canSay) this.#addKeys(keys);
    this.show(null);
  }

  #build() {
    const first = element("div", "vb-line");
    const words = element("span", "vb-words");
    words.append(...Object.values(this.words));
    first.append(this.summary, words, this.others, this.state);
    const marks = element("span", "vb-marks");
    marks.setAttribute("role", "group");
    marks.setAttribute("aria-label", this.labels.findings);
    marks.append(...Object.values(this.marks));
    const tests = this.#tests();
    if (this.isSmall) {
      first.replaceChildren(words, this.#folded(marks), this.note, this.state);
      this.root.replaceChildren(first);
    } else {
      const second = element("div", "vb-line");
      second.append(marks, this.note, tests);
      this.root.replaceChildren(first, second);
    }
    if (!this.canSay) this.state.textContent = this.labels.mayNot;
  }

  /** Findings behind one word, where there is no room for them. */
  #folded(marks) {
    const details = element("details", "vb-tests vb-folded");
    const list = element("div", "vb-test-list");
    list.append(marks);
    details.append(element("summary", "", this.labels.findings), list);
    return details;
  }

  #buttons(names, className, act, keys) {
    const made = names.map((name, at) => {
      const button = element("button", `${className} vb-${name}`, this.labels[name]);
      button.type = "button";
      button.disabled = !this.canSay;
      button.title = `${this.labels[name]} (${keys[at]})`;
      button.append(element("kbd", "", keys[at]));
      button.addEventListener("click", () => act(name));
      return [name, button];
    });
    return Object.fromEntries(made);
  }

  #tests() {
    this.results = {};
    const details = element("details", "vb-tests");
    details.append(element("summary", "", this.labels.tests));
    const list = element("div", "vb-test-list");
    for (const source of TESTS) {
      const select = element("select");
      select.disabled = !this.canSay;
      select.append(new Option(this.labels.noTest, ""));
      for (const verdict of Object.keys(VERDICTS)) select.append(new Option(this.labels[`test-${verdict}`], verdict));
      select.addEventListener("change", () => select.value && this.#keep({ verdict: select.value, findings: [], note: "", source }));
      const label = element("label", "", this.labels[source]);
      label.append(select);
      list.append(label);
      this.results[source] = select;
    }
    details.append(list);
    this.details = details;
    return details;
  }

  #addKeys(keys) {
    const { labels } = this;
    keys.add([
      ...Object.entries(VERDICTS).map(([name, key]) => ({ keys: [key], words: labels[name], act: () => this.#choose(name) })),
      { keys: FINDINGS.map((_, at) => String(at + 1)), words: labels.findingKeys, act: ({ key }) => this.#toggle(FINDINGS[key - 1]) },
      { keys: [NOTE_KEY], words: labels.addNote, act: () => this.note.focus() },
    ]);
  }

  /**
   * Show what stands of a film.
   *
   * @param {?Object} film key; verdicts: each `{reader, verdict, findings, note, source, isBlinded, isOurs, isMine}`;
   *   isDisputed; summary: nodes that say how it was scored
   */
  show(film) {
    this.settle();
    this.film = film;
    this.root.classList.toggle("vb-empty", !film);
    this.summary.replaceChildren(...(film?.summary ?? []));
    this.details.open = false;
    if (this.canSay) this.state.textContent = "";
    this.#tell(film?.verdicts ?? [], film?.isDisputed ?? false);
  }

  #tell(verdicts, isDisputed) {
    const mine = verdicts.find(({ isMine, source }) => isMine && source === "reading");
    this.chosen = mine ? { verdict: mine.verdict, findings: [...mine.findings] } : { verdict: "", findings: [] };
    this.note.value = mine?.note ?? "";
    this.others.replaceChildren(...(isDisputed ? [element("b", "vb-differ", this.labels.differ)] : []));
    for (const said of verdicts) if (said !== mine) this.others.append(this.#said(said));
    for (const source of TESTS) this.results[source].value = verdicts.find((said) => said.source === source)?.verdict ?? "";
    this.#press();
  }

  #said({ reader, verdict, findings, note, source, isBlinded, isOurs }) {
    const { labels } = this;
    const isTest = source !== "reading";
    const what = isTest ? labels[`test-${verdict}`] : labels[verdict];
    const with_ = findings.map((name) => labels[name]).join(", ");
    const shown = element("span", `vb-said vb-${verdict}`, `${isTest ? labels[source] : reader}: ${what}`);
    const notes = [with_, note, isTest ? reader : "", isBlinded ? labels.blinded : "", isOurs ? "" : labels.elsewhere];
    shown.title = notes.filter(Boolean).join("; ");
    return shown;
  }

  #press() {
    const { verdict, findings } = this.chosen;
    for (const [name, button] of Object.entries(this.words)) button.setAttribute("aria-pressed", String(name === verdict));
    for (const [name, button] of Object.entries(this.marks)) button.setAttribute("aria-pressed", String(findings.includes(name)));
  }

  #choose(name) {
    if (!this.film) return;
    this.chosen.verdict = name;
    if (name === "normal") this.chosen.findings = this.chosen.findings.filter((mark) => mark === "device");
    this.#press();
    this.#changed(0);
  }

  /** A finding makes a film abnormal, a device alone does not. */
  #toggle(name) {
    if (!this.film) return;
    const { findings } = this.chosen;
    const isNew = !findings.includes(name);
    this.chosen.findings = FINDINGS.filter((mark) => (mark === name ? isNew : findings.includes(mark)));
    if (isNew && name !== "device") this.chosen.verdict = "abnormal";
    this.#press();
    this.#changed();
  }

  #changed(wait = SETTLE_MS) {
    if (!this.film || !this.chosen.verdict) return;
    const { key } = this.film;
    clearTimeout(this.waiting?.timer);
    const verdict = { key, ...this.chosen, findings: [...this.chosen.findings], note: this.note.value, source: "reading" };
    this.waiting = { verdict, timer: setTimeout(() => this.settle(), wait) };
  }

  /** Keep at once what still waits. */
  settle() {
    if (!this.waiting) return;
    clearTimeout(this.waiting.timer);
    const { verdict } = this.waiting;
    this.waiting = null;
    this.#keep(verdict);
  }

  async #keep(verdict) {
    const { film } = this;
    const said = { key: film?.key, ...verdict };
    try {
      const { verdicts, isDisputed } = await this.say(said);
      if (this.film?.key !== said.key || this.waiting) return;
      this.#tell(verdicts, isDisputed);
      this.state.textContent = this.labels.kept;
      this.state.classList.remove("vb-failed");
    } catch (error) {
      this.#failed(said, error);
    }
  }

  #failed(said, error) {
    const again = element("button", "", this.labels.again);
    again.type = "button";
    again.addEventListener("click", () => this.#keep(said));
    this.state.classList.add("vb-failed");
    this.state.replaceChildren(`${this.labels.notKept}: ${error.message} `, again);
  }
}
