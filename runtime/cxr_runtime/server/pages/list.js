"use strict";
/* The list beside the film: rows that are chosen by click and by keys, and read anew when the store changes. */

const AGAIN_MS = 4000; // after which a small picture that did not come is asked for again

class FilmList {
  /**
   * @param {HTMLElement} root that holds the rows
   * @param {function(string): void} open shows the film of a key
   */
  constructor(root, open) {
    Object.assign(this, { root, open, current: "", stood: -1 }); // `stood`: where the open film was that is listed no more
    root.addEventListener("click", (event) => {
      const row = event.target.closest(".film-row");
      if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(row.dataset.key);
    });
    root.addEventListener("error", ({ target }) => this.#miss(target), true);
    root.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) this.step(by);
      else if (event.key === "Home" || event.key === "End") this.edge(event.key === "Home");
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  get rows() {
    return [...this.root.querySelectorAll(".film-row")];
  }

  get place() {
    return this.rows.findIndex((row) => row.dataset.key === this.current);
  }

  /** Words as `3 of 57`, or `103 of 200+` where more pages follow; "" for a film that is on another page. */
  get placeWords() {
    if (this.place < 0) return "";
    const before = this.root.querySelector("ol").start - 1;
    const count = `${before + this.rows.length}${this.root.querySelector('a[rel="next"]') ? "+" : ""}`;
    return labels.placeOf.replace("{place}", before + this.place + 1).replace("{count}", count);
  }

  step(by) {
    const next = this.#beside(by);
    if (next) this.open(next.dataset.key);
    else this.#turn(by);
  }

  /** The film after the open one, or before it; the first one where the open film was never listed. */
  #beside(by) {
    const { rows, place, stood } = this;
    if (place >= 0) return rows[place + by];
    return stood < 0 ? rows[0] : rows[by > 0 ? stood : stood - 1];
  }

  edge(isFirst) {
    const { rows } = this;
    const row = isFirst ? rows[0] : rows.at(-1);
    if (row) this.open(row.dataset.key);
  }

  /** The film after this one, to be fetched before it is asked for. */
  get following() {
    return this.#beside(1)?.dataset.key ?? "";
  }

  /** A picture did not come: nothing stands there, rather than a broken one, and it is asked for once more. */
  #miss(picture) {
    const nothing = element("span", "no-picture");
    picture.replaceWith(nothing);
    if (picture.dataset.missed) return; // the store has dropped it, as it does with pictures of old films
    picture.dataset.missed = "once";
    setTimeout(() => {
      picture.src = picture.src;
      nothing.replaceWith(picture);
    }, AGAIN_MS);
  }

  #turn(by) {
    const link = this.root.querySelector(by > 0 ? 'a[rel="next"]' : 'a[rel="prev"]');
    if (link) link.click();
  }

  mark(key) {
    if (key !== this.current) this.stood = -1;
    this.current = key;
    for (const row of this.rows) {
      if (row.dataset.key === key) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    this.rows[this.place]?.scrollIntoView({ block: "nearest" });
  }

  /** Read the list anew; where it stood, it stands. */
  async refresh() {
    const answer = await ask(`/rows${location.search}`);
    const { place } = this;
    const top = this.root.scrollTop;
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.root.replaceChildren(...read.body.childNodes);
    this.root.scrollTop = top;
    if (place >= 0) this.stood = place;
    for (const row of this.rows) if (row.dataset.key === this.current) row.setAttribute("aria-current", "true");
  }
}
