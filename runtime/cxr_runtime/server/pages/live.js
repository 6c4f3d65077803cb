"use strict";
/* What happens while the page is open: films that are scored, verdicts of others, a server that is away. */

const TOGETHER_MS = 1500; // changes within this time are one

class Live {
  /**
   * @param {HTMLElement} root where it is said how things stand
   * @param {function(): Promise<void>} changed called when the store has changed
   */
  constructor(root, changed) {
    Object.assign(this, { root, changed });
    this.#listen();
  }

  #listen() {
    this.source?.close();
    this.isAway = false;
    this.source = new EventSource("/events");
    this.source.addEventListener("change", (event) => this.#soon(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.#lost());
  }

  /** A stream that ended by itself begins again; one that was refused is asked for again by `here`. */
  async #lost() {
    const { source } = this;
    const error = await ask("/counts").then(() => null, (refusal) => refusal);
    if (source !== this.source) return;
    if (error) this.away(error);
    else if (source.readyState === EventSource.CLOSED) this.#stale(labels.crowded);
  }

  #soon({ words, isBusy }) {
    this.root.textContent = words;
    this.root.classList.toggle("busy", isBusy);
    this.root.classList.remove("away");
    this.isAway = false;
    if (!this.isKnown || this.timer) {
      this.isKnown = true; // the page itself is as new as the first word
      return;
    }
    this.timer = setTimeout(async () => {
      this.timer = null;
      await this.changed().catch((error) => this.away(error));
    }, TOGETHER_MS);
  }

  /** The server answers: listen anew where it did not, also to a line that is silent without an end. */
  here() {
    if (this.isAway) this.#listen();
  }

  /** What is shown may be old, for nobody answers, or a login is wanted. */
  away({ status, message } = {}) {
    this.#stale(status === 401 ? message : labels.away);
  }

  #stale(words) {
    this.isAway = true;
    this.root.textContent = words;
    this.root.classList.add("away");
  }
}
