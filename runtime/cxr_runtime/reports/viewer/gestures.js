"use strict";
/* What mouse, pen and fingers do on a canvas of the viewer. */

const WHEEL_SHARE = 0.0016; // of the zoom's logarithm, a CSS pixel of scrolling
const PINCH_SHARE = 0.01; // of the same, where a touchpad says that two fingers pinch
const LINE = 16; // CSS pixels, where a wheel counts lines

/**
 * Follow pointers on a pane.
 *
 * @param {Pane} pane
 * @param {Object} acts `hand()`: what the first button does: move, tone, lens or length;
 *   `zoom(pane, factor, point)`, `move(pane, from, to)`, `tone(dx, dy)`, `lens(pane, point)`,
 *   `length(pane, from, to, isDone)`, `wholeOrActual(pane, point)`; points are [x, y] in CSS pixels of the canvas
 */
function followPointers(pane, acts) {
  const { canvas } = pane;
  const pointers = new Map();
  let drag = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  function start(event) {
    if (!pane.content) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    const hand = event.button === 2 ? "tone" : event.button === 1 ? "move" : acts.hand();
    drag = pointers.size > 1 ? null : { hand, from: at(event), last: at(event) };
    if (drag?.hand === "lens") acts.lens(pane, drag.from);
    if (event.button) event.preventDefault();
  }

  function pinch(event) {
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    const [before, now, other] = [pointers.get(event.pointerId), at(event), others[0]];
    const apart = (point) => Math.max(Math.hypot(point[0] - other[0], point[1] - other[1]), 1);
    const middle = (point) => [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2];
    acts.move(pane, middle(before), middle(now));
    acts.zoom(pane, apart(now) / apart(before), middle(now));
  }

  function move(event) {
    if (!pane.content) return;
    const now = at(event);
    if (!pointers.has(event.pointerId)) {
      if (acts.hand() === "lens" && event.pointerType !== "touch") acts.lens(pane, now);
      return;
    }
    if (pointers.size > 1) pinch(event);
    else if (drag?.hand === "move") acts.move(pane, drag.last, now);
    else if (drag?.hand === "tone") acts.tone(now[0] - drag.last[0], now[1] - drag.last[1]);
    else if (drag?.hand === "lens") acts.lens(pane, now);
    else if (drag?.hand === "length") acts.length(pane, drag.from, now, false);
    if (drag) drag.last = now;
    pointers.set(event.pointerId, now);
  }

  function end(event) {
    pointers.delete(event.pointerId);
    if (drag?.hand === "length") acts.length(pane, drag.from, drag.last, true);
    if (drag?.hand === "lens" && event.pointerType === "touch") acts.lens(pane, null);
    drag = null;
  }

  canvas.addEventListener("pointerdown", start);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => pointers.size || acts.lens(pane, null));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", (event) => pane.content && acts.wholeOrActual(pane, at(event)));
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!pane.content) return;
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode ? LINE : 1);
      acts.zoom(pane, Math.exp(-pixels * (event.ctrlKey ? PINCH_SHARE : WHEEL_SHARE)), at(event));
    },
    { passive: false },
  );
}
