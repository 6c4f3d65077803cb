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
    tags: row.dataset.tags.split(" "),
    words: row.querySelector(".file").textContent.toLowerCase(),
  }));
  const collator = new Intl.Collator(undefined, { numeric: true });
  const order = { key: "rank", ascending: true };
  let shown = films;
  let current = null;
  let filter = "all";

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

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
    if (shown.length && !shown.includes(current)) open(shown[0]);
    else tellPlace();
  }

  function tellPlace() {
    const place = shown.indexOf(current);
    byId("place").textContent = place < 0 ? _("none of {count}", { count: shown.length }) : _("{place} of {count}", { place: place + 1, count: shown.length });
  }

  function pictureOf(row) {
    const kept = row.querySelector("template");
    if (kept) return document.importNode(kept.content, true);
    const thumb = row.querySelector("img.thumb");
    if (!thumb) return noFilm(row);
    const small = thumb.cloneNode();
    small.className = "small-film";
    return small;
  }

  function noFilm(row) {
    const box = element("div", "no-film");
    const read = row.dataset.result !== "failed";
    box.append(element("strong", "", read ? _("No picture of this film in this file") : _("This film could not be read")));
    for (const remark of row.querySelectorAll(".remark")) box.append(element("span", "", remark.textContent));
    return box;
  }

  function factsOf(row) {
    const facts = [row.querySelector(".badge").cloneNode(true)];
    if (row.dataset.score !== "") facts.push(element("span", "", _("Score {score}", { score: row.dataset.scoreShown })));
    if (row.dataset.view) facts.push(element("span", "", _("View {view}", { view: row.dataset.view })));
    if (row.dataset.where) facts.push(element("span", "", _("Heat: {where}", { where: row.dataset.where })));
    if (row.dataset.meaning) facts.push(element("span", "meaning", row.dataset.meaning));
    if (row.dataset.lungs) facts.push(element("span", "", row.dataset.lungs));
    if (!byId("stage").querySelector(".no-film"))
      for (const remark of row.querySelectorAll(".remark")) facts.push(remark.cloneNode(true));
    if (row.dataset.sha256) facts.push(element("span", "quiet", `sha256 ${row.dataset.sha256}`));
    if (row.dataset.overlay) {
      const link = element("a", "", _("Overlay file"));
      link.href = row.dataset.overlay;
      facts.push(link);
    }
    return facts;
  }

  // Scrolls the list alone: where the page scrolls too, the film stays where it is.
  function reveal(row) {
    const list = row.closest(".list");
    const [seen, place] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
    const head = document.querySelector("thead").offsetHeight;
    if (place.top < seen.top + head) list.scrollTop -= seen.top + head - place.top;
    else if (place.bottom > seen.bottom) list.scrollTop += place.bottom - seen.bottom + 4;
  }

  function open(film) {
    if (current) current.row.removeAttribute("aria-current");
    current = film;
    film.row.setAttribute("aria-current", "true");
    byId("name").replaceChildren(film.row.querySelector(".open bdi").cloneNode(true));
    byId("name").title = film.file;
    byId("stage").replaceChildren(pictureOf(film.row));
    byId("said").replaceChildren(...factsOf(film.row));
    byId("outline-tool").hidden = !byId("stage").querySelector(".outline");
    byId("heat-tool").hidden = !byId("stage").querySelector(".heat");
    byId("tools").hidden = byId("heat-notice").hidden = film.score < 0;
    reveal(film.row);
    tellPlace();
    byId("spoken").textContent = `${byId("place").textContent}: ${film.file}, ${byId("said").textContent}`;
  }

  function step(by) {
    if (!shown.length) return;
    const place = Math.max(shown.indexOf(current), 0);
    open(shown[Math.min(Math.max(place + by, 0), shown.length - 1)]);
  }

  function setOpacity(percent) {
    byId("opacity").value = percent;
    byId("stage").style.setProperty("--heat-opacity", percent / 100);
    byId("opacity-shown").textContent = `${percent} %`;
  }

  function setOutlines(on) {
    byId("outlines").checked = on;
    byId("stage").classList.toggle("outlined", on);
  }

  function setWhole(on) {
    document.body.classList.toggle("whole", on);
    byId("whole").setAttribute("aria-pressed", String(on));
    if (!on && current) reveal(current.row);
  }

  let heatBefore = 100;
  function toggleHeat() {
    const now = Number(byId("opacity").value);
    if (now > 0) heatBefore = now;
    setOpacity(now > 0 ? 0 : heatBefore);
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

  const keys = {
    ArrowDown: () => step(1),
    ArrowRight: () => step(1),
    j: () => step(1),
    ArrowUp: () => step(-1),
    ArrowLeft: () => step(-1),
    k: () => step(-1),
    PageDown: () => step(10),
    PageUp: () => step(-10),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    h: toggleHeat,
    l: () => setOutlines(!byId("outlines").checked),
    f: () => setWhole(!document.body.classList.contains("whole")),
    "/": () => { setWhole(false); byId("search").focus(); },
    Escape: () => (document.body.classList.contains("whole") ? setWhole(false) : clear()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = event.target.id === "search";
    const sliding = event.target.id === "opacity" && /^(Arrow|Home|End|Page)/.test(event.key);
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || sliding || (typing && event.key !== "Escape")) return;
    event.preventDefault();
    if (typing) event.target.blur();
    action();
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) open(films.find((film) => film.row === row));
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
  byId("opacity").addEventListener("input", (event) => setOpacity(Number(event.target.value)));
  byId("opacity").addEventListener("pointerup", (event) => event.target.blur());
  byId("outlines").addEventListener("change", (event) => setOutlines(event.target.checked));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("whole").addEventListener("click", () => keys.f());

  byId("viewer").hidden = false;
  narrow();
})();
