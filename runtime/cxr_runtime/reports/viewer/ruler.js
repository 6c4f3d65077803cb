"use strict";
/* Distances by keys: arrows move a cross over the film, Enter sets where a line begins and where it ends. */

const CROSS_STEP = 4; // CSS pixels that one press moves the cross: the larger the film is shown, the finer
const CROSS_MOVES = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

class Ruler {
  /**
   * @param {Object} viewer main: the pane that is measured on; sight; canMeasure(): whether distances are known
   *   and the ruler is taken; measure(from, to, isDone): shows a line between two points, in CSS pixels
   */
  constructor(viewer) {
    Object.assign(this, { viewer, at: null, from: null });
  }

  /** The keys, as `Keys` takes them. */
  entries(words) {
    const isOn = () => Boolean(this.at) && this.viewer.canMeasure();
    return [
      { keys: ["Enter"], words, when: () => this.viewer.canMeasure() && !isPressed(document.activeElement), act: () => this.#set() },
      { keys: Object.keys(CROSS_MOVES), words: "", when: isOn, act: ({ key }) => this.#move(CROSS_MOVES[key]) },
      { keys: ["Escape"], words: "", when: isOn, act: () => this.end() },
    ];
  }

  /** Take the cross away, and a line that has not ended. */
  end() {
    if (this.from) this.viewer.measure(this.#onScreen(this.from), this.#onScreen(this.from), true);
    Object.assign(this, { at: null, from: null });
    this.viewer.draw();
  }

  #set() {
    if (!this.at) this.at = this.#onFilm(this.viewer.main.middle());
    else if (!this.from) this.from = this.at;
    else {
      this.viewer.measure(this.#onScreen(this.from), this.#onScreen(this.at), true);
      this.from = null;
    }
    this.viewer.draw();
  }

  #move([across, down]) {
    const [x, y] = this.#onScreen(this.at);
    const [width, height] = this.viewer.main.middle().map((half) => 2 * half);
    const to = [Math.min(Math.max(x + CROSS_STEP * across, 0), width), Math.min(Math.max(y + CROSS_STEP * down, 0), height)];
    this.at = this.#onFilm(to);
    if (this.from) this.viewer.measure(this.#onScreen(this.from), to, false);
    this.viewer.draw();
  }

  #onFilm(point) {
    return this.viewer.main.toFilm(this.viewer.sight.view, ...point);
  }

  #onScreen(point) {
    return this.viewer.main.toScreen(this.viewer.sight.view, point);
  }
}

/** Whether Enter belongs to the element that has the focus. */
function isPressed(element) {
  return element.matches("button, a, summary, input, select, textarea");
}
