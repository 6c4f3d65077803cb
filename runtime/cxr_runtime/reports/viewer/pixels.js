"use strict";
/* A film's grey values with smaller copies of themselves, and the table that brings them to the screen. */

/** Shares of a film's pixels between which a preset opens the window: lungs are dark, bone is bright. */
const PRESET_SHARES = { lung: [0.02, 0.7], bone: [0.22, 0.999] };
const LEAST_SIDE = 64; // pixels of the smallest copy
const LOAD_MS = 20000; // that a picture may take to come

class GreyPixels {
  /**
   * @param {Uint8Array|Uint16Array} values row after row; more is brighter
   * @param {number} rows
   * @param {number} columns
   * @param {number[]} usual center and width of the window in which the film is first shown
   */
  constructor(values, rows, columns, usual) {
    this.levels = [{ values, rows, columns }];
    Object.assign(this, { rows, columns, usual });
    this.presets = { usual };
  }

  /** From what `FilmViewer.show` takes as a film; `null` stays `null`. */
  static async from(given) {
    const source = await given;
    if (!source) return null;
    if (!source.url) {
      const { pixels, rows, columns, window } = source;
      return new GreyPixels(pixels, rows, columns, window);
    }
    const picture = await loadedPicture(source.url);
    const canvas = document.createElement("canvas");
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const values = new Uint8Array(canvas.width * canvas.height);
    for (let at = 0; at < values.length; at += 1) values[at] = data[4 * at];
    return new GreyPixels(values, canvas.height, canvas.width, [128, 256]);
  }

  /** The copy whose sides are 1 / 2^step of the film's, or the smallest one. */
  level(step) {
    while (this.levels.length <= step && this.#canBeHalved()) this.levels.push(halved(this.levels.at(-1)));
    return this.levels[Math.min(Math.max(step, 0), this.levels.length - 1)];
  }

  #canBeHalved() {
    const { rows, columns } = this.levels.at(-1);
    return Math.min(rows, columns) >= 2 * LEAST_SIDE;
  }

  /** Center and width of a preset; those of lung and bone are found in the film itself. */
  windowOf(preset) {
    if (!this.presets[preset]) {
      const [low, high] = this.#quantiles(PRESET_SHARES[preset]);
      this.presets[preset] = [(low + high) / 2, Math.max(high - low, this.usual[1] / 16)];
    }
    return this.presets[preset];
  }

  /** Values below which the given shares of the pixels lie; what is black in the usual window is left out. */
  #quantiles(shares) {
    const { values } = this.level(99);
    const black = this.usual[0] - this.usual[1] / 2 + this.usual[1] / 64;
    const sorted = values.filter((value) => value > black).sort();
    if (!sorted.length) return shares.map((share) => this.usual[0] + (share - 0.5) * this.usual[1]);
    return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  }
}

function halved({ values, rows, columns }) {
  const [high, wide] = [rows >> 1, columns >> 1];
  const half = new values.constructor(high * wide);
  for (let row = 0; row < high; row += 1) {
    let at = 2 * row * columns;
    for (let column = 0; column < wide; column += 1, at += 2)
      half[row * wide + column] = (values[at] + values[at + 1] + values[at + columns] + values[at + columns + 1] + 2) >> 2;
  }
  return { values: half, rows: high, columns: wide };
}

async function loadedPicture(url) {
  const picture = new Image();
  picture.src = url;
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error("it did not come in time")), LOAD_MS);
  });
  try {
    await Promise.race([picture.decode(), late]);
  } catch (error) {
    picture.src = ""; // nothing comes any more
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return picture;
}

/**
 * What each grey value is on the screen, as a pixel of a canvas (DICOM PS3.3 C.11.2.1.2.1).
 *
 * @param {number} length of the table: 256 or 65536
 * @param {number[]} window center and width
 * @param {boolean} isInverted
 */
function greyTable(length, [center, width], isInverted) {
  const table = new Uint32Array(length);
  const span = Math.max(width - 1, 1);
  for (let value = 0; value < length; value += 1) {
    const grey = Math.min(Math.max(((value - center + 0.5) / span + 0.5) * 255, 0), 255);
    const shown = Math.round(isInverted ? 255 - grey : grey);
    table[value] = 0xff000000 | (shown * 0x010101);
  }
  return table;
}
