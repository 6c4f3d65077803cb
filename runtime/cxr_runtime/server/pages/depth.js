"use strict";
/* Films at full depth, fetched once; where one does not come, the small picture that the store keeps. */

const KEPT_FILMS = 3; // films whose pixels the page keeps, the next one among them
const SILENCE_MS = 15000; // between two pieces of a film; a slow line may take long for all of it

class Depth {
  kept = new Map();

  /**
   * @param {string} key of the film
   * @returns {Promise<Object>} `{film, spacing}` as `FilmViewer.show` takes them; `words`: why it is only the
   *   small picture, or ""; `isLate`: it did not come in time, and may if it is asked for again
   */
  of(key) {
    if (!this.kept.has(key)) this.kept.set(key, this.#fetched(key));
    const film = this.kept.get(key);
    this.kept.delete(key);
    this.kept.set(key, film);
    for (const old of [...this.kept.keys()].slice(0, -KEPT_FILMS)) this.kept.delete(old);
    return film;
  }

  async #fetched(key) {
    const small = { film: { url: `/film/${key}/preview.jpg` }, spacing: null };
    try {
      return await this.#whole(key);
    } catch (error) {
      if (error.status === 404) return { ...small, words: labels.gone, isLate: false };
      this.kept.delete(key); // the next who asks for it tries again
      return { ...small, words: labels.late, isLate: true };
    }
  }

  async #whole(key) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), ASK_MS);
    try {
      const answer = await fetch(`/film/${key}/pixels`, { signal: silence.signal });
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
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
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

  /** Ask for a film anew, whatever came of it. */
  forget(key) {
    this.kept.delete(key);
  }
}
