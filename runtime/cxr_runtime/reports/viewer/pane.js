"use strict";
/* One film on one canvas: grey values through the window, colours and outlines on top, lines that measure. */

const WHOLE_AT_MOST = 2 << 20; // pixels of a copy that is brought to the screen at once, not by parts
const LENS = { radius: 120, power: 2.5 }; // of the magnifier; CSS pixels
const CROSS_REACH = 12; // of each arm; CSS pixels

/** A part of a film in grey, kept from picture to picture while it still covers what is seen. */
class Layer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.kept = {};
  }

  /** Draw what can be seen of a film; `toScreen` maps its pixels to those of the canvas. */
  draw(context, film, table, toScreen, [width, height]) {
    const scale = Math.hypot(toScreen.a, toScreen.b);
    const level = film.level(Math.floor(Math.log2(1 / scale)));
    const [across, down] = [film.columns / level.columns, film.rows / level.rows];
    const box = seenBox(level, toScreen.scale(across, down).inverse(), width, height);
    if (!box) return;
    if (this.kept.level !== level || this.kept.table !== table || !covers(this.kept.box, box))
      this.#fill(level, table, grown(box, level));
    const { left, top, right, bottom } = this.kept.box;
    context.setTransform(toScreen);
    context.imageSmoothingQuality = scale < 1 ? "high" : "medium";
    context.drawImage(this.canvas, left * across, top * down, (right - left) * across, (bottom - top) * down);
  }

  #fill(level, table, box) {
    const [wide, high] = [box.right - box.left, box.bottom - box.top];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const picture = this.context.createImageData(wide, high);
    const shown = new Uint32Array(picture.data.buffer);
    for (let row = 0, to = 0; row < high; row += 1) {
      let from = (box.top + row) * level.columns + box.left;
      for (const end = from + wide; from < end; from += 1, to += 1) shown[to] = table[level.values[from]];
    }
    this.context.putImageData(picture, 0, 0);
    this.kept = { level, table, box };
  }
}

function seenBox(level, fromScreen, width, height) {
  const corners = [[0, 0], [width, 0], [0, height], [width, height]].map(([x, y]) => fromScreen.transformPoint({ x, y }));
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  const [left, top] = [Math.max(Math.floor(Math.min(...xs)), 0), Math.max(Math.floor(Math.min(...ys)), 0)];
  const right = Math.min(Math.ceil(Math.max(...xs)), level.columns);
  const bottom = Math.min(Math.ceil(Math.max(...ys)), level.rows);
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

function covers(kept, box) {
  return kept.left <= box.left && kept.top <= box.top && kept.right >= box.right && kept.bottom >= box.bottom;
}

/** With a margin, so that a small move needs nothing new; all of it where that is little. */
function grown(box, { rows, columns }) {
  if (rows * columns <= WHOLE_AT_MOST) return { left: 0, top: 0, right: columns, bottom: rows };
  const [across, down] = [(box.right - box.left) >> 3, (box.bottom - box.top) >> 3];
  return {
    left: Math.max(box.left - across, 0), top: Math.max(box.top - down, 0),
    right: Math.min(box.right + across, columns), bottom: Math.min(box.bottom + down, rows),
  };
}

class Pane {
  /** @param {string} kind `film`, `overlay` or `earlier` */
  constructor(kind) {
    this.kind = kind;
    this.figure = document.createElement("figure");
    this.canvas = document.createElement("canvas");
    this.title = document.createElement("figcaption");
    this.figure.className = "fv-pane";
    this.figure.append(this.canvas, this.title);
    this.canvas.setAttribute("role", "img");
    this.layers = [new Layer(), new Layer()]; // of the film, and of what the magnifier shows
    this.content = null;
  }

  /** @param {{pixels: GreyPixels, heat: ?Image, outlines: number[][][], lines: number[][][]}} content */
  set(content, name) {
    this.content = content;
    this.canvas.setAttribute("aria-label", name);
    this.table = null;
  }

  /** Rows and columns as they stand on the screen. */
  #turned(view) {
    const { rows, columns } = this.content.pixels;
    return view.turns % 2 ? [columns, rows] : [rows, columns];
  }

  /** CSS pixels a pixel of the film at which all of it is seen. */
  fit(view) {
    const [rows, columns] = this.#turned(view);
    return Math.min(this.canvas.clientWidth / columns, this.canvas.clientHeight / rows) || 1;
  }

  /** From the film's pixels to CSS pixels of the canvas. */
  matrix(view) {
    const { rows, columns } = this.content.pixels;
    const scale = this.fit(view) * view.zoom;
    return new DOMMatrix()
      .translate(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2)
      .scale(view.isFlipped ? -scale : scale, scale)
      .rotate(90 * view.turns)
      .translate(-view.center[0] * columns, -view.center[1] * rows);
  }

  /** From a point of the canvas, in CSS pixels, to shares of the film's columns and rows. */
  toFilm(view, x, y) {
    const at = this.matrix(view).inverse().transformPoint({ x, y });
    return [at.x / this.content.pixels.columns, at.y / this.content.pixels.rows];
  }

  /** The other way round. */
  toScreen(view, [x, y]) {
    const at = this.matrix(view).transformPoint({ x: x * this.content.pixels.columns, y: y * this.content.pixels.rows });
    return [at.x, at.y];
  }

  /** The middle of the canvas, in CSS pixels. */
  middle() {
    return [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
  }

  /**
   * @param {Sight} sight
   * @param {Object} shown heat: its opacity, 0..1; outlines: whether; lens: what is magnified, in shares of the
   *   film, or null; lengthOf: a line's length in words; cross: where it stands, likewise, or null
   */
  draw({ view, tone }, shown) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.canvas.clientWidth * ratio), Math.round(this.canvas.clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.content || !width || !height) return;
    this.#tabulate(tone);
    const toScreen = new DOMMatrix().scale(ratio).multiply(this.matrix(view));
    this.#scene(context, this.layers[0], toScreen, [width, height], shown, ratio);
    if (shown.lens) this.#magnify(context, toScreen, [width, height], shown, ratio);
  }

  /** The window of this film: a preset of its own, moved and widened as the reader wants. */
  windowIn(tone) {
    const [center, width] = this.content.pixels.windowOf(tone.preset);
    return [center + tone.shift * width, Math.max(width * tone.stretch, 2)];
  }

  #tabulate(tone) {
    const wanted = [...this.windowIn(tone), tone.isInverted].join();
    if (this.table && this.tabulated === wanted) return;
    const length = this.content.pixels.levels[0].values.BYTES_PER_ELEMENT === 1 ? 256 : 65536;
    this.table = greyTable(length, this.windowIn(tone), tone.isInverted);
    this.tabulated = wanted;
  }

  #scene(context, layer, toScreen, size, shown, ratio) {
    const { pixels, heat, outlines, lines } = this.content;
    layer.draw(context, pixels, this.table, toScreen, size);
    if (heat && this.kind !== "film" && shown.heat > 0) {
      context.globalAlpha = shown.heat;
      context.drawImage(heat, 0, 0, pixels.columns, pixels.rows);
      context.globalAlpha = 1;
    }
    const toPoints = (shape) =>
      shape.map(([x, y]) => toScreen.transformPoint({ x: x * pixels.columns, y: y * pixels.rows }));
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (shown.outlines) for (const outline of outlines) drawShape(context, toPoints(outline), ratio, true);
    for (const line of lines) drawLength(context, toPoints(line), ratio, shown.lengthOf(line));
    if (shown.cross) drawCross(context, toPoints([shown.cross])[0], ratio);
  }

  #magnify(context, toScreen, size, shown, ratio) {
    const [x, y] = [shown.lens[0] * this.content.pixels.columns, shown.lens[1] * this.content.pixels.rows];
    const at = toScreen.transformPoint({ x, y });
    const radius = LENS.radius * ratio;
    const larger = new DOMMatrix().translate(at.x, at.y).scale(LENS.power).translate(-at.x, -at.y).multiply(toScreen);
    context.save();
    context.beginPath();
    context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    context.clip();
    context.fillRect(at.x - radius, at.y - radius, 2 * radius, 2 * radius);
    this.#scene(context, this.layers[1], larger, size, { ...shown, lens: null }, ratio);
    context.restore();
    context.beginPath();
    context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    Object.assign(context, { strokeStyle: "#c9d3de", lineWidth: 1.5 * ratio });
    context.stroke();
  }
}

/** A line in white with a dark edge, seen on any grey and any colour. */
function drawShape(context, points, ratio, isClosed) {
  context.beginPath();
  for (const { x, y } of points) context.lineTo(x, y);
  if (isClosed) context.closePath();
  context.lineJoin = "round";
  for (const [style, width] of [["#000a", 3.2], ["#fff", 1.4]]) {
    Object.assign(context, { strokeStyle: style, lineWidth: width * ratio });
    context.stroke();
  }
}

function drawCross(context, { x, y }, ratio) {
  const reach = CROSS_REACH * ratio;
  for (const [across, down] of [[reach, 0], [0, reach]])
    drawShape(context, [{ x: x - across, y: y - down }, { x: x + across, y: y + down }], ratio, false);
}

function drawLength(context, [start, end], ratio, words) {
  drawShape(context, [start, end], ratio, false);
  const along = Math.atan2(end.y - start.y, end.x - start.x) + Math.PI / 2;
  const [x, y] = [6 * ratio * Math.cos(along), 6 * ratio * Math.sin(along)];
  for (const tip of [start, end]) drawShape(context, [{ x: tip.x - x, y: tip.y - y }, { x: tip.x + x, y: tip.y + y }], ratio, false);
  Object.assign(context, { font: `600 ${14 * ratio}px system-ui, sans-serif`, fillStyle: "#fff", textBaseline: "middle" });
  Object.assign(context, { strokeStyle: "#000", lineWidth: 4 * ratio });
  const last = end.x >= start.x ? end : start;
  context.strokeText(words, last.x + 10 * ratio, last.y);
  context.fillText(words, last.x + 10 * ratio, last.y);
}
