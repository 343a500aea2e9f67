// Everything that the explorer draws and says of some scores, as the library computes it.

import {TWINS, filled, pushes, softmax, sum, sums} from "./losses.js";

const NEAR = 0.1, THEORY_HOLDS = 1.5, SCORES = [-20, 30], N_BINS = 100;
export const float = Math.fround;

// {numbers, curves, dots, panes} of `scores`; `losses` are those shown. Numbers have the names that
// LossExplorer.numbers gives them; each of the panes is computed when it is asked for.
export function measure(scores, settings, losses) {
  const {rows, target, ...at} = dividedBy(scores, settings.temperature);
  const soft = rows.map(softmax), names = losses.map(({name}) => name), count = rows[0].length;
  const own = soft.map(each => pushes(target, each, losses, settings.bpreg));
  const near = float(target + float(Math.log(NEAR / (1 - NEAR))));
  const gradient = byName(names, name => median(own.map(({all}) => TWINS[name].pull(all))));
  const pushed = byName(names, name => own.map(({push}) => shares(push[name], count)));
  const numbers = {
    negatives: count,
    spread: deviation(rows),
    effective: effective(soft),
    top_5: median(soft.map(({weight}) => sum(Math.min(5, count), j => weight[j]))),
    near: sum(rows.length, i => rank(near, rows[i])) / (count * rows.length),
    target,
    rank: median(rows.map(row => rank(target, row))),
    gradient,
    pushed_up: byName(names, name => sum(rows.length, i => pushed[name][i].up) / rows.length),
    push_top_5: byName(names, name => median(pushed[name].map(({top}) => top))),
  };
  const spread = settings.spread / settings.temperature;
  if (settings.source === "gaussian" && spread < THEORY_HOLDS) {
    numbers.effective_theory = count * Math.exp(-(spread ** 2) / 2);
  }
  let curves = byRank(at, soft, names), dots = gradient;
  if (settings.scale === "relative") {
    dots = byName(names, name => gradient[name] / (curves.badly[name] || 1));
    curves = {...curves, curves: byName(names, name => curves.curves[name].map(pull => pull / curves.badly[name]))};
  }
  const panes = {
    weights: () => weightsOf(soft),
    pushes: () => pushesByPlace(own, count, names),
    scores: () => histogramOf(target, soft, settings.source === "pasted" ? around(target, rows[0]) : SCORES),
  };
  return {numbers, curves, dots, panes, top_pull: byName(names, name => curves.curves[name][0])};
}

// What a loss with this temperature sees: targets at chosen ranks of the rows among it.
function dividedBy({rows, target, places, above, edges}, temperature) {
  const by = score => float(score / temperature);
  // Midway between two negatives; at rank 0 above the best.
  const between = (row, place) => (place ? float((row[place - 1] + row[place]) / 2) : float(row[0] + float(above)));
  const targets = rows.map(row => places.map(place => by(between(row, place))));
  return {rows: temperature === 1 ? rows : rows.map(row => stretched(row, by)), target: by(target), targets, edges};
}

// Median pull of the targets whose rank is in a bin, and of those with a quarter of the negatives
// above them.
function byRank({targets, edges}, soft, names) {
  const tried = soft.flatMap((each, i) => targets[i].map(target => ({rank: rank(target, each.row), all: sums(target, each)})));
  const bins = edges.slice(1).map((end, k) => tried.filter(each => each.rank >= edges[k] && each.rank < end)).filter(bin => bin.length);
  const pull = (name, bin) => median(bin.map(({all}) => TWINS[name].pull(all)));
  const badly = tried.filter(each => each.rank >= soft[0].row.length / 4);
  return {
    rank: bins.map(bin => median(bin.map(each => each.rank))),
    curves: byName(names, name => bins.map(bin => pull(name, bin))),
    badly: byName(names, name => pull(name, badly)),
  };
}

// Mean softmax weight by place, and the sum so far.
function weightsOf(soft) {
  const weight = filled(soft[0].row.length, j => sum(soft.length, i => soft[i].weight[j]) / soft.length);
  let mass = 0;
  return {weight, cumulated: filled(weight.length, j => (mass += weight[j]))};
}

// Median push on the negatives at some places.
function pushesByPlace(own, count, names) {
  const place = placesOf(count, 150, 20);
  return {place, curves: byName(names, name => place.map(at => median(own.map(({push}) => push[name](at - 1)))))};
}

// The share of negatives that are pushed up, and that of the whole push on the best five.
function shares(push, count) {
  let up = 0, size = 0, best = 0;
  for (let j = 0; j < count; j++) {
    const pushed = push(j);
    size += Math.abs(pushed);
    if (j < 5) best = size;
    if (pushed < 0) up++;
  }
  return {up: up / count, top: best / size};
}

// Some `many` places, evenly along a logarithmic axis, and all of the first `first`.
export function placesOf(count, many, first = 0) {
  // The least bit more: a power that is whole on paper must not fall below.
  const spread = Array.from({length: many}, (_, i) => Math.trunc(count ** (i / (many - 1)) * (1 + 1e-14)));
  const best = Array.from({length: Math.min(first, count)}, (_, at) => at + 1);
  return [...new Set([...best, ...spread])].sort((a, b) => a - b);
}

// Shares of the negatives, of their softmax weight and of the target by score; what lies beyond the
// ends is in the bins there.
function histogramOf(target, soft, [low, high]) {
  const bin = score => Math.trunc(Math.min(Math.max(float(float(score - low) * (N_BINS / (high - low))), 0), N_BINS - 1));
  const [negatives, weight, targets] = Array.from({length: 3}, () => new Float64Array(N_BINS));
  for (const each of soft) {
    const count = each.row.length;
    for (let j = 0; j < count; j++) {
      const at = bin(each.row[j]);
      negatives[at] += 1 / (count * soft.length);
      weight[at] += each.weight[j] / soft.length;
    }
  }
  targets[bin(target)] = 1;
  return {edges: filled(N_BINS + 1, i => low + (i * (high - low)) / N_BINS), negatives, weight, targets};
}

// Limits that hold a target and a row, whole numbers at least 10 apart.
function around(target, row) {
  const low = Math.floor(Math.min(target, row.at(-1))), high = Math.ceil(Math.max(target, row[0]));
  const more = Math.max(1, Math.ceil((10 - high + low) / 2));
  return [low - more, high + more];
}

// exp of the entropy of the softmax weights, median over rows: how many negatives count.
export function effective(soft) {
  const meanLog = ({row, weight}) => sum(row.length, j => weight[j] && weight[j] * (row[j] - row[0]));
  return median(soft.map(each => each.total * Math.exp(-meanLog(each))));
}

// How many scores of a row, the highest first, lie above the target.
export function rank(target, row) {
  let low = 0, high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle] > target) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The standard deviation of all scores.
export function deviation(rows) {
  let squares = 0;
  const count = rows.length * rows[0].length, mean = sum(rows.length, i => sum(rows[i].length, j => rows[i][j])) / count;
  for (const row of rows) {
    for (let j = 0; j < row.length; j++) squares += (row[j] - mean) * (row[j] - mean);
  }
  return Math.sqrt(squares / count);
}

// NaN where there is none.
export function median(values) {
  const sorted = filled(values.length, i => values[i]).sort(), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// `value` of each score of a row, rounded to float32.
export function stretched(row, value) {
  const made = new Float32Array(row.length);
  for (let j = 0; j < row.length; j++) made[j] = value(row[j], j);
  return made;
}

const byName = (names, value) => Object.fromEntries(names.map(name => [name, value(name)]));
