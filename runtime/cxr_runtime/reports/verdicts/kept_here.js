"use strict";
/* Verdicts that a page without a server keeps: in the browser's own storage, by film, and as a table to take out. */

const VERDICTS_KEPT_AS = "cxr-triage.verdicts"; // of all worklists of this browser: a film is its bytes
const LABEL_OF = { normal: 0, abnormal: 1 }; // as `calibrate --labels` reads it; who cannot tell gives none

class KeptHere {
  /** As they are kept now: another window may have kept some meanwhile. */
  get films() {
    try {
      return JSON.parse(kept(VERDICTS_KEPT_AS)) ?? {};
    } catch {
      return {};
    }
  }

  /** What stands of a film, as `VerdictBar.show` takes it. */
  of(sha256) {
    const said = this.films[sha256];
    const mine = { reader: "", source: "reading", isMine: true, isOurs: true, isBlinded: false };
    return { verdicts: said ? [{ ...mine, ...said }] : [], isDisputed: false };
  }

  async say({ key, verdict, findings, note }) {
    const { [key]: before, ...others } = this.films;
    const mine = { verdict, findings, note, time: new Date().toISOString() };
    const films = verdict === WITHDRAWN ? others : { ...others, [key]: mine };
    localStorage.setItem(VERDICTS_KEPT_AS, JSON.stringify(films)); // a browser that keeps nothing refuses here
    return this.of(key);
  }

  /** A table of the verdicts on these films, `[file, sha256]` each. */
  table(films) {
    const said = this.films;
    const rows = films.filter(([, sha256]) => said[sha256]?.verdict in LABEL_OF);
    const lines = rows.map(([file, sha256]) => {
      const { verdict, findings, note, time } = said[sha256];
      return [file, sha256, LABEL_OF[verdict], findings.join(" "), note, time].map(cell).join(",");
    });
    return ["file,sha256,label,findings,note,time", ...lines, ""].join("\n");
  }

  /** A button that takes the table out. */
  button(words, films) {
    const button = element("button", "vb-out", words);
    button.type = "button";
    button.addEventListener("click", () => {
      const link = element("a");
      link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(this.table(films()))}`;
      link.download = "verdicts.csv";
      link.click();
    });
    return button;
  }
}

/** A cell of a table; one that a spreadsheet would run as a formula begins with a quote. */
function cell(value) {
  const text = String(value);
  return `"${(/^[=+@-]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}
