// The numbers of a pane's lines at one place, by pointer and by keyboard: left and right move along
// the points (ten with Shift), up and down go to another pane, Escape leaves.

import {add, html, paint, rich} from "./elements.js";
import {short} from "./scales.js";

const CLICKED = 12;

export class Readout {
  constructor(plot) {
    this.plot = plot;
    this.at = null;
    this.tip = html(plot.area, "div", {class: "g4r-tip", hidden: ""});
    this.told = html(plot.host, "div", {class: "g4r-told", "aria-live": "polite"});
    for (const event of ["pointermove", "pointerdown"]) plot.svg.addEventListener(event, each => this.point(each));
    for (const event of ["pointerleave", "blur"]) plot.svg.addEventListener(event, () => this.leave());
    plot.svg.addEventListener("click", event => this.pick(event));
    plot.svg.addEventListener("keydown", event => this.press(event));
  }

  /** After a new layout. */
  attach() {
    this.marks = add(this.plot.svg, "g", {"pointer-events": "none"});
    if (this.at && !this.plot.panes[this.at.pane]) this.at = null;
  }

  leave() {
    this.at = null;
    this.follow();
  }

  /** The pane under the pointer, and where in it; null outside. */
  place(event) {
    const box = this.plot.svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const inside = ({edges}) => x >= edges.x[0] && x <= edges.x[1] && y <= edges.y[0] && y >= edges.y[1];
    const pane = Object.keys(this.plot.panes ?? {}).find(name => inside(this.plot.panes[name]));
    return pane ? {pane, x, y} : null;
  }

  point(event) {
    this.at = this.place(event);
    this.follow();
  }

  /** Tell which line's which point was clicked, if one is near. */
  pick(event) {
    const {pane, x, y} = this.place(event) ?? {};
    if (!pane) return;
    const {at} = this.plot.panes[pane], reach = line => (line.kind === "cells"
      ? Math.hypot(at.x(1) - at.x(0), at.y(1) - at.y(0)) / 2 : CLICKED);
    const far = this.readable(pane).flatMap(([name, line]) => this.plot.points(name)
      .map(([left, up], i) => ({name, i, far: Math.hypot(left - x, up - y) / reach(line)})));
    const best = far.reduce((near, each) => (each.far < near.far ? each : near), {far: 1});
    if (best.name) this.plot.onPick(best.name, best.i);
  }

  press(event) {
    const names = Object.keys(this.plot.panes ?? {}).filter(name => this.stops(name).length);
    const step = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity}[event.key];
    const turn = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (event.key === "Escape") this.leave();
    if (!names.length || (step === undefined && turn === undefined)) return;
    event.preventDefault();
    const now = names.indexOf(this.at?.pane);
    const pane = names[now < 0 ? 0 : (now + (turn ?? 0) + names.length) % names.length];
    const stops = this.stops(pane), last = stops.length - 1;
    const here = pane === this.at?.pane ? nearest(stops, this.at.x, this.at.y) : -1;
    const next = here < 0 ? ([-1, Infinity].includes(step) ? last : 0) : here + (step ?? 0) * (event.shiftKey ? 10 : 1);
    const [x, y] = stops[Math.max(0, Math.min(last, next))];
    this.at = {pane, x, y};
    this.told.textContent = this.follow();
  }

  /** [x, y] in pixels of each place of a pane at which there is something to read. */
  stops(pane) {
    const cells = this.cells(pane);
    if (cells.length) return cells.map(({at}) => at).sort(([a, b], [c, d]) => b - d || a - c);
    const x = this.readable(pane).flatMap(([name]) => this.plot.points(name).map(([at]) => at));
    return [...new Set(x.filter(Number.isFinite))].sort((a, b) => a - b).map(at => [at, NaN]);
  }

  /** Each cell of a pane, of all its lines: where it lies and what it says. */
  cells(pane) {
    return this.readable(pane).filter(([, line]) => line.kind === "cells")
      .flatMap(([name]) => this.plot.points(name).map((at, i) => ({at, text: this.plot.shown.texts[name][i]})));
  }

  readable(pane) {
    return Object.entries(this.plot.picture.lines).filter(([name, line]) => {
      const count = this.plot.numbers(name).length;
      if (line.pane !== pane || !count || line.kind === "texts") return false;
      if (line.group && line.group !== name && !line.label) return false;  // bars of a line, say
      if (line.kind === "cells") return this.plot.shown.texts?.[name];
      return line.kind === "across" ? count === 2 && line.key : line.width;
    });
  }

  /** Show what is to be read now; the same in words. */
  follow() {
    this.marks?.replaceChildren();
    this.tip.replaceChildren();
    const {lead, x, y = NaN, rows} = (this.at && this.read(this.at)) ?? {lead: "", x: NaN, rows: []};
    this.tip.hidden = !lead;
    if (!lead) return "";
    const {at, edges: {x: [left, right], y: [foot, top]}} = this.plot.panes[this.at.pane];
    html(this.tip, "b").textContent = lead;
    const [wide, tall] = [at.x(1) - at.x(0), at.y(1) - at.y(0)], cell = Number.isFinite(y);
    add(this.marks, "path", {class: "g4r-here", d: cell
      ? `M${x - wide / 2} ${y - tall / 2}h${wide}v${tall}h${-wide}z` : `M${x} ${foot}V${top}`});
    for (const {label, colour, value, at: here} of rows) {
      const entry = html(this.tip, "div");
      html(entry, "i", {style: `background:${paint(colour)}`});
      rich(entry, label);
      html(entry, "span").textContent = ` ${short(value)}`;
      if (!Number.isFinite(here[1])) continue;
      add(this.marks, "circle", {cx: here[0], cy: here[1], r: 3, style: `fill:${paint(colour)}`});
    }
    const room = this.tip.offsetWidth + 12;
    this.tip.style.left = `${Math.max(left, x + room > right ? x - room : x + 12)}px`;
    // Below a cell, so that its row stays in sight.
    this.tip.style.top = `${cell ? y + Math.abs(tall) / 2 + 4 : top + 4}px`;
    return [lead, ...rows.map(({label, value}) => `${label} ${short(value)}`)].join("; ");
  }

  /** What each line of a pane says at its point nearest to a place in pixels. */
  read({pane, x, y}) {
    const {shown, panes} = this.plot, lines = this.readable(pane);
    const cells = this.cells(pane), cell = cells[nearest(cells.map(({at}) => at), x, y)];
    if (cell) return {lead: cell.text, x: cell.at[0], y: cell.at[1], rows: []};
    const rows = lines.map(([name, line]) => {
      const points = this.plot.points(name), numbers = this.plot.numbers(name);
      const i = nearest(points, x), upright = line.kind === "across";
      return {label: line.label || name, colour: line.colour, at: points[i], along: numbers[i],
        value: numbers[upright ? i : points.length + i], lead: shown.texts?.[name]?.[i],
        far: upright ? Infinity : Math.abs(points[i][0] - x)};
    });
    if (!rows.length) return null;
    const first = rows.reduce((best, row) => (row.far < best.far ? row : best));
    return {lead: first.lead ?? `${panes[pane].x.name || "x"} ${short(first.along)}`, x: first.at[0], rows};
  }
}

/** Which of the points lies nearest; without a y, along x alone.
 * @param {import("./paths.js").Points} points @param {number} x */
function nearest(points, x, y = NaN) {
  const far = points.map(([at, up]) => {
    const high = Number.isFinite(y) && Number.isFinite(up) ? up - y : 0;
    return Number.isFinite(at) ? Math.hypot(at - x, high) : Infinity;
  });
  return far.indexOf(Math.min(...far));
}
