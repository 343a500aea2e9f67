// Where panes lie in a picture, and the numbers of a line as the outline of an SVG path.

/** @typedef {[number, number, number, number]} Box  left, top, right, bottom */
/** @typedef {[number, number][]} Points  [x, y] in pixels; a NaN parts a line */

const LEAST = 230, STACKED = 0.8;

/** The height of the picture and the box of each pane, in pixels; stacked where it is narrow.
 * @param {{height: number, narrow: number, panes: Record<string, {box: Box}>}} picture
 * @param {number} width
 * @returns {{height: number, boxes: Record<string, Box>}} */
export function arranged({height, narrow, panes}, width) {
  /** @type {Record<string, Box>} */
  const boxes = {};
  let foot = 0;
  for (const [name, {box: [left, top, right, bottom]}] of Object.entries(panes)) {
    if (width < narrow) {
      const tall = Math.max(LEAST, STACKED * (bottom - top) * height);
      boxes[name] = [0, foot, width, foot += tall];
    } else boxes[name] = [left * width, top * height, right * width, bottom * height];
  }
  return {height: width < narrow ? foot : height, boxes};
}

const finite = (/** @type {[number, number]} */ [x, y]) => Number.isFinite(x) && Number.isFinite(y);

/** Points joined. @param {Points} points */
export function joined(points) {
  let path = "", pen = "M";
  for (const point of points) {
    if (finite(point)) path += `${pen}${point[0]} ${point[1]}`;
    pen = finite(point) ? "L" : "M";
  }
  return path;
}

/** The points that have no neighbour to be joined with. @param {Points} points */
export const alone = points => points.filter((point, i) =>
  finite(point) && ![points[i - 1], points[i + 1]].some(each => each && finite(each)));

/** Bins around the points, all of one width, open or closed at the foot.
 * @param {Points} points @param {number} foot @param {boolean} closed */
export function bins(points, foot, closed) {
  if (points.length < 2) return "";
  const half = (points[1][0] - points[0][0]) / 2;
  const height = (/** @type {number} */ y) => (Number.isFinite(y) ? Math.min(y, foot) : foot);
  const bars = points.map(([x, y]) =>
    closed ? `M${tenth(x - half)} ${foot}V${height(y)}H${tenth(x + half)}V${foot}z`
      : `V${height(y)}H${tenth(x + half)}`).join("");
  return closed ? bars : `M${tenth(points[0][0] - half)} ${foot}${bars}V${foot}`;
}

/** A line from the foot to the top at each x. @param {Points} points
 * @param {number} foot @param {number} top */
export const upright = (points, foot, top) =>
  points.filter(([x]) => Number.isFinite(x)).map(([x]) => `M${x} ${foot}V${top}`).join("");

/** A mark of this radius at each point.
 * @param {Points} points @param {number} r @param {string} mark */
export function marked(points, r, mark) {
  const [s, d] = [0.9 * r, 1.3 * r];
  /** @type {Record<string, (x: number, y: number) => string>} */
  const shapes = {
    circle: (x, y) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    square: (x, y) => `M${x - s} ${y - s}h${2 * s}v${2 * s}h${-2 * s}z`,
    diamond: (x, y) => `M${x - d} ${y}l${d} ${d}l${d} ${-d}l${-d} ${-d}z`,
  };
  return points.filter(finite).map(([x, y]) => shapes[mark](x, y)).join("");
}

/** Rounded to a tenth of a pixel. @param {number} pixels */
export const tenth = pixels => Math.round(pixels * 10) / 10;
