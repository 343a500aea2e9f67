// The picture of the explorer, and the numbers of its lines, from what was measured.

import {placesOf} from "./numbers.js";

// A function of what was measured and of settings that gives the picture which stands still behind
// them: one object as long as it does not change. `only` leaves out losses that are not shown, with
// their keys. Axes fit pasted scores.
export function pictures(page, losses) {
  const made = new Map();
  return ({numbers, panes}, at, only) => {
    const names = only ? at.losses : losses, own = at.source === "pasted";
    const limits = own && {"count": 10 ** Math.max(1, Math.ceil(Math.log10(numbers.negatives))), "scores": at.pane === "scores" && ends(panes.scores())};
    const key = JSON.stringify([at.scale, at.pane, names, limits]);
    if (!made.has(key)) {
      const picture = page.pictures[at.scale][at.pane];
      const lines = Object.entries(picture.lines).filter(([, {group}]) => !page.losses.some(({name}) => name === group) || names.includes(group));
      made.clear();
      made.set(key, fitted({...picture, lines: Object.fromEntries(lines)}, limits));
    }
    return made.get(key);
  };
}

const ends = ({edges}) => [edges[0], edges.at(-1)];

function fitted(picture, limits) {
  if (!limits) return picture;
  const x = (pane, [low, high]) => ({...pane, x: {...pane.x, limits: [low, high], ticks: pane.x.ticks.filter(([value]) => value <= high)}});
  const {pull, right} = picture.panes, upTo = pane => x(pane, [pane.x.limits[0], limits.count]);
  const score = ([low, high]) => ({...x(right, [low, high]), y: {...right.y, label: "share in a bar"}});
  return {...picture, panes: {pull: upTo(pull), right: limits.scores ? score(limits.scores) : upTo(right)}};
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
