"use strict";
/* What a reader says of a film: one word, findings from a short list, a note; and what others and tests say. */

const VERDICTS = { normal: "n", abnormal: "a", "cannot-tell": "u" }; // and their keys
const FINDINGS = ["tb", "opacity", "nodule", "effusion", "pneumothorax", "cardiomegaly", "device", "other"];
const TESTS = ["sputum", "genexpert", "ct"];
const NOTE_KEY = "c";
const WITHDRAWN = "withdrawn"; // the verdict that takes back what was said before
const WITHDRAW_KEY = "Delete";
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
    this.drafts = new Map(); // notes and findings without a word, by film
    this.latest = new Map(); // verdict that was sent last, by what it speaks of
    this.inOrder = new InOrder();
    Object.assign(this, { count: 0, sending: 0 }); // verdicts that were given, and those that are on their way
    this.unkept = new Unkept(labels, (said, name) => this.#keep(said, name));
    root.classList.add("vb");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", labels.bar);
    this.summary = element("span", "vb-summary");
    this.others = element("span", "vb-others");
    this.state = element("span", "vb-state");
    this.state.setAttribute("role", "status");
    this.words = this.#buttons(Object.keys(VERDICTS), "vb-word", (name) => this.#choose(name), Object.values(VERDICTS));
    this.back = newButton(labels.withdraw, () => this.#withdraw());
    this.back.className = "vb-back";
    this.back.append(element("kbd", "", labels[WITHDRAW_KEY]));
    this.back.title = `${labels.withdrawMine} (${labels[WITHDRAW_KEY]})`;
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
    words.append(...Object.values(this.words), this.back);
    first.append(this.summary, words, this.others, this.state);
    const marks = element("span", "vb-marks");
    marks.setAttribute("role", "group");
    marks.setAttribute("aria-label", this.labels.findings);
    marks.append(...Object.values(this.marks));
    const tests = this.#tests();
    if (this.isSmall) {
      first.replaceChildren(words, this.#folded(marks), this.note, this.state);
      this.root.replaceChildren(first, this.unkept.root);
    } else {
      const second = element("div", "vb-line");
      second.append(marks, this.note, tests);
      this.root.replaceChildren(first, second, this.unkept.root);
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

  /** Buttons, not a list to choose from: that would take the keys which lead to the next film. */
  #tests() {
    this.results = {};
    const details = element("details", "vb-tests");
    details.append(element("summary", "", this.labels.tests));
    const list = element("div", "vb-test-list");
    for (const source of TESTS) {
      const row = element("div", "vb-test");
      row.setAttribute("role", "group");
      row.setAttribute("aria-label", this.labels[source]);
      this.results[source] = ["", ...Object.keys(VERDICTS)].map((verdict) => {
        const button = element("button", `vb-${verdict}`, verdict ? this.labels[`test-${verdict}`] : this.labels.noTest);
        Object.assign(button, { type: "button", value: verdict, disabled: !this.canSay });
        button.addEventListener("click", () => this.#enter(source, button));
        return button;
      });
      row.append(element("span", "", this.labels[source]), ...this.results[source]);
      list.append(row);
    }
    details.append(list);
    this.details = details;
    return details;
  }

  /** A test's result, or that it was entered in error. */
  #enter(source, button) {
    if (!this.film) return;
    const { key, name } = this.film;
    const isAsShown = button.getAttribute("aria-pressed") === "true";
    if (isAsShown && !this.latest.has(aboutOf({ key, source }))) return;
    this.#keep({ key, verdict: button.value || WITHDRAWN, findings: [], note: "", source }, name);
  }

  #addKeys(keys) {
    const { labels } = this;
    keys.add([
      ...Object.entries(VERDICTS).map(([name, key]) => ({ keys: [key], words: labels[name], act: () => this.#choose(name) })),
      { keys: FINDINGS.map((_, at) => String(at + 1)), words: labels.findingKeys, act: ({ key }) => this.#toggle(FINDINGS[key - 1]) },
      { keys: [NOTE_KEY], words: labels.addNote, act: () => this.note.focus() },
      { keys: [WITHDRAW_KEY], words: labels.withdrawMine, act: () => this.#withdraw() },
    ]);
  }

  /**
   * Show what stands of a film.
   *
   * @param {?Object} film key; name; verdicts: each `{reader, verdict, findings, note, source, isBlinded, isOurs, isMine}`;
   *   isDisputed; summary: nodes that say how it was scored
   */
  show(film) {
    this.settle();
    this.film = film;
    this.root.classList.toggle("vb-empty", !film);
    this.summary.replaceChildren(...(film?.summary ?? []));
    this.details.open = false;
    this.#tell(film?.verdicts ?? [], film?.isDisputed ?? false);
  }

  /**
   * Show what has been said meanwhile of the film that is open: by others, or by this reader in another window.
   * What this reader is about to say stays.
   *
   * @param {function(string): Promise<Object>} ask gives what stands of a film, by its key
   */
  async renew(ask) {
    const { film, count } = this;
    const isBusy = () => this.waiting || this.sending || this.drafts.has(film.key) || document.activeElement === this.note;
    if (!film || isBusy()) return;
    const { verdicts, isDisputed } = await ask(film.key);
    if (film !== this.film || count !== this.count || isBusy()) return;
    if (JSON.stringify(verdicts) !== this.told) this.#tell(verdicts, isDisputed);
  }

  #tell(verdicts, isDisputed) {
    this.told = JSON.stringify(verdicts);
    const last = verdicts.find(({ isMine, source }) => isMine && source === "reading");
    const mine = last?.verdict === WITHDRAWN ? null : last;
    const { findings, note } = mine ?? this.drafts.get(this.film?.key) ?? { findings: [], note: "" };
    this.chosen = { verdict: mine?.verdict ?? "", findings: [...findings] };
    this.note.value = note;
    this.#tellState(last && !mine ? this.labels[WITHDRAWN] : "");
    this.others.replaceChildren(...(isDisputed ? [element("b", "vb-differ", this.labels.differ)] : []));
    for (const said of verdicts) if (said !== last) this.others.append(this.#said(said));
    for (const source of TESTS) {
      const found = verdicts.find((said) => said.source === source)?.verdict ?? WITHDRAWN;
      const stands = found === WITHDRAWN ? "" : found;
      for (const button of this.results[source]) button.setAttribute("aria-pressed", String(button.value === stands));
    }
    this.#press();
  }

  /** Whether it is kept; a note without a word is not. */
  #tellState(words = "") {
    if (!this.canSay) return;
    const isDraft = this.drafts.has(this.film?.key);
    this.state.textContent = isDraft ? this.labels.wordFirst : words;
    this.state.classList.toggle("vb-draft", isDraft);
  }

  #said({ reader, verdict, findings, note, source, isBlinded, isOurs }) {
    const { labels } = this;
    const isTest = source !== "reading";
    const what = labels[isTest ? `test-${verdict}` : verdict];
    const with_ = [findings.map((name) => labels[name]).join(", "), note].filter(Boolean).join("; ");
    const shown = element("span", `vb-said vb-${verdict}`, `${isTest ? labels[source] : reader}: ${what}${with_ && ` (${with_})`}`);
    const notes = [with_, isTest ? reader : "", isBlinded ? labels.blinded : "", isOurs ? "" : labels.elsewhere];
    shown.title = notes.filter(Boolean).join("; ");
    return shown;
  }

  #press() {
    const { verdict, findings } = this.chosen;
    for (const [name, button] of Object.entries(this.words)) button.setAttribute("aria-pressed", String(name === verdict));
    this.back.hidden = !verdict || !this.canSay;
    for (const [name, button] of Object.entries(this.marks)) button.setAttribute("aria-pressed", String(findings.includes(name)));
  }

  #choose(name) {
    if (!this.film) return;
    this.chosen.verdict = name;
    if (name === "normal") this.chosen.findings = this.chosen.findings.filter((mark) => mark === "device");
    this.#press();
    this.#changed(0);
  }

  /** Take the own verdict back, with findings and note: the film is not read any more. */
  #withdraw() {
    if (!this.film || !this.chosen.verdict) return;
    const { key, name } = this.film;
    clearTimeout(this.waiting?.timer);
    this.waiting = null;
    this.chosen = { verdict: "", findings: [] };
    this.note.value = "";
    if (document.activeElement === this.back) Object.values(this.words)[0].focus(); // the button goes
    this.#press();
    this.#keep({ key, verdict: WITHDRAWN, findings: [], note: "", source: "reading" }, name);
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
    if (!this.film) return;
    const { key, name } = this.film;
    const { verdict, findings } = this.chosen;
    const note = this.note.value;
    if (!verdict && (note || findings.length)) this.drafts.set(key, { findings: [...findings], note });
    else this.drafts.delete(key);
    this.#tellState();
    if (!verdict) return;
    clearTimeout(this.waiting?.timer);
    const said = { key, verdict, findings: [...findings], note, source: "reading" };
    this.waiting = { said, name, timer: setTimeout(() => this.settle(), wait) };
  }

  /** Keep at once what still waits. */
  settle() {
    if (!this.waiting) return;
    clearTimeout(this.waiting.timer);
    const { said, name } = this.waiting;
    this.waiting = null;
    this.#keep(said, name);
  }

  async #keep(said, name) {
    const isLatest = () => this.latest.get(aboutOf(said)) === said;
    this.latest.set(aboutOf(said), said);
    this.count += 1;
    this.sending += 1;
    if (said.key === this.film?.key) this.#tellState();
    try {
      const { verdicts, isDisputed } = await this.inOrder.send(said, this.say);
      if (!isLatest()) return;
      this.unkept.drop(said);
      if (this.film?.key !== said.key || this.waiting) return;
      this.#tell(verdicts, isDisputed);
      this.#tellState(said.verdict === WITHDRAWN && said.source === "reading" ? this.labels[WITHDRAWN] : this.labels.kept);
    } catch (error) {
      if (isLatest()) this.unkept.add(said, name, error);
    } finally {
      this.sending -= 1;
    }
  }
}
