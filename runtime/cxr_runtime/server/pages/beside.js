"use strict";
/* Beside the film: the patient's film before it, and the films of this folder that are most like it. */

class Beside {
  /**
   * @param {HTMLElement} root
   * @param {Object} options
   *   open(key): opens a film; compare({key, words}): shows one side by side with the film that is open
   */
  constructor(root, { open, compare }) {
    Object.assign(this, { root, open, compare });
  }

  /** Nothing stands beside a film that is not there yet; its place stays. */
  leave() {
    this.key = "";
    this.root.replaceChildren();
  }

  /** Show what stands beside a film; what has to be searched for follows when it is found. */
  async show({ key, isHidden, earlier }) {
    this.key = key;
    const before = earlier ? [this.#earlier(earlier)] : [];
    this.#fill(before);
    if (isHidden) return;
    const answer = await ask(filmAddress(key, "/similar")).catch(() => null);
    const found = answer && (await answer.json());
    if (key !== this.key || !found?.films.length) return;
    const heading = element("h2", "", labels.similar);
    heading.title = labels.similarMeans;
    const films = element("ol");
    films.append(...found.films.map((film) => this.#similar(film)));
    this.#fill([...before, heading, element("p", "", found.summary), films]);
  }

  #fill(parts) {
    this.root.replaceChildren(...parts);
    this.root.hidden = !parts.length;
  }

  #earlier({ key, date, score, change }) {
    const part = element("div", "near");
    part.append(element("h2", "", labels.earlierFilm), this.#picture(key, `${labels.earlierFilm}, ${date}`));
    const link = this.#link(key, date);
    part.append(link, element("span", "", [`${labels.score} ${score || "-"}`, change].filter(Boolean).join(", ")));
    return part;
  }

  #similar({ key, name, result, score, likeness, said }) {
    const item = element("li", `near ${result}`);
    const words = `${name}, ${labels.score} ${score}`;
    item.append(this.#picture(key, words, `${words}; ${labels.likeness} ${likeness}`), this.#link(key, name));
    const marks = element("span", "marks");
    marks.append(element("b", "", score), ...said.map(({ verdict, words: told }) => this.#mark(verdict, told)));
    item.append(marks);
    return item;
  }

  #mark(verdict, words) {
    const mark = element("i", `said ${verdict}`, { normal: "N", abnormal: "A", "cannot-tell": "?" }[verdict]);
    mark.title = words;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", words);
    return mark;
  }

  /** A small picture that puts its film side by side with the one that is open. */
  #picture(key, words, tip = words) {
    const button = element("button", "near-picture");
    button.type = "button";
    button.title = `${tip}. ${labels.compare}`;
    button.setAttribute("aria-label", `${labels.compare}: ${words}`);
    const picture = element("img");
    Object.assign(picture, { src: filmAddress(key, "/thumb.jpg"), alt: "", loading: "lazy", width: 76, height: 76 });
    button.append(picture);
    button.addEventListener("click", () => this.compare({ key, words }));
    return button;
  }

  #link(key, words) {
    const link = element("a", "", words);
    const address = new URL(location.href); // with its filters, and blinded as it is
    address.searchParams.set("film", key);
    link.href = address;
    link.dir = "auto"; // names are of any script
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(key);
    });
    return link;
  }
}
