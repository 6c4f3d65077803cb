"use strict";
/* The viewer: films side by side at one zoom, in one window of grey values, with one set of tools. */

const HANDS = ["move", "tone", "lens", "length"]; // what dragging does
const LEAST_LENGTH = 3; // CSS pixels; a shorter line was a click

/** Which letter does what; the page and what stands beside the viewer take others. */
const LETTERS = {
  fit: "z", move: "p", tone: "w", lens: "m", length: "d", preset: "b", invert: "i", rotate: "r", flip: "x",
  sideBySide: "s", reset: "o", heat: "h", outlines: "l", whole: "f", help: "?",
};

class FilmViewer {
  /**
   * @param {HTMLElement} root which the viewer fills
   * @param {Object} options
   *   labels: every word of it, as `labels.py` has them;
   *   step(by): what `previous` and `next` do; without it there are no such buttons;
   *   legend: an element that explains the colours, shown while there is heat
   */
  constructor(root, { labels, step = null, legend = null }) {
    Object.assign(this, { root, labels, step, turn: 0 });
    this.state = { hand: "move", sideBySide: false, whole: false, heat: 100, outlines: false, place: "" };
    this.panes = ["film", "overlay", "earlier"].map((kind) => new Pane(kind));
    this.main = this.panes[1]; // whatever else is shown
    this.sight = new Sight(() => this.#changed());
    this.keys = new Keys(labels);
    this.ruler = new Ruler({
      main: this.main,
      sight: this.sight,
      canMeasure: () => this.state.hand === "length" && Boolean(this.spacing && this.main.content),
      measure: (from, to, isDone) => this.#measure(this.main, from, to, isDone),
      draw: () => this.#draw(),
    });
    this.acts = this.#acts();
    this.bar = new Bar(labels, this.acts, LETTERS);
    this.#build(legend);
    this.#addKeys();
    for (const pane of this.panes) followPointers(pane, this.#gestures());
    new ResizeObserver(() => this.#draw()).observe(this.stage);
    this.clear();
  }

  #build(legend) {
    this.stage = element("div", "fv-stage");
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "group");
    this.stage.setAttribute("aria-label", this.labels.stage);
    this.films = element("div", "fv-films");
    this.films.append(...this.panes.map((pane) => pane.figure));
    [this.caption, this.message, this.legend, this.reading] = ["caption", "message", "legend", "reading"].map((name) =>
      element("div", `fv-${name}`),
    );
    if (legend) this.legend.append(legend);
    this.said = element("div", "fv-said"); // to screen readers
    this.said.setAttribute("role", "status");
    this.stage.append(this.films, this.caption, this.message, this.legend, this.reading, this.said);
    this.root.classList.add("film-viewer");
    this.root.append(this.bar.root, this.stage);
  }

  /**
   * Show a film, as any new film is shown: all of it, in its usual window.
   *
   * @param {Object} shown
   *   name: what a screen reader calls it; place: e.g. `3 of 57`; caption: nodes that stand in a corner;
   *   film: `{url}` of an 8-bit picture, or `{pixels, rows, columns, window}`: Uint8Array or Uint16Array, row
   *     after row, more is brighter, pixels square; window is center and width; or a promise of either;
   *   heat: url of colours that lie over the whole film; outlines: polygons in shares of columns and rows;
   *   spacing: millimetres between rows, between columns (of the pixels given), or null where not known;
   *   earlier: null or `{name, film, heat}`, another film of the patient, with a name such as its date;
   *     this film does not wait for it;
   *   again: what a button does where the film cannot be shown; without it there is none
   * @returns {Promise<boolean>} whether it is seen, and no other was asked for meanwhile
   */
  async show({ name, place = "", caption = [], film, heat = null, outlines = [], spacing = null, earlier = null, again = null }) {
    this.expect({ place, caption });
    const { turn } = this;
    const picture = (url) => (url ? loadedPicture(url) : null);
    try {
      const [pixels, colours] = await Promise.all([GreyPixels.from(film), picture(heat)]);
      if (turn !== this.turn) return false;
      this.spacing = spacing;
      for (const pane of this.panes.slice(0, 2)) pane.set({ pixels, heat: colours, outlines, lines: this.lines }, name);
    } catch (error) {
      if (turn === this.turn) this.clear(this.#unreadable(again), { place, caption });
      console.warn("the viewer could not show a film:", error);
      return false;
    }
    this.#changed();
    if (earlier) await this.#setOlder(earlier).catch((error) => console.warn("no earlier film:", error));
    return turn === this.turn;
  }

  #unreadable(again) {
    const { labels } = this;
    const said = element("div");
    said.append(element("p", "", labels.unreadable), ...(again ? [newButton(labels.again, again)] : []));
    return said;
  }

  /**
   * Show another film beside this one, in place of an earlier film of the patient.
   *
   * @param {Object} other `{name, film, heat}`, as of `earlier` in `show`
   */
  async compare(other) {
    if (await this.#setOlder(other)) this.#set({ sideBySide: true });
  }

  /** Whether another film stands beside this one, and no other was asked for meanwhile. */
  async #setOlder({ name, film, heat = null }) {
    const { turn } = this;
    const [pixels, colours] = await Promise.all([GreyPixels.from(film), heat && loadedPicture(heat)]);
    if (turn !== this.turn) return false;
    const older = this.panes[2];
    older.set({ pixels, heat: colours, outlines: [], lines: [] }, name);
    older.title.textContent = name;
    this.#changed();
    return true;
  }

  /** Show no film, and say that one is being opened. */
  expect({ place = "", caption = [] } = {}) {
    this.clear(element("p", "fv-wait", this.labels.opening), { place, caption });
  }

  /** Show no film, but what is said instead of one. */
  clear(message = null, { place = "", caption = [] } = {}) {
    this.turn += 1;
    for (const pane of this.panes) pane.content = null;
    Object.assign(this, { lines: [], spacing: null, lens: null });
    Object.assign(this.ruler, { at: null, from: null });
    this.state.place = place;
    this.caption.replaceChildren(...caption);
    this.message.replaceChildren(...(message ? [message] : []));
    this.sight.reset();
  }

  /** Say anew which film of how many this is. */
  tellPlace(place) {
    this.#set({ place });
  }

  /** Fill the window, or give the room back; what stands beside the viewer cannot be reached meanwhile. */
  setWhole(isOn) {
    this.root.classList.toggle("fv-whole", isOn);
    for (let part = this.root; part !== document.body; part = part.parentElement)
      for (const other of part.parentElement.children)
        if (other !== part && other !== this.keys.dialog && !other.hasAttribute("aria-live")) other.inert = isOn;
    this.root.dispatchEvent(new CustomEvent("whole", { detail: isOn }));
    this.#set({ whole: isOn });
  }

  #set(change) {
    Object.assign(this.state, change);
    this.#changed();
  }

  /** What the buttons do; by their names, as `Bar` has them. */
  #acts() {
    const { sight, main } = this;
    const hands = Object.fromEntries(HANDS.map((hand) => [hand, () => this.#take(hand)]));
    return {
      ...hands,
      previous: () => this.step(-1),
      next: () => this.step(1),
      fit: () => sight.fit(),
      actual: () => sight.actual(main),
      zoomIn: () => sight.zoomBy(ZOOM_STEP, main),
      zoomOut: () => sight.zoomBy(1 / ZOOM_STEP, main),
      preset: (name) => sight.setPreset(name),
      invert: () => sight.shade({ isInverted: !sight.tone.isInverted }),
      rotate: () => sight.look({ turns: (sight.view.turns + 1) % 4 }),
      flip: () => sight.look({ isFlipped: !sight.view.isFlipped }),
      sideBySide: () => this.#set({ sideBySide: !this.state.sideBySide }),
      reset: () => {
        this.lines.length = 0;
        sight.reset();
      },
      heat: (percent) => this.#set({ heat: percent }),
      outlines: () => this.#set({ outlines: !this.state.outlines }),
      whole: () => this.setWhole(!this.state.whole),
      help: () => this.keys.show(),
    };
  }

  #addKeys() {
    const { labels, acts, sight, main } = this;
    const named = [...HANDS, "invert", "rotate", "flip", "sideBySide", "outlines", "reset", "whole", "help"];
    const arrow = (name, x, y, words = "") => ({ keys: [`Shift+Arrow${name}`], words, act: () => sight.pan(main, x, y) });
    this.keys.add([
      { keys: [LETTERS.fit], words: labels.fitOrActual, act: () => (sight.isWhole ? acts.actual() : sight.fit()) },
      { keys: ["+", "-"], words: labels.zoom, act: ({ key }) => (key === "+" ? acts.zoomIn() : acts.zoomOut()) },
      { keys: ["="], words: "", act: acts.zoomIn },
      { keys: [LETTERS.preset], words: labels.nextWindow, act: () => sight.nextPreset() },
      { keys: [".", ","], words: labels.brightness, act: ({ key }) => sight.stepWindow(key === "." ? 1 : -1, 0) },
      { keys: [">", "<"], words: labels.contrast, act: ({ key }) => sight.stepWindow(0, key === ">" ? 1 : -1) },
      { keys: [LETTERS.heat], words: labels.heatOnOff, act: () => this.#toggleHeat() },
      ...named.map((name) => ({ keys: [LETTERS[name]], words: labels[name], act: acts[name] })),
      ...this.ruler.entries(labels.lengthByKeys),
      arrow("Up", 0, -1, labels.moveByKeys), arrow("Down", 0, 1), arrow("Left", -1, 0), arrow("Right", 1, 0),
    ]);
  }

  #toggleHeat() {
    const { heat } = this.state;
    if (heat) this.heatBefore = heat;
    this.#set({ heat: heat ? 0 : (this.heatBefore ?? 100) });
  }

  #take(hand) {
    this.#set({ hand: hand === this.state.hand ? "move" : hand });
    if (this.state.hand === "length") this.stage.focus({ preventScroll: true });
    else this.ruler.end();
    this.#magnify(this.main, this.state.hand === "lens" ? this.main.middle() : null);
  }

  #magnify(pane, point) {
    this.lens = point && pane.content && { pane, at: pane.toFilm(this.sight.view, ...point) };
    this.#draw();
  }

  #gestures() {
    const { sight } = this;
    return {
      hand: () => (this.state.hand === "length" && !this.spacing ? "move" : this.state.hand),
      zoom: (pane, factor, point) => sight.zoomBy(factor, pane, point),
      move: (pane, from, to) => sight.drag(pane, from, to),
      tone: (dx, dy) => sight.dragWindow(dx, dy),
      lens: (pane, point) => this.#magnify(pane, point),
      length: (pane, from, to, isDone) => this.#measure(pane, from, to, isDone),
      wholeOrActual: (pane, point) => (sight.isWhole ? sight.actual(pane, point) : sight.fit()),
    };
  }

  #measure(pane, from, to, isDone) {
    if (pane.kind === "earlier") return; // its spacing is not known
    if (this.lines.at(-1)?.isOpen) this.lines.pop();
    const line = [pane.toFilm(this.sight.view, ...from), pane.toFilm(this.sight.view, ...to)];
    line.isOpen = !isDone;
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) > LEAST_LENGTH) {
      this.lines.push(line);
      if (isDone) this.said.textContent = this.#lengthOf(line);
    }
    this.#draw();
  }

  /** A line's length in words, by the distance of the film's pixels. */
  #lengthOf([[x0, y0], [x1, y1]]) {
    const { rows, columns } = this.main.content.pixels;
    const millimetres = Math.hypot((y1 - y0) * rows * this.spacing[0], (x1 - x0) * columns * this.spacing[1]);
    return this.labels.millimetres.replace("{}", shownNumber(millimetres, millimetres < 100 ? 1 : 0));
  }

  #changed() {
    if (!this.stage) return; // it is being made
    const [plain, { content, title }, earlier] = this.panes;
    const canCompare = Boolean(content && (content.heat || earlier.content));
    const isCompared = this.state.sideBySide && canCompare;
    plain.figure.hidden = !isCompared || !content.heat;
    earlier.figure.hidden = !isCompared || !earlier.content;
    plain.title.textContent = this.labels.film;
    title.textContent = !isCompared ? "" : content.heat ? this.labels.withHeat : this.labels.film;
    this.films.hidden = !content;
    this.stage.classList.toggle("fv-compared", Boolean(isCompared));
    this.message.hidden = Boolean(content);
    this.legend.hidden = !content?.heat || !this.state.heat;
    this.films.classList.toggle("fv-held", !this.sight.isWhole || this.state.hand !== "move");
    this.bar.tell({ ...this.state, canCompare, canMeasure: Boolean(this.spacing), hasHeat: Boolean(content?.heat), hasOutlines: Boolean(content?.outlines.length) }, this.sight, Boolean(this.step));
    this.#draw();
  }

  #draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      const shown = { heat: this.state.heat / 100, outlines: this.state.outlines, lengthOf: (line) => this.#lengthOf(line) };
      for (const pane of this.panes) {
        if (pane.figure.hidden) continue;
        const [lens, cross] = [this.lens?.pane === pane ? this.lens.at : null, pane === this.main ? this.ruler.at : null];
        pane.draw(this.sight, { ...shown, lens, cross });
      }
      this.reading.textContent = this.main.content ? this.#said() : "";
    });
  }

  /** Zoom and window, in words. */
  #said() {
    const scale = this.main.fit(this.sight.view) * this.sight.view.zoom * (window.devicePixelRatio || 1);
    const [center, width] = this.main.windowIn(this.sight.tone);
    const values = { zoom: shownNumber(100 * scale), center: shownNumber(center), width: shownNumber(width) };
    return this.labels.reading.replace(/{(\w+)}/g, (_, name) => values[name]);
  }
}

/** In the language of the page. */
function shownNumber(value, digits = 0) {
  const language = document.documentElement.lang || undefined;
  return value.toLocaleString(language, { maximumFractionDigits: digits, useGrouping: false });
}
