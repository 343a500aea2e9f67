// Where a number lies along an axis, which numbers the axis names, and how a number is written.

/** @typedef {{limits: [number, number], scale: "linear" | "log" | "symlog", label: string,
 *   name: string, ticks: [number, string][], colour: string, around: number,
 *   decades: number}} Axis */

/** @type {Record<string, (axis: Axis) => (value: number) => number>} */
const SHAPES = {
  linear: () => value => value,
  log: () => value => (value > 0 ? Math.log10(value) : NaN),
  // As matplotlib's: linear up to `around`, then logarithmic, with one slope where they meet.
  symlog: ({around, decades}) => value => {
    const size = Math.abs(value) / around, width = decades / 0.9;
    return Math.sign(value) * (size <= 1 ? size * width : width + Math.log10(size));
  },
};

/** A function of a value: 0 at the lower limit, 1 at the upper one, NaN where it has no place.
 * @param {Axis} axis */
export function scale(axis) {
  const shape = SHAPES[axis.scale](axis), [low, high] = axis.limits.map(shape);
  return (/** @type {number} */ value) => (shape(value) - low) / (high - low);
}

/** [value, text] of each tick: those the axis asks for, decades, or round numbers.
 * @param {Axis} axis @returns {[number, string][]} */
export function ticks(axis) {
  if (axis.ticks.length) return axis.ticks;
  const [low, high] = [...axis.limits].sort((a, b) => a - b);
  return axis.scale === "log" ? decades(low, high) : rounds(low, high);
}

/** @returns {[number, string][]} */
function decades(/** @type {number} */ low, /** @type {number} */ high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / 8));
  return range(first, last, every).map(power => [Number(`1e${power}`), `10^{${minus(String(power))}}`]);
}

/** @returns {[number, string][]} */
function rounds(/** @type {number} */ low, /** @type {number} */ high, about = 5) {
  const rough = (high - low) / about, size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5].find(each => each * size >= rough) ?? 10);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return range(Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9), 1)
    .map(each => [each * step, grouped((each * step).toFixed(places))]);
}

/** A number with three digits: 0.00123, 12,345, 1.2e−5.
 * @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return grouped(value.toFixed(0));
  if (size < 1e-4 && size > 0) return minus(value.toExponential(1));
  return minus(String(Number(value.toPrecision(3))));
}

const grouped = (/** @type {string} */ text) =>
  minus(text.replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ","));
const minus = (/** @type {string} */ text) => text.replaceAll("-", "−");
const range = (/** @type {number} */ first, /** @type {number} */ last, /** @type {number} */ step) =>
  Array.from({length: Math.max(0, Math.floor((last - first) / step) + 1)}, (_, i) => first + i * step);
