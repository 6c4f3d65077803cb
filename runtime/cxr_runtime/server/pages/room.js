"use strict";
/* The page of the worklist: list, film and verdict together. */

const HERE_MS = 20000; // between two words that a film is still open
const ALIVE_MS = 10000; // in which the server must answer them

const filmAddress = (key, part = "") => `/film/${key}${part}${page.blinded ? "?blinded=1" : ""}`;

class Room {
  constructor() {
    this.depth = new Depth();
    this.spoken = document.getElementById("spoken");
    this.list = new FilmList(document.getElementById("list"), (key) => this.open(key));
    this.viewer = new FilmViewer(document.getElementById("viewer"), {
      labels,
      step: (by) => this.list.step(by),
      legend: document.getElementById("legend").content.cloneNode(true),
    });
    this.bar = new VerdictBar(document.getElementById("verdict"), {
      labels,
      keys: this.viewer.keys,
      canSay: Boolean(page.maySay),
      say: (said) => this.say(said),
    });
    this.beside = new Beside(document.getElementById("beside"), {
      open: (key) => this.open(key, { isStep: true }),
      compare: (other) => this.#compare(other),
    });
    this.viewer.root.append(this.bar.root); // also where the film fills the window
    this.viewer.keys.add([
      { keys: ["ArrowDown", "j"], words: labels.next, act: () => this.list.step(1) },
      { keys: ["ArrowUp", "k"], words: labels.previous, act: () => this.list.step(-1) },
      { keys: ["/"], words: labels.search, act: () => document.querySelector(".narrow [type=search]").focus() },
    ]);
    this.#narrow();
    this.live = new Live(document.getElementById("live"), () => this.refresh());
    setInterval(() => this.#beat(), HERE_MS);
    for (const leaving of ["beforeunload", "pagehide"]) addEventListener(leaving, () => this.bar.settle());
    addEventListener("popstate", () => this.asked && this.open(this.asked));
    const first = this.asked || this.list.rows[0]?.dataset.key;
    if (first) this.open(first, { isFirst: true });
  }

  /** Choices of the form act at once. */
  #narrow() {
    const form = document.getElementById("narrow");
    form.addEventListener("change", () => form.requestSubmit());
    form.addEventListener("submit", () => {
      this.bar.settle(); // before the new list is asked for
      for (const field of form.elements) if (!field.value || field.value === field.options?.[0]?.value) field.disabled = true;
    });
  }

  /** The film that the address of the page names. */
  get asked() {
    return new URLSearchParams(location.search).get("film");
  }

  /** Show a film; the address says which, so that it is there after a reload, and after a step to another one and back. */
  async open(key, { isFirst = false, isStep = false } = {}) {
    if (key === this.current && key === this.facts?.key && !isFirst) return;
    this.bar.settle();
    const isOther = key !== this.current;
    this.current = key;
    this.depth.hurry(key);
    this.list.mark(key);
    if (isOther) this.#leave();
    const address = new URL(location.href);
    address.searchParams.set("film", key);
    if (isStep) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    try {
      const facts = await (await ask(filmAddress(key))).json();
      if (key !== this.current) return;
      this.beside.show(facts);
      this.showing = this.#show(facts);
      await this.showing;
    } catch (error) {
      if (key !== this.current) return;
      this.#leave();
      const said = element("div");
      said.append(element("p", "", error.message), ...(error.isAway ? [newButton(labels.again, () => this.#again(key))] : []));
      this.viewer.clear(said, { place: this.list.placeWords });
      return;
    }
    try {
      await this.#others(key, await act(filmAddress(key, "/open")));
    } catch (error) {
      if (error.isAway) this.live.away();
    }
  }

  /** Nothing of a film stays, and nothing can be said of it, once another is asked for. */
  #leave() {
    this.facts = null;
    this.bar.show(null);
    this.beside.leave();
    document.getElementById("open-by")?.remove();
    this.spoken.textContent = "";
    this.viewer.expect({ place: this.list.placeWords });
  }

  /** Say that the film is still open, and see whether the server is still there. */
  async #beat() {
    const { current } = this;
    try {
      if (current) {
        const address = `${filmAddress(current, "/open")}${page.blinded ? "&" : "?"}again=1`;
        await this.#others(current, await act(address, null, { limit: ALIVE_MS }));
      } else await this.list.refresh();
      this.live.here();
    } catch (error) {
      if (error.isAway) this.live.away();
    }
  }

  async #show(facts) {
    this.facts = facts;
    const place = this.list.placeWords;
    const caption = this.#caption(facts);
    this.spoken.textContent = [facts.owner[0] || facts.name, facts.resultWord, facts.score, place].filter(Boolean).join(", ");
    this.bar.show({ ...facts, name: facts.owner[0] || facts.name, summary: this.#summary(facts) });
    if (facts.result === "failed") {
      this.viewer.clear(this.#why(facts), { place, caption });
      return;
    }
    this.viewer.expect({ place, caption }); // never another film above this one's score
    const heat = facts.hasHeat ? filmAddress(facts.key, "/heat.png") : null;
    const { film, spacing, words, isLate } = await this.depth.of(facts.key);
    if (facts.key !== this.current) return;
    const again = () => this.#again(facts.key);
    const retry = isLate ? [newButton(labels.again, again)] : [];
    if (words && !facts.hasPicture) {
      const why = this.#why(facts);
      why.append(...(isLate ? [labels.unreadable] : [labels.noFile, labels.noPicture]).map((line) => element("p", "", line)), ...retry);
      this.viewer.clear(why, { place, caption });
      return;
    }
    const notice = words || (facts.hasPicture ? "" : labels.fromFile);
    if (notice) caption.push(element("div", "fv-notice", notice), ...retry);
    const earlier = facts.earlier && { name: `${labels.earlierFilm}, ${facts.earlier.date}, ${labels.score} ${facts.earlier.score || "-"}`, film: this.depth.of(facts.earlier.key).then((earlier) => earlier.film) };
    await this.viewer.show({ name: facts.name, place, caption, film, heat, outlines: facts.outlines, spacing, earlier, again });
    document.body.dataset.shown = facts.key;
    if (this.list.following) this.depth.of(this.list.following);
  }

  #again(key) {
    this.depth.forget(key);
    this.open(key, { isFirst: true });
  }

  /** Put a film side by side with the one that is open, once that one is seen. */
  async #compare({ key, words }) {
    const film = this.depth.of(key).then((other) => other.film);
    const { current } = this;
    await Promise.allSettled([this.showing]);
    if (current === this.current) await this.viewer.compare({ name: words, film }).catch((error) => this.live.away(error));
  }

  #caption({ owner, name, folder, view, seen }) {
    const lines = [...owner, name, [view, folder].filter(Boolean).join(" · ")];
    const made = lines.filter(Boolean).map((line, at) => {
      const shown = element(at ? "div" : "b");
      shown.append(element("bdi", "", line));
      return shown;
    });
    const others = seen.filter(([reader]) => reader !== page.reader).map(([reader]) => reader);
    if (others.length) made.push(element("div", "", `${labels.seenBy} ${others.join(", ")}`));
    return made;
  }

  #summary({ result, resultWord, score, meaning, where, remarks }) {
    const made = [element("span", `badge ${result}`, resultWord || labels.hidden)];
    if (score) made.push(element("b", "score", score));
    for (const remark of [...remarks, where && `${labels.heat}: ${where}`, meaning].filter(Boolean)) {
      const part = element("span", "remark", remark);
      part.title = remark;
      made.push(part);
    }
    return made;
  }

  #why({ resultWord, remarks }) {
    const why = element("div");
    why.append(element("strong", "", resultWord), ...remarks.map((remark) => element("p", "", remark)));
    return why;
  }

  async #others(key, answer) {
    const { others } = await answer.json();
    if (key !== this.current) return;
    document.getElementById("open-by")?.remove();
    if (!others.length) return;
    const shown = element("p", "open-by", `${labels.openBy} ${others.join(", ")}`);
    shown.id = "open-by";
    document.getElementById("viewer").before(shown);
  }

  async say({ key, ...said }) {
    const verdicts = await (await act(filmAddress(key, "/verdict"), said, { keepalive: true })).json();
    if (this.facts?.isHidden && key === this.current) this.open(key, { isFirst: true });
    this.#renewList().catch((error) => this.live.away(error));
    return verdicts;
  }

  async #renewList() {
    await this.list.refresh();
    if (this.current) this.viewer.tellPlace(this.list.placeWords);
  }

  /** Read anew what may have changed: the list, and what is said of the film that is open. */
  async refresh() {
    await this.#renewList();
    await this.bar.renew(async (key) => (await ask(filmAddress(key))).json());
    if (!this.current && this.list.rows[0]) await this.open(this.list.rows[0].dataset.key, { isFirst: true });
  }
}

document.addEventListener("DOMContentLoaded", () => new Room());
