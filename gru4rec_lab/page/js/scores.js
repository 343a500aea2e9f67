// Where the explorer's scores come from: a Gaussian, a trained model, or pasted numbers.
//
// Scores are {rows, target, places, above, edges}: rows of negatives, the highest first, each for
// the same target; `places` are the ranks at which other targets are tried for the curves, one at
// rank 0 lies `above` the best negative; `edges` are the curves' bins of the rank. Numbers are
// rounded to float32 where the library's are, so that ranks and counts are the same.

import {drawn, normals, uniforms} from "./draws.js";
import {filled, sum} from "./losses.js";
import {deviation, float, median, rank, stretched} from "./numbers.js";

const EDGES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
const PLACES = [0, 1, 2, 5, 10, 20, 50, 100, 300, 1000, 3000, 10000, 30000];
const MAX_ROWS = 60, N_SCORES = 100_000, MOST_NEGATIVES = 40_000;

// What `make` gives for each key is made once.
function kept(make) {
  const made = new Map();
  return (...key) => {
    const name = key.join();
    if (!made.has(name)) {
      if (made.size > 30) made.clear();
      made.set(name, make(...key));
    }
    return made.get(name);
  };
}

const sorted = row => Float32Array.from(row).sort().reverse();

const gaussianRows = kept((count, seed) => {
  const places = PLACES.filter(place => place < count).length;
  const many = Math.max(1, Math.min(MAX_ROWS, Math.floor(N_SCORES / (count * places))));
  const draws = normals(many * count, seed);
  return Array.from({length: many}, (_, row) => sorted(draws.subarray(row * count, (row + 1) * count)));
});

export function gaussian({n_sample, spread, target_score, seed}, inBatch) {
  const wide = float(spread), count = inBatch + n_sample;
  return {
    rows: gaussianRows(count, seed).map(row => stretched(row, score => score * wide)),
    target: float(target_score),
    places: PLACES.filter(place => place < count),
    above: 0.3 * spread,
    edges: EDGES,
  };
}

// One row, the highest first, is cheap: more ranks than of a Gaussian, so that the dot is close to its curve.
function ofOneRow(target, row) {
  const count = row.length;
  const many = Math.max(12, Math.min(40, Math.floor(80_000 / count)));
  const last = float(Math.log10(count)), step = float(last / (many - 1));
  // As torch.logspace: from both ends, in float32.
  const power = i => float(i < many / 2 ? step * i : last - float(step * (many - 1 - i)));
  const places = Array.from({length: many}, (_, i) => Math.trunc(float(10 ** power(i))) - 1);
  const known = [...places.map(place => Math.min(Math.max(place, 0), count - 1)), Math.min(rank(target, row), count - 1)];
  const chosen = [...new Set(known)].sort((a, b) => a - b);
  const edges = [...chosen, count + 1];
  return {rows: [row], target, places: chosen, above: 0.3 * float(deviation([row])), edges};
}

// The scores in a text: the target's first, then the negatives'.
export function pasted({pasted: text}) {
  const words = text.replace(/^[\s,;[\]()]+|[\s,;[\]()]+$/g, "").split(/[\s,;]+/).filter(Boolean);
  const scores = words.map((word, place) => {
    const number = Number(word), name = `score ${place + 1}, '${word.slice(0, 20)}',`;
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word)) {
      throw new Error(`${name} is no number; write 8, 1.5, -2: the target first`);
    }
    if (Math.abs(number) > 1e6) throw new Error(`${name} must lie between -1e6 and 1e6`);
    return number;
  });
  if (scores.length < 2) {
    throw new Error(`at least 2 numbers are needed, the target's score and a negative's, got ${scores.length}`);
  }
  if (scores.length > MOST_NEGATIVES + 1) {
    throw new Error(`at most ${MOST_NEGATIVES.toLocaleString("en")} negatives fit, got ${(scores.length - 1).toLocaleString("en")}`);
  }
  return ofOneRow(float(scores[0]), sorted(scores.slice(1)));
}

// Of a model as it learns, on some test targets: `scores` of one of them with its negatives, and
// numbers of other draws. `stored` has the scores of every item at the place of each target.
export function trained(stored) {
  const {epochs, columns, support, seed, most_extra} = stored, n_items = support.length;
  const bytes = Uint8Array.from(atob(stored.scores), letter => letter.charCodeAt(0));
  const catalogues = kept(epoch => columns.map((_, target) => {
    const first = (epochs.indexOf(epoch) * columns.length + target) * n_items;
    return stretched(support, (_, item) => half(bytes[2 * (first + item)] + 256 * bytes[2 * (first + item) + 1]));
  }));
  const points = kept(() => uniforms(most_extra, seed));
  // How often each item is among the extra negatives.
  const times = kept((n_sample, alpha) => {
    const weight = filled(n_items, item => (support[item] > 0 ? support[item] ** alpha : 0)), found = new Float64Array(n_items);
    for (const item of drawn(points().subarray(0, n_sample), weight)) found[item]++;
    return found;
  });
  // The scores of one target, those of all items with how often each is a negative, the best first.
  const ordered = kept((epoch, number) => {
    const catalogue = catalogues(epoch)[number - 1];
    return Array.from(support.keys()).sort((a, b) => catalogue[b] - catalogue[a]);
  });
  const one = ({epoch, number, n_sample}, alpha) => {
    const [own, ...others] = columns[number - 1], many = times(n_sample, alpha).slice(), catalogue = catalogues(epoch)[number - 1];
    for (const item of others) many[item]++;
    return {target: catalogue[own], catalogue, many, order: ordered(epoch, number), count: n_sample + others.length};
  };
  // The median over all test targets of how many negatives score above them.
  const medianRank = kept((epoch, n_sample, alpha) => {
    const many = times(n_sample, alpha);
    return median(catalogues(epoch).map((catalogue, i) => {
      const target = catalogue[columns[i][0]];
      return sum(n_items, item => catalogue[item] > target && many[item]) + columns[i].filter(item => catalogue[item] > target).length;
    }));
  });
  return {
    scores(at) {
      const {target, catalogue, many, order, count} = one(at, at.sample_alpha), row = new Float32Array(count);
      let end = 0;
      for (const item of order) row.fill(catalogue[item], end, (end += many[item]));
      return ofOneRow(target, row);
    },
    // exp of the entropy of the softmax weights, as `effective` has it.
    effective(at, alpha) {
      const {catalogue, many, order} = one(at, alpha), top = catalogue[order.find(item => many[item])];
      const above = item => (catalogue[item] - top) / at.temperature, power = item => many[item] && many[item] * Math.exp(above(item));
      const total = sum(n_items, power);
      return total * Math.exp(-sum(n_items, item => power(item) * above(item)) / total);
    },
    medianRank: ({epoch, n_sample}, alpha) => medianRank(epoch, n_sample, alpha),
  };
}

// A float16 of these bits.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, digits = bits & 1023;
  return sign * (power ? (1 + digits / 1024) * 2 ** (power - 15) : digits * 2 ** -24);
}
