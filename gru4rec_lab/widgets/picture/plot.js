// Draws a picture as SVG in a host element, and what is shown in it now.
//
//   const plot = new Plot(host, {hidden: [], onHide: names => {}, onPick: (line, point) => {}});
//   plot.show(picture, shown);   // as often as wanted
//   plot.hide(names);            // the groups that are switched off, as their keys do
//   plot.close();
//
// `picture` is the plain data that `Picture.plain()` of plots/picture.py gives: {height, narrow,
// panes: {name: Pane}, lines: {name: Line}}, all fields there. It is laid out again only when it is
// another object than before, or when the width of the host changes. `shown` is {lines: {name:
// Float32Array [x..., y...], for cells [x..., y..., colour...]}, about, thick, titles, texts}; lines
// without numbers are not drawn. plot.css goes with it. The `data-version` of the svg grows with
// every change that is seen. A host without a width (a hidden tab) is drawn once it has one.

/** @typedef {import("./scales.js").Axis} Axis */
/** @typedef {import("./paths.js").Points} Points */
/** @typedef {{x: Axis, y: Axis, box: import("./paths.js").Box, title: string, right: Axis | null,
 *   corners: [string, string], above: number, bare: boolean}} Pane */
/** @typedef {{pane: string, colour: string, kind: string, axis: "y" | "right", dash: number[],
 *   width: number, dots: number, mark: string, label: string, key: string, group: string,
 *   turned: boolean, layer: number}} Line */
/** @typedef {{height: number, narrow: number, panes: Record<string, Pane>,
 *   lines: Record<string, Line>}} Picture */
/** @typedef {{lines: Record<string, Float32Array>, about: string, thick?: string,
 *   titles?: Record<string, string>, texts?: Record<string, string[]>}} Shown */

import {add, html, paint, rich, write} from "./elements.js";
import {alone, arranged, bins, joined, marked, tenth, upright} from "./paths.js";
import {Readout} from "./readout.js";
import {scale, ticks} from "./scales.js";

const ROOM = {left: 60, right: 14, top: 12, bottom: 42};
const THICK = 3.5, BEYOND = 4, ALONE = 3;
const NOTHING = new Float32Array(0);

export class Plot {
  /** @param {HTMLElement} host
   * @param {{hidden?: string[], onHide?: (names: string[]) => void,
   *   onPick?: (line: string, point: number) => void}} options */
  constructor(host, {hidden = [], onHide = () => {}, onPick = () => {}} = {}) {
    this.host = host;
    this.hidden = new Set(hidden);
    [this.onHide, this.onPick] = [onHide, onPick];
    this.version = this.laidOut = 0;
    this.width = Math.floor(host.clientWidth);
    /** @type {Picture?} */
    this.picture = null;
    /** @type {Shown?} */
    this.shown = null;
    /** @type {Record<string, any>} */
    this.panes = {};
    host.classList.add("g4r-plot");
    this.keys = html(host, "div", {class: "g4r-keys"});
    this.area = html(host, "div", {class: "g4r-area"});
    // JupyterLab takes the arrow keys otherwise.
    this.svg = add(this.area, "svg", {role: "img", tabindex: 0, "data-lm-suppress-shortcuts": true});
    this.readout = new Readout(this);
    this.watch = new ResizeObserver(([entry]) => this.resize(Math.floor(entry.contentRect.width)));
    this.watch.observe(host);
  }

  close() {
    this.watch.disconnect();
    this.host.replaceChildren();
  }

  /** Show this from now on. @param {Picture} picture @param {Shown} shown */
  show(picture, shown) {
    const same = picture === this.picture && this.laidOut === this.width;
    [this.picture, this.shown] = [picture, shown];
    if (!this.width) this.laidOut = 0;
    else if (same) this.draw();
    else this.layout();
  }

  resize(width) {
    if (width === this.width) return;
    this.width = width;
    this.readout.at = null;
    if (this.picture) this.show(this.picture, this.shown);
  }

  /** Switch these groups off and all others on. @param {string[]} names */
  hide(names) {
    this.hidden = new Set(names);
    for (const key of this.host.querySelectorAll("button")) {
      key.setAttribute("aria-pressed", String(!this.hidden.has(key.dataset.key)));
    }
    if (this.laidOut) this.draw();
  }

  /** Everything that stands still, for the width that there is. */
  layout() {
    const focused = this.host.querySelector("button:focus")?.getAttribute("data-key");
    const {height, boxes} = arranged(this.picture, this.width);
    const lines = Object.entries(this.picture.lines);
    this.laidOut = this.width;
    this.keys.replaceChildren();
    lines.filter(([, line]) => line.key === "picture").forEach(each => this.key(this.keys, ...each));
    this.area.querySelectorAll(".g4r-head").forEach(head => head.remove());
    this.svg.replaceChildren();
    this.svg.setAttribute("width", String(this.width));
    this.svg.setAttribute("height", String(height));
    this.panes = {};
    for (const [name, pane] of Object.entries(this.picture.panes)) {
      this.panes[name] = this.pane(name, pane, boxes[name]);
    }
    const upward = [...lines].sort(([, a], [, b]) => a.layer - b.layer);
    this.nodes = Object.fromEntries(upward.map(([name, line]) => [name, this.node(name, line)]));
    this.drawn = {};
    this.readout.attach();
    this.draw();
    for (const key of this.host.querySelectorAll("button")) {
      if (key.dataset.key === focused) key.focus();
    }
  }

  /** A button that switches the lines of a group. */
  key(parent, name, line) {
    const group = line.group || name, wide = ["bars", "cells"].includes(line.kind) ? 8 : 2.5;
    const button = html(parent, "button", {type: "button", class: "g4r-key", "data-key": group,
      title: "hide or show", "aria-pressed": !this.hidden.has(group), "data-lm-suppress-shortcuts": true});
    const swatch = add(button, "svg", {width: 24, height: 10, "aria-hidden": true});
    add(swatch, "path", {d: "M0 5H24", style: `stroke:${paint(line.colour)}`, "stroke-width": wide,
      "stroke-dasharray": dashes(line, wide)});
    rich(button, line.label || name);
    button.addEventListener("click", () => {
      const names = new Set(this.hidden);
      if (!names.delete(group)) names.add(group);
      this.hide([...names]);
      this.onHide([...names]);
    });
  }

  /** One pane with its title, keys and axes; the places of numbers in it. */
  pane(name, pane, [left, above, right, below]) {
    const x = [left + ROOM.left, right - (pane.right ? ROOM.left : ROOM.right)];
    const head = html(this.area, "div", {class: "g4r-head",
      style: `left:${x[0]}px;top:${above}px;width:${x[1] - x[0]}px`});
    const heading = html(head, "span", {class: "g4r-title"});
    rich(heading, this.shown.titles?.[name] ?? pane.title);
    for (const [key, line] of Object.entries(this.picture.lines)) {
      if (line.key === "pane" && line.pane === name) this.key(head, key, line);
    }
    const y = [below - ROOM.bottom, above + Math.max(ROOM.top, head.offsetHeight + 3) + pane.above];
    const place = (/** @type {Axis} */ axis, /** @type {number[]} */ [from, to]) => {
      const share = scale(axis);
      return (/** @type {number} */ value) => tenth(from + share(value) * (to - from));
    };
    const at = {x: place(pane.x, x), y: place(pane.y, y), right: pane.right && place(pane.right, y)};
    const group = add(this.svg, "g", {"data-pane": name});
    this.axis(group, pane, pane.x, at.x, x, y, "x");
    this.axis(group, pane, pane.y, at.y, x, y, "y");
    if (pane.right) this.axis(group, pane, pane.right, at.right, x, y, "right");
    const [low, high] = pane.y.limits;
    if (low < 0 && high > 0) add(group, "path", {class: "g4r-axis", d: `M${x[0]} ${at.y(0)}H${x[1]}`});
    pane.corners.forEach((words, i) =>
      write(group, words, {class: "g4r-corner", x: x[1] - 4, y: i ? y[0] - 6 : y[1] + 12}));
    // Wider than the axes by a dot, so that what lies on the edge is seen whole.
    const box = {x: x[0] - BEYOND, y: y[1] - BEYOND, width: x[1] - x[0] + 2 * BEYOND, height: y[0] - y[1] + 2 * BEYOND};
    const inside = add(group, "svg", {...box, viewBox: Object.values(box).join(" ")});
    return {...pane, at, group, inside, heading, edges: {x, y}};
  }

  axis(group, pane, axis, at, x, y, side) {
    const flat = side === "x", edge = side === "right" ? x[1] : x[0], out = side === "right" ? 1 : -1;
    const style = `fill:${paint(axis.colour)}`, anchor = flat ? "middle" : out > 0 ? "start" : "end";
    for (const [value, text] of ticks(axis)) {
      const here = at(value);
      if (side !== "right" && !pane.bare) {
        add(group, "path", {class: "g4r-grid", d: flat ? `M${here} ${y[0]}V${y[1]}` : `M${x[0]} ${here}H${x[1]}`});
      }
      write(group, text, {x: flat ? here : edge + 7 * out, y: flat ? y[0] + 16 : here + 4, style, "text-anchor": anchor, class: "g4r-tick"});
    }
    if (!pane.bare) add(group, "path", {class: "g4r-axis", d: flat ? `M${x[0]} ${y[0]}H${x[1]}` : `M${edge} ${y[0]}V${y[1]}`});
    const middle = flat ? (x[0] + x[1]) / 2 : (y[0] + y[1]) / 2, beside = edge + 46 * out;
    write(group, axis.label, {style, "text-anchor": "middle", ...(flat ? {x: middle, y: y[0] + 34}
      : {x: beside, y: middle, transform: `rotate(-90 ${beside} ${middle})`})});
  }

  /** The element that holds a line. */
  node(name, line) {
    const {group, inside} = this.panes[line.pane], colour = paint(line.colour);
    const free = line.kind === "texts";  // names of columns stand beside the axes
    const node = add(free ? group : inside, "g", {"data-line": name});
    if (line.kind === "cells") return {node};
    if (free) return {node: Object.assign(node, {style: `fill:${colour};font-size:${line.width}px`})};
    const filled = line.kind === "bars";
    const path = add(node, "path", {"stroke-linejoin": "round",
      style: filled ? `fill:${colour};stroke:var(--g4r-soft)` : `fill:none;stroke:${colour}`});
    const dots = line.kind === "line" ? add(node, "path", {style: `fill:${colour};stroke:var(--g4r-paper)`,
      "stroke-width": line.width ? 0 : 1}) : null;
    return {node, path, dots};
  }

  draw() {
    const {lines, panes} = this.picture;
    let changed = false;
    for (const name in lines) changed = this.line(name, lines[name]) || changed;
    for (const name in panes) {
      changed = this.title(name, this.shown.titles?.[name] ?? panes[name].title) || changed;
    }
    this.svg.setAttribute("aria-label", this.shown.about);
    if (changed) this.svg.dataset.version = String(++this.version);
    this.readout.follow();
  }

  title(name, text) {
    const {heading} = this.panes[name];
    if (this.drawn[`title ${name}`] === text) return false;
    this.drawn[`title ${name}`] = text;
    heading.replaceChildren();
    rich(heading, text);
    return true;
  }

  /** Draw the numbers of a line, if they are others than before: whether they were. */
  line(name, line) {
    const {node, path, dots} = this.nodes[name], {edges: {y: [foot, top]}} = this.panes[line.pane];
    const points = this.points(name), colours = this.numbers(name).slice(2 * points.length);
    const texts = this.shown.texts?.[name] ?? [], {thick} = this.shown;
    const heavy = line.width && thick && [name, line.group].includes(thick);
    const width = line.kind === "bars" ? 0.5 : heavy ? THICK : line.width;
    const outline = !path ? [points, colours, texts].join("|")
      : line.kind === "across" ? upright(points, foot, top)
      : line.kind === "line" ? joined(points) : bins(points, foot, line.kind === "bars");
    const look = `${width} ${outline}`;
    if (this.drawn[name] === look) return false;
    this.drawn[name] = look;
    if (line.kind === "cells") this.cells(node, line, points, colours);
    else if (line.kind === "texts") this.texts(node, line, points, texts);
    else {
      path.setAttribute("d", width ? outline : "");
      path.setAttribute("stroke-width", width);
      path.setAttribute("stroke-dasharray", dashes(line, width));
      dots?.setAttribute("d", marked(line.dots ? points : alone(points), line.dots || ALONE, line.mark));
    }
    return true;
  }

  cells(node, line, points, colours) {
    const {at} = this.panes[line.pane];
    const [wide, tall] = [Math.abs(at.x(1) - at.x(0)), Math.abs(at.y(1) - at.y(0))];
    node.replaceChildren();
    points.forEach(([x, y], i) => add(node, "rect", {x: x - wide / 2, y: y - tall / 2, width: wide, height: tall,
      fill: `#${colours[i].toString(16).padStart(6, "0")}`}));
  }

  texts(node, line, points, texts) {
    node.replaceChildren();
    points.forEach(([x, y], i) => {
      const turn = line.turned ? {transform: `rotate(-90 ${x} ${y})`} : {"text-anchor": "middle"};
      add(node, "text", {x, y, "dominant-baseline": "central", ...turn}).textContent = texts[i];
    });
  }

  /** The numbers of a line that is not hidden. @returns {Float32Array} */
  numbers(name) {
    const hidden = this.hidden.has(this.picture.lines[name].group || name);
    return hidden ? NOTHING : this.shown.lines[name] ?? NOTHING;
  }

  /** [x, y] in pixels of each of a line's points. @returns {Points} */
  points(name) {
    const line = this.picture.lines[name], {at} = this.panes[line.pane], up = at[line.axis];
    const numbers = this.numbers(name), count = numbers.length / (line.kind === "cells" ? 3 : 2);
    return Array.from({length: count}, (_, i) => [at.x(numbers[i]), up(numbers[count + i])]);
  }
}

const dashes = (line, width) => line.dash.map(each => each * width).join(" ");
