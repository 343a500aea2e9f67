// The picture of the explorer, and the numbers of its lines, from what was measured.

import {placesOf} from "./numbers.js";

// A function of settings that gives the picture that stands still behind them: one object as long as
// it does not change. `only` has the lines of losses that are not shown left out, with their keys.
export function pictures(page, losses) {
  const made = new Map();
  return (at, only) => {
    const names = only ? at.losses : losses, key = [at.scale, at.pane, names].join();
    if (!made.has(key)) {
      const picture = page.pictures[at.scale][at.pane];
      const lines = Object.entries(picture.lines).filter(([, {group}]) => !page.losses.some(({name}) => name === group) || names.includes(group));
      made.set(key, {...picture, lines: Object.fromEntries(lines)});
    }
    return made.get(key);
  };
}

// Line name to [x..., y...].
export function linesOf({curves, dots, numbers, panes}, at) {
  const lines = {};
  for (const name of at.losses) {
    lines[`pull ${name}`] = joinedRows(curves.rank, curves.curves[name]);
    lines[`dot ${name}`] = joinedRows([numbers.rank], [dots[name]]);
  }
  return Object.assign(lines, RIGHT[at.pane](panes[at.pane](), numbers));
}

const RIGHT = {
  weights({weight, cumulated}, {effective, effective_theory: theory}) {
    // A few hundred points along a logarithmic axis look the same as 32,768.
    const place = placesOf(weight.length, 300), at = values => place.map(each => values[each - 1]);
    return {
      "weight": joinedRows(place, at(weight)),
      "mass": joinedRows(place, at(cumulated)),
      "effective": joinedRows([effective], [0]),
      "by theory": theory === undefined ? [] : joinedRows([theory], [0]),
    };
  },
  pushes: ({place, curves}) =>
    Object.fromEntries(Object.entries(curves).map(([name, push]) => [`push ${name}`, joinedRows(place, push)])),
  scores({edges, negatives, weight}, {target}) {
    const middle = [...negatives].map((_, i) => (edges[i] + edges[i + 1]) / 2);
    return {
      "negatives": joinedRows(middle, negatives),
      "their softmax weight": joinedRows(middle, weight),
      "target": joinedRows([Math.min(Math.max(target, edges[0]), edges.at(-1))], [0]),
    };
  },
};

const joinedRows = (x, y) => Float32Array.from([...x, ...y]);
