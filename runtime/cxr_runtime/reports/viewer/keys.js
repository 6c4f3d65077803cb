"use strict";
/* Keys of a page: one list that acts, that is shown on `?`, and whose single letters can be switched off. */

const KEYS_KEPT_AS = "cxr-triage.single-keys"; // in the browser's own storage, where the page may use it
const MOST_NAMED = 3; // keys of one line; of more the first and the last are named

class Keys {
  /** @param {Object<string, string>} labels see labels.py */
  constructor(labels) {
    this.labels = labels;
    this.entries = [];
    this.areSingleKeysOn = kept(KEYS_KEPT_AS) !== "off";
    this.dialog = element("dialog", "fv-keys");
    this.dialog.setAttribute("aria-label", labels.keys);
    document.body.append(this.dialog);
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  /**
   * @param {{keys: string[], words: string, act: function(KeyboardEvent): void, when: ?function(): boolean}[]} entries
   *   names as of KeyboardEvent.key, letters in lower case; an entry without words is not shown on `?`;
   *   one with `when` acts while that says true, and then before all others
   */
  add(entries) {
    this.entries.push(...entries);
  }

  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || this.dialog.open) return;
    const isSingle = event.key.length === 1;
    if (isSingle && !this.areSingleKeysOn) return;
    const key = isSingle ? event.key.toLowerCase() : event.key;
    if (isForElement(event.target, key)) return;
    const name = event.shiftKey && !isSingle ? `Shift+${key}` : key;
    const fitting = this.entries.filter(({ keys, when }) => keys.includes(name) && (!when || when()));
    const found = fitting.findLast(({ when }) => when) ?? fitting.at(-1);
    if (!found) return;
    event.preventDefault();
    found.act(event);
  }

  /** Show what every key does, and the switch for single letters. */
  show() {
    const { labels } = this;
    const list = element("dl");
    for (const { keys, words } of this.entries) {
      if (!words) continue;
      const names = element("dt");
      const few = keys.length > MOST_NAMED ? [keys[0], keys.at(-1)] : keys;
      names.append(...few.map((key) => element("kbd", "", labels[key] ?? key)));
      if (few !== keys) names.firstChild.after("– ");
      const line = element("div");
      line.append(names, element("dd", "", words));
      list.append(line);
    }
    const onOff = element("input");
    Object.assign(onOff, { type: "checkbox", checked: this.areSingleKeysOn });
    onOff.addEventListener("change", () => this.#switch(onOff.checked));
    const choice = element("label", "fv-check");
    choice.append(onOff, labels.singleKeys);
    const close = element("button", "", labels.close);
    close.type = "button";
    close.addEventListener("click", () => this.dialog.close());
    const mouse = element("p", "", labels.mouse);
    const foot = element("p", "fv-foot");
    foot.append(choice, close);
    this.dialog.replaceChildren(element("h2", "", labels.keys), list, mouse, foot);
    this.dialog.showModal();
  }

  #switch(isOn) {
    this.areSingleKeysOn = isOn;
    keep(KEYS_KEPT_AS, isOn ? "on" : "off");
  }
}

/** Whether the element in which a key was pressed needs it itself. */
function isForElement(target, key) {
  if (target.matches("textarea, select, [contenteditable]")) return key !== "Escape";
  if (!target.matches("input")) return false;
  if (["checkbox", "radio", "button"].includes(target.type)) return key === " ";
  if (target.type === "range") return /^(Arrow|Home|End|Page)/.test(key);
  return key !== "Escape";
}

function element(tag, className = "", text = undefined) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function newButton(words, act) {
  const button = element("button", "", words);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It holds until the page is closed.
  }
}
