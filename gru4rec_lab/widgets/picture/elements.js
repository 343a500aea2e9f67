// SVG and HTML elements, and texts in which r_i and 10^{-2} have their indices and powers set small.

/** A new SVG element at the end of `parent`. @returns {SVGElement} */
export function add(parent, tag, attributes = {}) {
  return put(parent, document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
}

/** A new HTML element at the end of `parent`. @returns {HTMLElement} */
export function html(parent, tag, attributes = {}) {
  return put(parent, document.createElement(tag), attributes);
}

function put(parent, node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return parent.appendChild(node);
}

/** [text, "" | "_" | "^"] of each part of a text: r_i gives r and a small i, n_sample stays whole.
 * @param {string} text @returns {[string, string][]} */
export function parts(text) {
  return text.split(/([_^](?:\{[^}]*\}|\w(?!\w)))/)
    .map((part, i) => (i % 2 ? [part.slice(1).replace(/[{}]/g, ""), part[0]] : [part, ""]));
}

/** An SVG text. */
export function write(parent, text, attributes) {
  const node = add(parent, "text", attributes);
  let shift = 0;
  for (const [part, how] of parts(text)) {
    const to = {_: 3, "^": -5}[how] ?? 0;
    add(node, "tspan", {dy: to - shift, "font-size": how ? "0.75em" : "1em"}).textContent = part;
    shift = to;
  }
  return node;
}

/** A text at the end of an HTML element. */
export function rich(parent, text) {
  for (const [part, how] of parts(text)) {
    html(parent, {_: "sub", "^": "sup"}[how] ?? "span").textContent = part;
  }
}

/** A colour of a picture as CSS has it. @param {string} colour */
export const paint = colour => (colour[0] === "#" ? `color-mix(in srgb, ${colour}, var(--g4r-ink) var(--g4r-lift))` : `var(--g4r-${colour})`);
