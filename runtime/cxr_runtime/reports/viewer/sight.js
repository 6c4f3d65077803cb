"use strict";
/* How films are looked at: zoom, place and turn, and the window of grey values; the same in every pane. */

const MOST_ZOOM = 16; // CSS pixels a pixel of the film
const LEAST_ZOOM = 0.5; // of the whole film
const ZOOM_STEP = 1.3; // a press of a key
const STEP_SHARE = 0.1; // of the screen or of the window, a press of a key
const DRAG_SPAN = 500; // CSS pixels of dragging that move the window by its own width, or double it
const LEAST_STRETCH = 0.02; // of a window's usual width
const MOST_STRETCH = 8;
const MOST_SHIFT = 2; // widths of the usual window
const PRESET_AFTER = { usual: "lung", lung: "bone", bone: "usual" };

const within = (value, low, high) => Math.min(Math.max(value, low), high);

class Sight {
  /** @param {function(): void} changed called after every change */
  constructor(changed) {
    this.changed = changed;
    this.reset();
  }

  /** As a film is opened: all of it seen, upright, in its usual window. */
  reset() {
    this.view = { zoom: 1, center: [0.5, 0.5], turns: 0, isFlipped: false }; // zoom 1: all of it is seen
    this.tone = { preset: "usual", shift: 0, stretch: 1, isInverted: false }; // shares of the preset's width
    this.changed();
  }

  get isWhole() {
    return this.view.zoom === 1;
  }

  get isOwnWindow() {
    return this.tone.shift !== 0 || this.tone.stretch !== 1;
  }

  look(change) {
    Object.assign(this.view, change);
    this.changed();
  }

  shade(change) {
    Object.assign(this.tone, change);
    this.changed();
  }

  fit() {
    this.look({ zoom: 1, center: [0.5, 0.5] });
  }

  /** One pixel of the film on one of the screen, around a point of the pane. */
  actual(pane, point) {
    if (pane.content) this.#zoomTo(1 / (pane.fit(this.view) * (window.devicePixelRatio || 1)), pane, point);
  }

  zoomBy(factor, pane, point) {
    if (pane.content) this.#zoomTo(this.view.zoom * factor, pane, point);
  }

  #zoomTo(zoom, pane, point = pane.middle()) {
    const before = pane.toFilm(this.view, ...point);
    this.view.zoom = within(zoom, LEAST_ZOOM, Math.max(MOST_ZOOM / pane.fit(this.view), 1));
    this.#bring(before, pane.toFilm(this.view, ...point));
  }

  /** Move the film with a pointer that went from one point of the pane to another. */
  drag(pane, from, to) {
    this.#bring(pane.toFilm(this.view, ...from), pane.toFilm(this.view, ...to));
  }

  /** Step over the film, whichever way it is turned: x and y are -1, 0 or 1. */
  pan(pane, x, y) {
    if (!pane.content) return;
    const [across, down] = pane.middle();
    this.drag(pane, [across, down], [across * (1 - 2 * STEP_SHARE * x), down * (1 - 2 * STEP_SHARE * y)]);
  }

  /** Bring what is at `now` to where `before` is; both are shares of the film. */
  #bring(before, now) {
    this.look({ center: this.view.center.map((middle, axis) => within(middle + before[axis] - now[axis], 0, 1)) });
  }

  setPreset(preset) {
    this.shade({ preset, shift: 0, stretch: 1 });
  }

  nextPreset() {
    this.setPreset(PRESET_AFTER[this.tone.preset]);
  }

  /** Up is brighter, to the right is more contrast; in CSS pixels. */
  dragWindow(dx, dy) {
    const { shift, stretch } = this.tone;
    this.#setWindow(shift + (dy / DRAG_SPAN) * Math.min(stretch, 1), stretch * 2 ** (-dx / DRAG_SPAN));
  }

  /** Steps of the keys: brighter by one is 1, more contrast by one is 1. */
  stepWindow(brighter, contrast) {
    const { shift, stretch } = this.tone;
    this.#setWindow(shift - brighter * STEP_SHARE * stretch, stretch * (1 - STEP_SHARE) ** contrast);
  }

  #setWindow(shift, stretch) {
    this.shade({ shift: within(shift, -MOST_SHIFT, MOST_SHIFT), stretch: within(stretch, LEAST_STRETCH, MOST_STRETCH) });
  }
}
