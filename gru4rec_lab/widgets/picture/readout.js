// The numbers of a pane's lines at one place, by pointer and by keyboard: left and right move along
// the points (ten with Shift), up and down go to another pane, Escape leaves.

import {add, html, paint, rich} from "./elements.js";
import {short} from "./scales.js";

export class Readout {
  constructor(plot) {
    this.plot = plot;
    this.at = null;
    this.tip = html(plot.area, "div", {class: "g4r-tip", hidden: ""});
    this.told = html(plot.host, "div", {class: "g4r-told", "aria-live": "polite"});
    for (const event of ["pointermove", "pointerdown"]) plot.svg.addEventListener(event, each => this.point(each));
    for (const event of ["pointerleave", "blur"]) plot.svg.addEventListener(event, () => this.leave());
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

  point(event) {
    const box = this.plot.svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const inside = ({edges}) => x >= edges.x[0] && x <= edges.x[1] && y <= edges.y[0] && y >= edges.y[1];
    const pane = Object.keys(this.plot.panes ?? {}).find(name => inside(this.plot.panes[name]));
    this.at = pane ? {pane, x, y} : null;
    this.follow();
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
    const here = pane === this.at?.pane ? nearest(stops, this.at) : -1;
    const next = here < 0 ? ([-1, Infinity].includes(step) ? last : 0) : here + (step ?? 0) * (event.shiftKey ? 10 : 1);
    const [x, y] = stops[Math.max(0, Math.min(last, next))];
    this.at = {pane, x, y};
    this.told.textContent = this.follow();
  }

  /** [x, y] in pixels of each place of a pane at which there is something to read. */
  stops(pane) {
    const cells = this.readable(pane).filter(([, line]) => line.kind === "cells");
    if (cells.length) return this.plot.points(cells[0][0]);
    const x = this.readable(pane).flatMap(([name]) => this.plot.points(name).map(([at]) => at));
    return [...new Set(x.filter(Number.isFinite))].sort((a, b) => a - b).map(at => [at, NaN]);
  }

  readable(pane) {
    return Object.entries(this.plot.picture.lines).filter(([name, line]) => {
      const count = this.plot.numbers(name).length;
      if (line.pane !== pane || !count || line.kind === "texts") return false;
      if (line.kind === "cells") return this.plot.shown.texts?.[name];
      return line.kind === "across" ? count === 2 && line.key : line.width;
    });
  }

  /** Show what is there now, in words too. */
  follow() {
    this.marks?.replaceChildren();
    this.tip.replaceChildren();
    const rows = this.at ? this.rows() : [];
    this.tip.hidden = !rows.length;
    if (!rows.length) return "";
    const {edges: {x: [left, right], y: [foot, top]}, x: axis} = this.plot.panes[this.at.pane];
    const first = rows.reduce((best, row) => (row.far < best.far ? row : best));
    const lead = first.text ?? `${axis.name || "x"} ${short(first.along)}`;
    html(this.tip, "b").textContent = lead;
    add(this.marks, "path", {class: "g4r-here", d: `M${first.x} ${foot}V${top}`});
    for (const row of rows.filter(each => each.text === undefined)) {
      const entry = html(this.tip, "div");
      html(entry, "i", {style: `background:${paint(row.colour)}`});
      rich(entry, row.label);
      html(entry, "span").textContent = ` ${short(row.value)}`;
      if (Number.isFinite(row.y)) add(this.marks, "circle", {cx: row.x, cy: row.y, r: 3, style: `fill:${paint(row.colour)}`});
    }
    const width = this.tip.offsetWidth, beside = first.x + 12 + width > right ? first.x - 12 - width : first.x + 12;
    this.tip.style.left = `${Math.max(left, beside)}px`;
    this.tip.style.top = `${top + 4}px`;
    return [lead, ...rows.filter(row => row.text === undefined).map(row => `${row.label} ${short(row.value)}`)].join("; ");
  }

  /** What each line of the pane says at the point nearest to where we are. */
  rows() {
    return this.readable(this.at.pane).map(([name, line]) => {
      const points = this.plot.points(name), numbers = this.plot.numbers(name);
      const i = nearest(points, line.kind === "cells" ? this.at : {x: this.at.x, y: NaN});
      const [x, y] = points[i], across = line.kind === "across", base = {x, y, far: Math.abs(x - this.at.x)};
      if (line.kind === "cells") return {...base, text: this.plot.shown.texts[name][i]};
      const row = {...base, label: line.label || name, colour: line.colour, along: numbers[i]};
      return across ? {...row, far: Infinity, value: numbers[i]} : {...row, value: numbers[points.length + i]};
    });
  }
}

/** Which of the points lies nearest; without a y, along x alone. */
function nearest(points, {x, y}) {
  const far = points.map(([at, up]) => {
    const high = Number.isFinite(y) && Number.isFinite(up) ? up - y : 0;
    return Number.isFinite(at) ? Math.hypot(at - x, high) : Infinity;
  });
  return far.indexOf(Math.min(...far));
}
