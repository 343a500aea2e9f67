// What the explorer says about its picture, in the words of the panel.

import {short} from "./scales.js";

const WIDE = 1.5, MANY = 256;

// To 0, 1 or 2 digits; halves to the even number, as Python rounds.
const formats = [0, 1, 2].map(digits =>
  new Intl.NumberFormat("en", {minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven"}));
const rounded = (number, digits) => formats[digits].format(number);
export const percent = (share, digits = 0) => `${rounded(100 * share, digits)}%`;
const whole = number => rounded(number, 0);
export const counted = number => (number >= 100 ? whole(number) : short(number));
const bold = text => `<b>${text}</b>`;

// The numbers of the explorer in words, as HTML.
export function sentences(numbers, at, page) {
  const named = (values, word) => Object.entries(values).filter(([, value]) => !Number.isNaN(value)).map(([name, value]) => `${name.replace("-", "‑")} ${word(value)}`).join(", ");
  const {negatives, effective_theory: theory} = numbers, extra = negatives - page.batch_size + 1;
  const made = at.source === "pasted" ? "" : ` = ${page.batch_size - 1} in the batch + ${whole(extra)} extra`;
  const byTheory = theory !== undefined ? `, ${bold(counted(theory))} by the theory N e<sup>−v/2</sup>`
    : at.source === "gaussian" ? "; N e<sup>−v/2</sup> holds for a spread below 1.5 only" : "";
  const target = at.source === "gaussian" ? `A target scoring ${short(numbers.target)}` : `The target, scoring ${short(numbers.target)},`;
  const among = "median_rank" in numbers
    ? `; the median of the ${page.stored[at.model].columns.length} test targets is at ${whole(numbers.median_rank)}` : "";
  const ups = Object.fromEntries(Object.entries(numbers.pushed_up).filter(([, share]) => share));
  const lines = [
    `${bold(whole(negatives))} negatives${made}, spread ${short(numbers.spread)}. They weigh like ${bold(counted(numbers.effective))} equal ones (effective negatives${byTheory}); the 5 best carry ${bold(percent(numbers.top_5))} of the weight.`,
    `${target} is at rank ${whole(numbers.rank)} (the dots)${among}. σ(r<sub>j</sub> − r<sub>i</sub>) exceeds 0.1 for ${bold(percent(numbers.near, 2))} of the negatives.`,
    `Its gradient −∂L/∂r<sub>i</sub>: ${named(numbers.gradient, pull => bold(short(pull))) || "none shown"}.`,
    `Negatives pushed up (∂L/∂r<sub>j</sub> &lt; 0): ${named(ups, share => percent(share)) || "none"}. Share of the push on the 5 best: ${named(numbers.push_top_5, share => percent(share)) || "none"}.`,
  ];
  if (numbers.by_alpha && at.n_sample) {
    const [uniform, popular] = [0, 1].map(alpha => numbers.by_alpha[alpha]).map(({effective, median_rank}) =>
      `${counted(effective)} effective negatives and ${whole(median_rank)} above the median test target`);
    lines.push(`Extra negatives are drawn with probability ~ clicks<sup>${short(at.sample_alpha)}</sup>. Uniform draws (0) would give ${uniform}; popular ones (1) ${popular}.`);
  }
  return lines.join("<br>");
}

// What to try next, as HTML.
export function hint(numbers, at) {
  const average = `${numbers.near < 0.5 ? "Only" : "As many as"} ${percent(numbers.near, 1)} of the negatives are near the target or above it; BPR and TOP1 average over all, the ‑max losses weigh by softmax.`;
  const narrow = `Here ${whole(numbers.negatives)} negatives weigh almost alike, as in BPR.`;
  const few = at.n_sample < MANY, more = "raise <b>extra negatives</b> and watch the dashed lines fall on the left";
  if (!at.losses.length) return "tick a loss to see how hard it pulls.";
  if (at.source === "pasted") return "append low scores to the row: BPR's pull falls with each, BPR-max's stays.";
  if (at.source === "trained") {
    if (at.epoch === 0) return `raise <b>trained for</b>. ${narrow} As the model learns, its scores spread and BPR's pull fades.`;
    if (at.model === "e-shop-bpr-max" && numbers.effective > numbers.negatives / 2) {
      return `choose the <b>model</b> e-shop BPR. ${narrow} BPR-max learned from the same clicks, and kept its scores together.`;
    }
    return few ? `${more}.` : `change <b>test target</b> or <b>sample_alpha</b>. ${average}`;
  }
  if (numbers.spread < WIDE) return `raise <b>score spread</b> to 4. ${narrow} The ‑max losses need spread to differ.`;
  return few ? `${more}, where the target is ranked well: BPR and TOP1 let go, the ‑max losses do not.`
    : `lower <b>score spread</b> to 0.5 and compare. ${average}`;
}

// The picture in words, for those who do not see it.
export function told({curves, numbers}, at) {
  const ends = ({rank, curves: pulls}, name) => {
    const seen = rank.map((_, i) => i).filter(i => pulls[name][i] > 0), [first, last] = [seen[0], seen.at(-1)];
    const point = i => `${short(pulls[name][i])} at rank ${whole(rank[i])}`;
    return `${name} ${seen.length ? [...new Set([first, last])].map(point).join(", ") : "nowhere above 0"}`;
  };
  const ups = Object.entries(numbers.pushed_up).filter(([, share]) => share).map(([name, share]) => `${name} ${percent(share)}`);
  const of = `${whole(numbers.negatives)} negatives`;
  const right = {
    weights: `softmax weights of ${of}, which weigh like ${short(numbers.effective)} equal ones; the 5 best carry ${percent(numbers.top_5)}.`,
    pushes: `push on each of ${of}; pushed up: ${ups.join(", ") || "none"}.`,
    scores: `histogram of the scores of ${of}, spread ${short(numbers.spread)}, and of the target, ${short(numbers.target)}.`,
  }[at.pane];
  const relative = at.scale === "relative" ? " relative to that on badly ranked targets" : "";
  const pulls = at.losses.map(name => ends(curves, name)).join("; ") || "no loss shown";
  return `Pull on the target${relative} by its rank: ${pulls}. On the right: ${right}`;
}
