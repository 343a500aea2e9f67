// The closed forms of gru4rec_lab.losses once more, in float64: what each loss does to the scores.
//
// A row is the scores r_j of N negatives, the highest first; r_i is the target's score,
// s_j = softmax(r)_j over the negatives alone, q_j = sigma(r_j - r_i). A loss that has no twin
// here is not on the page.

const TINY = 2 ** -1022, // the smallest float64 with all its digits
  FAR = 700; // e^-700 is still a float64 with all its digits

export function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// s_j of one row, made of e^(r_j - best) and of their sum.
export function softmax(row) {
  const power = filled(row.length, j => Math.exp(row[j] - row[0])), total = sum(row.length, j => power[j]);
  return {row, power, total, weight: filled(row.length, j => power[j] / total), fits: row[0] - row.at(-1) < FAR};
}

// sigma(x_j) and its slope, which keep their digits, also when they are small.
function sigmoids(count, x) {
  const value = new Float64Array(count), slope = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    const at = x(j), e = Math.exp(-Math.abs(at)), part = 1 / (1 + e);
    value[j] = at >= 0 ? part : e * part;
    slope[j] = e * part * part;
  }
  return {value, slope};
}

// What pulls and pushes are made of.
export function sums(target, soft) {
  const {row, power, total, fits} = soft, count = row.length, own = Math.exp(target - row[0]);
  const miss = sigmoid(row[0] - target + Math.log(total));
  let slope = 0, lose = 0, squared = 0, weighted = 0, lost = 0;
  if (fits && Math.abs(target - row[0]) < FAR) {
    for (let j = 0; j < count; j++) {
      // q_j = e^r_j / (e^r_j + e^r_i): no new exponential for each target.
      const here = power[j], both = 1 / (here + own), q = here * both, flat = q * own * both;
      slope += flat;
      lose += q;
      squared += q * q;
      weighted += here * flat;
      lost += here * q;
    }
  } else {
    const q = sigmoids(count, j => row[j] - target);
    slope = sum(count, j => q.slope[j]);
    lose = sum(count, j => q.value[j]);
    squared = sum(count, j => q.value[j] * q.value[j]);
    weighted = sum(count, j => power[j] * q.slope[j]);
    lost = sum(count, j => power[j] * q.value[j]);
  }
  return {count, slope, lose, squared, weighted: weighted / total, lost: lost / total, miss};
}

// pull: -dL/dr_i from the `sums`; push: dL/dr_j of negative j from them and from what there is of
// each negative: score, weight s_j, q and its slope q (1 - q), sigma(r_j^2) and how flat it is there.
export const TWINS = {
  "top1": {
    pull: all => all.slope / all.count,
    push: (all, of, j) => (of.slope[j] + 2 * of.row[j] * of.flat[j]) / all.count,
  },
  "bpr": {
    pull: all => all.lose / all.count,
    push: (all, of, j) => of.q[j] / all.count,
  },
  "top1-max": {
    pull: all => all.weighted,
    push: (all, of, j) => of.weight[j] * (of.slope[j] + 2 * of.row[j] * of.flat[j] + of.q[j] + of.square[j] - all.term),
  },
  "bpr-max": {
    pull: all => all.squared / Math.max(all.lose, TINY),
    push(all, of, j) {
      const share = of.q[j] / Math.max(all.lose, TINY), weight = of.weight[j];
      // s_j - w_j; where both are almost equal, as s_j (q_j - sum_k s_k q_k) / sum_k s_k p_k.
      const excess = all.lost < 0.5 ? (weight * (of.q[j] - all.lost)) / (1 - all.lost) : weight - share;
      return excess + share * of.q[j];
    },
  },
  "cross-entropy": {
    pull: all => all.miss,
    push: (all, of, j) => of.weight[j] * all.miss,
  },
};

// The sums of a target, and loss name to a function that gives dL/dr_j of negative j. `bpreg` times
// the score regulariser is part of those losses that have `shapes_scores`.
export function pushes(target, soft, losses, bpreg = 0) {
  const {row, weight} = soft, count = row.length, top = row[0];
  const all = sums(target, soft), q = sigmoids(count, j => row[j] - target), square = sigmoids(count, j => row[j] * row[j]);
  const of = {row, weight, q: q.value, slope: q.slope, square: square.value, flat: square.slope};
  all.term = all.lost + sum(count, j => weight[j] * of.square[j]);
  // Less that of the best negative, as r_j^2 - R is a small difference of large numbers.
  const squared = j => (row[j] - top) * (row[j] + top), penalty = bpreg && sum(count, j => weight[j] * squared(j));
  const push = losses.map(({name, shapes_scores}) => {
    const plain = TWINS[name].push, regulariser = j => bpreg * weight[j] * (2 * row[j] + squared(j) - penalty);
    return [name, bpreg && shapes_scores ? j => plain(all, of, j) + regulariser(j) : j => plain(all, of, j)];
  });
  return {all, push: Object.fromEntries(push)};
}

// Loops of our own: those of typed arrays take several times as long.
export function filled(count, value) {
  const made = new Float64Array(count);
  for (let j = 0; j < count; j++) made[j] = value(j);
  return made;
}

export function sum(count, value) {
  let total = 0;
  for (let j = 0; j < count; j++) total += value(j);
  return total;
}
