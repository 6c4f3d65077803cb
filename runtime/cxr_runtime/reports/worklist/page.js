"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("words").textContent);
  // A sentence in the language of the page, its {place holders} filled in.
  const _ = (text, values = {}) => (words[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const body = byId("films");
  const films = [...body.rows].map((row, place) => ({
    row,
    rank: place,
    file: row.dataset.file,
    score: row.dataset.score === "" ? -1 : Number(row.dataset.score),
    result: row.dataset.result,
    view: row.dataset.view,
    patient: row.dataset.patient,
    studied: row.dataset.studied,
    tags: row.dataset.tags.split(" "),
    words: row.querySelector(".file").textContent.toLowerCase(),
  }));
  const collator = new Intl.Collator(undefined, { numeric: true });
  const order = { key: "rank", ascending: true };
  let shown = films;
  let current = null;
  let filter = "all";

  function compare(a, b) {
    const [x, y] = [a[order.key], b[order.key]];
    const found = typeof x === "number" ? x - y : collator.compare(x, y);
    return (order.ascending ? found : -found) || a.rank - b.rank;
  }

  function arrange() {
    films.sort(compare);
    body.append(...films.map((film) => film.row));
    for (const button of document.querySelectorAll("th button")) {
      const sorted = button.dataset.key === order.key;
      const header = button.parentElement;
      if (sorted) header.setAttribute("aria-sort", order.ascending ? "ascending" : "descending");
      else header.removeAttribute("aria-sort");
    }
    narrow();
  }

  function narrow() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (film) =>
      (filter === "all" || film.tags.includes(filter)) && words.every((word) => film.words.includes(word));
    shown = films.filter((film) => {
      const fitting = fits(film);
      film.row.hidden = !fitting;
      return fitting;
    });
    byId("none").hidden = shown.length > 0;
    byId("part").textContent = shown.length === films.length ? "" : _("A part of the list: {shown} of {count}. Other films may be suspicious, too.", { shown: shown.length, count: films.length });
    if (shown.length && !shown.includes(current)) open(shown[0]);
    else viewer.tellPlace(place());
  }

  function place() {
    const at = shown.indexOf(current);
    return at < 0 ? _("none of {count}", { count: shown.length }) : _("{place} of {count}", { place: at + 1, count: shown.length });
  }

  const viewer = new FilmViewer(byId("viewer"), {
    labels: JSON.parse(byId("labels").textContent),
    step: (by) => step(by),
    legend: byId("legend"),
  });

  // What the reader says stays in this browser; the table of it is what `calibrate --labels` reads.
  const keptHere = new KeptHere();
  const bar = new VerdictBar(element("div"), {
    labels: viewer.labels,
    keys: viewer.keys,
    canSay: true,
    isSmall: true,
    say: async (said) => {
      const stands = await keptHere.say(said);
      tellSaid();
      return stands;
    },
  });
  bar.root.firstChild.append(keptHere.button(viewer.labels.takeOut, () => films.map(({ file, row }) => [file, row.dataset.sha256])));
  viewer.root.append(bar.root);
  addEventListener("pagehide", () => bar.settle());
  addEventListener("storage", () => tellSaid()); // another window has kept something

  /** Beside each film of the list, what this reader has said of it. */
  function tellSaid() {
    const said = keptHere.films;
    for (const mark of body.querySelectorAll(".mine")) mark.remove();
    for (const { row } of films) {
      const verdict = said[row.dataset.sha256]?.verdict;
      if (!verdict) continue;
      const mark = element("i", `mine ${verdict}`, { normal: "N", abnormal: "A" }[verdict] ?? "?");
      mark.title = viewer.labels[verdict];
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", mark.title);
      row.querySelector(".rank").append(mark);
    }
  }

  /** What the page holds of a film, as the viewer takes it; null where that is nothing. */
  function picturesOf(row) {
    const held = row.querySelector("script.pictures");
    if (held) {
      const { film, heat, ...others } = JSON.parse(held.textContent);
      return { film: { url: `data:image/jpeg;base64,${film}` }, heat: heat && `data:image/png;base64,${heat}`, ...others };
    }
    const small = row.querySelector("img.thumb");
    return small && { film: { url: small.src } };
  }

  /** The last film of the same patient before this one, where the page knows of one. */
  function earlierOf({ patient, studied }) {
    if (!patient || !studied) return null;
    const before = films.filter((other) => other.patient === patient && other.studied && other.studied < studied);
    const last = before.sort((a, b) => (a.studied < b.studied ? 1 : -1)).find((other) => picturesOf(other.row));
    if (!last) return null;
    const { film, heat } = picturesOf(last.row);
    const score = last.row.dataset.scoreShown || _("no score");
    return { name: _("Earlier film of {day}, score {score}", { day: last.studied, score }), film, heat };
  }

  function noFilm(row) {
    const box = element("div");
    const isRead = row.dataset.result !== "failed";
    box.append(element("strong", "", isRead ? _("No picture of this film in this file") : _("This film could not be read")));
    for (const remark of row.querySelectorAll(".remark")) box.append(element("p", "", remark.textContent));
    return box;
  }

  function factsOf(row) {
    const { dataset } = row;
    const facts = [row.querySelector(".badge").cloneNode(true)];
    if (dataset.score !== "") facts.push(element("span", "", _("Score {score}", { score: dataset.scoreShown })));
    if (dataset.view) facts.push(element("span", "", _("View {view}", { view: dataset.view })));
    for (const owner of row.querySelectorAll(".owner")) facts.unshift(owner.cloneNode(true));
    if (dataset.where) facts.push(element("span", "", _("Heat: {where}", { where: dataset.where })));
    if (dataset.meaning) facts.push(element("span", "meaning", dataset.meaning));
    if (dataset.lungs) facts.push(element("span", "", dataset.lungs));
    for (const words of row.querySelectorAll(".remark, .folder:not(.owner)")) facts.push(words.cloneNode(true));
    if (dataset.size) facts.push(element("span", "quiet", dataset.size));
    if (dataset.sha256) facts.push(element("span", "quiet", `sha256 ${dataset.sha256.slice(0, 12)}`));
    if (dataset.overlay) {
      const link = element("a", "", _("Overlay file"));
      link.href = dataset.overlay;
      facts.push(link);
    }
    return facts;
  }

  /** What stands in a corner of the film: how it ended, its score, its name and whose it is. */
  function captionOf(row) {
    const score = element("b", "", row.dataset.scoreShown);
    const names = row.querySelectorAll(".open bdi, .owner > span");
    return [row.querySelector(".badge").cloneNode(true), score, ...[...names].map((name) => name.cloneNode(true))];
  }

  const LOOKS = 6;
  // Scrolls the list alone: where the page scrolls too, the film stays where it is.
  // Rows that come into sight get their true heights one after another, so a few pictures later it looks again.
  function reveal(row, looks = LOOKS) {
    const list = row.closest(".list");
    const [seen, at] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
    const head = document.querySelector("thead").offsetHeight;
    if (at.top < seen.top + head) list.scrollTop -= seen.top + head - at.top;
    else if (at.bottom > seen.bottom) list.scrollTop += at.bottom - seen.bottom + 4;
    else if (looks === LOOKS) return; // it is in sight
    if (looks) requestAnimationFrame(() => current?.row === row && reveal(row, looks - 1));
  }

  const buttonOf = (film) => film.row.querySelector(".open");

  function open(film) {
    const hadFocus = current && document.activeElement === buttonOf(current);
    if (current) {
      current.row.removeAttribute("aria-current");
      buttonOf(current).tabIndex = -1;
    }
    current = film;
    film.row.setAttribute("aria-current", "true");
    buttonOf(film).tabIndex = 0;
    if (hadFocus) buttonOf(film).focus({ preventScroll: true });
    byId("name").replaceChildren(film.row.querySelector(".open bdi").cloneNode(true));
    byId("said").replaceChildren(...factsOf(film.row));
    const pictures = picturesOf(film.row);
    byId("heat-notice").hidden = !pictures?.heat;
    const caption = captionOf(film.row);
    if (pictures) viewer.show({ name: film.file, place: place(), caption, ...pictures, earlier: earlierOf(film) });
    else viewer.clear(noFilm(film.row), { place: place(), caption });
    const { sha256 } = film.row.dataset;
    bar.show(sha256 ? { key: sha256, name: film.file, ...keptHere.of(sha256) } : null);
    reveal(film.row);
    byId("spoken").textContent = `${place()}: ${film.file}, ${byId("said").textContent}`;
  }

  function step(by) {
    if (!shown.length) return;
    const at = Math.max(shown.indexOf(current), 0);
    open(shown[Math.min(Math.max(at + by, 0), shown.length - 1)]);
  }

  function clear() {
    byId("search").value = "";
    setFilter("all");
  }

  function setFilter(name) {
    filter = name;
    for (const button of document.querySelectorAll(".filters button"))
      button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    narrow();
  }

  function search() {
    if (viewer.state.whole) viewer.setWhole(false);
    byId("search").focus();
  }

  function back() {
    if (viewer.state.whole) viewer.setWhole(false);
    else clear();
    if (document.activeElement === byId("search")) byId("search").blur();
  }

  function fitColumns() {
    const canvas = document.createElement("canvas").getContext("2d");
    const width = (element) => {
      canvas.font = getComputedStyle(element).font;
      return canvas.measureText(element.textContent.trim()).width;
    };
    for (const key of ["score", "result", "view"]) {
      const badges = key === "result" ? [...new Set(films.map((film) => film.result))].map((result) => body.querySelector(`.badge.${result}`)) : [];
      const widths = [document.querySelector(`th [data-key=${key}]`), ...badges].map(width);
      document.querySelector(".list").style.setProperty(`--${key}-word`, `${Math.ceil(Math.max(...widths))}px`);
    }
  }

  const isRightToLeft = getComputedStyle(document.body).direction === "rtl";
  const [forwards, backwards] = isRightToLeft ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  viewer.keys.add([
    { keys: ["ArrowDown", "j"], words: _("Next film"), act: () => step(1) },
    { keys: ["ArrowUp", "k"], words: _("Previous film"), act: () => step(-1) },
    { keys: [forwards], words: "", act: () => step(1) },
    { keys: [backwards], words: "", act: () => step(-1) },
    { keys: ["PageDown", "PageUp"], words: _("Ten films on, ten back"), act: ({ key }) => step(key === "PageDown" ? 10 : -10) },
    { keys: ["Home", "End"], words: _("First film, last film"), act: ({ key }) => step(key === "End" ? Infinity : -Infinity) },
    { keys: ["/"], words: _("Search"), act: search },
    { keys: ["Escape"], words: _("Back: the list, all films"), act: back },
  ]);

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row) return;
    open(films.find((film) => film.row === row));
    if (byId("viewer").getBoundingClientRect().bottom < innerHeight / 2) byId("viewer").scrollIntoView();
  });
  for (const button of document.querySelectorAll("th button"))
    button.addEventListener("click", () => {
      const { key } = button.dataset;
      order.ascending = order.key === key ? !order.ascending : key !== "score";
      order.key = key;
      arrange();
    });
  for (const button of document.querySelectorAll(".filters button"))
    button.addEventListener("click", () => setFilter(button.dataset.filter));
  byId("search").addEventListener("input", narrow);
  byId("clear").addEventListener("click", clear);

  byId("viewer").hidden = byId("about").hidden = false;
  tellSaid();
  fitColumns();
  narrow();
})();
