"use strict";
/* The bar of the viewer: its buttons, the choice of a window, and the slider of the heat. */

const ICONS = { // strokes in a box of 20 x 20
  previous: "M12.5 4 6.5 10l6 6",
  next: "M7.5 4l6 6-6 6",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z",
  actual: "M4 6l2-1.5V15.5M14 6l2-1.5V15.5M10 8v.1M10 12.5v.1",
  zoomIn: "M10 4v12M4 10h12",
  zoomOut: "M4 10h12",
  move: "M10 2v16M2 10h16M10 2 8 4.5M10 2l2 2.5M10 18l-2-2.5M10 18l2-2.5M2 10l2.5-2M2 10l2.5 2M18 10l-2.5-2M18 10l-2.5 2",
  tone: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 3v14M12.5 5.5v9M15 7.5v5",
  lens: "M8.5 3a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M12.5 12.5 17 17",
  length: "M2 13.5 13.5 2 18 6.5 6.5 18zM5.5 10l2 2M8.5 7l1.5 1.5M11.5 4l2 2",
  invert: "M3 3h14v14H3zM17 3 3 17M6 6h4",
  rotate: "M16 10a6 6 0 1 1-2-4.5M14.5 2v4h-4",
  flip: "M10 2v16M7 5 2.5 15H7zM13 5l4.5 10H13",
  sideBySide: "M2.5 4h15v12h-15zM10 4v12",
  outlines: "M8.5 3v6.5C7 11 6 11.5 6 13.5c0 2-.5 3.5-2 3.5S2 15 2 12c0-4 2-7.5 4-7.5 1 0 1.5.5 1.5 1.5M11.5 3v6.5c1.5 1.5 2.5 2 2.5 4 0 2 .5 3.5 2 3.5s2-2 2-5c0-4-2-7.5-4-7.5-1 0-1.5.5-1.5 1.5",
  reset: "M4 10a6 6 0 1 0 2-4.5M5.5 2v4h4",
  whole: "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5",
  help: "M7 7.5a3 3 0 1 1 4.5 2.600c-1 .6-1.5 1-1.5 2.200M10 15.5v.1",
};
const SVG = "http://www.w3.org/2000/svg";
const PRESETS = ["usual", "lung", "bone"];

class Bar {
  /**
   * @param {Object<string, string>} labels see labels.py
   * @param {Object<string, function>} acts by name of the button, and `preset`, `heat`
   * @param {Object<string, string>} keys letter of a button, said in its tip
   */
  constructor(labels, acts, keys) {
    this.labels = labels;
    this.keys = keys;
    this.buttons = {};
    this.root = element("div", "fv-bar");
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", labels.tools);
    this.place = element("span", "fv-place");
    this.steps = this.#group("previous", "next");
    this.steps.insertBefore(this.place, this.buttons.next);
    const scale = this.#group("fit", "actual", "zoomIn", "zoomOut");
    const hands = this.#group("move", "tone", "lens", "length");
    const grey = this.#group("invert");
    grey.prepend(this.#presets(acts.preset));
    const look = this.#group("rotate", "flip", "sideBySide", "reset");
    this.overlay = this.#overlay(acts);
    const page = this.#group("whole", "help");
    page.classList.add("fv-last");
    this.root.append(this.steps, scale, hands, grey, look, this.overlay, page);
    for (const [name, button] of Object.entries(this.buttons)) button.addEventListener("click", acts[name]);
  }

  #group(...names) {
    const group = element("span", "fv-group");
    group.append(...names.map((name) => this.#button(name)));
    return group;
  }

  #button(name) {
    const button = element("button", `fv-do-${name}`);
    button.type = "button";
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 20 20");
    icon.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name]);
    icon.append(path);
    button.append(icon);
    this.buttons[name] = button;
    this.#say(name, this.labels[name]);
    return button;
  }

  #say(name, words) {
    const key = this.keys[name];
    this.buttons[name].setAttribute("aria-label", words);
    this.buttons[name].title = key ? `${words} (${key})` : words;
  }

  #presets(act) {
    this.preset = element("select");
    this.preset.setAttribute("aria-label", this.labels.preset);
    this.preset.title = `${this.labels.preset} (${this.keys.preset})`;
    for (const name of [...PRESETS, "own"]) this.preset.append(new Option(this.labels[`${name}Window`], name));
    this.preset.options[PRESETS.length].hidden = true;
    this.preset.addEventListener("change", () => act(this.preset.value));
    return this.preset;
  }

  #overlay(acts) {
    const group = element("span", "fv-group fv-overlay");
    this.heat = element("input");
    Object.assign(this.heat, { type: "range", min: 0, max: 100, step: 5, value: 100 });
    this.heat.setAttribute("aria-label", this.labels.heatOpacity);
    this.heatShown = element("output");
    this.heatTool = element("label", "fv-heat");
    this.heatTool.title = `${this.labels.heatOpacity} (${this.keys.heat})`;
    this.heatTool.append(element("span", "", this.labels.heat), this.heat, this.heatShown);
    this.heat.addEventListener("input", () => acts.heat(Number(this.heat.value)));
    group.append(this.heatTool, this.#button("outlines"));
    return group;
  }

  /** Say how the viewer stands: which buttons are pressed, and what there is no use for now. */
  tell(state, sight, canStep) {
    const { tone, view } = sight;
    const pressed = { invert: tone.isInverted, flip: view.isFlipped, sideBySide: state.sideBySide };
    Object.assign(pressed, { outlines: state.outlines, whole: state.whole });
    for (const hand of HANDS) pressed[hand] = state.hand === hand;
    for (const [name, isOn] of Object.entries(pressed)) this.buttons[name].setAttribute("aria-pressed", String(isOn));
    this.buttons.length.disabled = !state.canMeasure;
    this.#say("length", state.canMeasure ? this.labels.length : this.labels.noLength);
    this.buttons.sideBySide.disabled = !state.canCompare;
    this.preset.value = sight.isOwnWindow ? "own" : tone.preset;
    this.heatTool.hidden = !state.hasHeat;
    this.buttons.outlines.hidden = !state.hasOutlines;
    this.heat.value = state.heat;
    this.heatShown.textContent = `${state.heat} %`;
    this.steps.hidden = !canStep;
    this.place.textContent = state.place;
  }
}
