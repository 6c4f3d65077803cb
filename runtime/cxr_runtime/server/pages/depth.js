"use strict";
/* Films at full depth, fetched once; where one does not come, the small picture that the store keeps. */

const KEPT_FILMS = 3; // films whose pixels the page keeps, the next one among them
const SILENCE_MS = 15000; // between two pieces of a film; a slow line may take long for all of it

class Depth {
  kept = new Map(); // by key: what is promised, whether it has come, and what ends its coming

  /**
   * @param {string} key of the film
   * @returns {Promise<Object>} `{film, spacing}` as `FilmViewer.show` takes them; `words`: why it is only the
   *   small picture, or ""; `isLate`: it did not come in time, and may if it is asked for again
   */
  of(key) {
    const asked = this.kept.get(key) ?? this.#asked(key);
    this.kept.delete(key);
    this.kept.set(key, asked);
    for (const old of [...this.kept.keys()].slice(0, -KEPT_FILMS)) this.forget(old);
    return asked.film;
  }

  #asked(key) {
    const asked = { end: new AbortController(), hasCome: false };
    asked.film = this.#fetched(key, asked);
    return asked;
  }

  async #fetched(key, asked) {
    const small = { film: { url: `/film/${key}/preview.jpg` }, spacing: null };
    try {
      const film = await this.#whole(key, asked.end);
      asked.hasCome = true;
      return film;
    } catch (error) {
      if (error.status === 404) return { ...small, words: labels.gone, isLate: false };
      if (this.kept.get(key) === asked) this.kept.delete(key); // the next who asks for it tries again
      return { ...small, words: labels.late, isLate: true };
    }
  }

  async #whole(key, end) {
    let timer = setTimeout(() => end.abort(), ASK_MS);
    try {
      const answer = await fetch(`/film/${key}/pixels`, { signal: end.signal });
      if (!answer.ok) throw new Refusal("", answer.status);
      const said = (name) => answer.headers.get(`x-${name}`);
      const [rows, columns, bits] = ["rows", "columns", "bits"].map((name) => Number(said(name)));
      const content = new Uint8Array((rows * columns * bits) / 8);
      const pieces = answer.body.getReader();
      let at = 0;
      for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
        content.set(piece.value, at); // throws where there is more than was said
        at += piece.value.length;
        clearTimeout(timer);
        timer = setTimeout(() => end.abort(), SILENCE_MS);
      }
      if (at !== content.length) throw new Refusal("", 0);
      const pixels = bits === 16 ? new Uint16Array(content.buffer) : content;
      const spacing = Number(said("spacing")) || null;
      const film = { pixels, rows, columns, window: said("window").split(" ").map(Number) };
      return { film, spacing: spacing && [spacing, spacing], words: "", isLate: false };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Let none come any further but this one: on a slow line it would wait for the others, as would the page. */
  hurry(key) {
    for (const [other, { hasCome }] of this.kept) if (other !== key && !hasCome) this.forget(other);
  }

  /** Keep a film no longer, and let it come no further. */
  forget(key) {
    this.kept.get(key)?.end.abort();
    this.kept.delete(key);
  }
}
