"use strict";
/* Verdicts that could not be kept: they stay, each with the name of its film, until they are or a later one replaces them. */

class Unkept {
  /**
   * @param {Object<string, string>} labels as of `VerdictBar`
   * @param {function(Object, string): void} again keeps a verdict on the film of a name once more
   */
  constructor(labels, again) {
    Object.assign(this, { labels, again, lines: new Map() });
    this.root = element("div", "vb-unkept");
    this.root.setAttribute("role", "alert");
    addEventListener("beforeunload", (event) => {
      if (this.lines.size) event.preventDefault(); // the browser asks whether to leave
    });
  }

  add(said, name, error) {
    this.drop(said);
    const { labels } = this;
    const { verdict, source } = said;
    const word = source === "reading" ? labels[verdict] : `${labels[source]} ${labels[`test-${verdict}`]}`;
    const line = element("p", "vb-failed", `${labels.notKept}: `);
    const button = newButton(labels.again, () => {
      button.disabled = true;
      this.again(said, name);
    });
    line.append(element("bdi", "", name), `, ${word} (${error.message}) `, button);
    this.lines.set(aboutOf(said), line);
    this.root.append(line);
  }

  drop(said) {
    this.lines.get(aboutOf(said))?.remove();
    this.lines.delete(aboutOf(said));
  }
}

/** Has verdicts about the same follow each other, so that the later one holds; what waits is sent when the page is left. */
class InOrder {
  constructor() {
    this.last = new Map();
    this.left = new Promise((resolve) => addEventListener("pagehide", resolve, { once: true }));
  }

  async send(said, say) {
    const before = this.last.get(aboutOf(said));
    const sent = (async () => {
      if (before) await Promise.race([before, this.left]);
      return say(said);
    })();
    this.last.set(aboutOf(said), sent.catch(() => {}));
    return sent;
  }
}

/** What a verdict speaks of: of two about the same, the later one holds. */
function aboutOf({ key, source }) {
  return `${source} ${key}`;
}
