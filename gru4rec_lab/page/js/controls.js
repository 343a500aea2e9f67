// The controls of the page: labelled, set by pointer, keys or typing.

import {read} from "./address.js";
import {html} from "./elements.js";

// The control of a setting in `parent`. `changed` hears of each value; what it gives shows one.
export function control(parent, name, spec, changed) {
  const make = spec.choices ? choice : spec.min === undefined ? area : slider;
  const node = html(parent, spec.choices ? "fieldset" : "div", {"class": "control", "data-control": name});
  const show = make(node, name, spec, changed);
  const fault = html(node, "p", {"class": "fault", "role": "alert"});
  return {node, show, fault: text => (fault.textContent = text)};
}

function slider(node, name, spec, changed) {
  const {label, tooltip, min, max, step, stops} = spec, id = `g4r-${name}`;
  html(node, "label", {"for": id, "title": tooltip}).textContent = label;
  const number = html(node, "input", {id, "type": "number", min, max, "step": stops ? 1 : step, "title": tooltip});
  const ends = stops ? {"min": 0, "max": stops.length - 1, "step": 1} : {min, max, step};
  const bar = html(node, "input", {"type": "range", "class": id, "aria-label": label, "title": tooltip, ...ends});
  bar.addEventListener("input", () => changed(stops ? stops[bar.value] : Number(bar.value)));
  number.addEventListener("change", () => {
    const {value, fault} = read(spec, number.value);
    number.setAttribute("aria-invalid", Boolean(fault));
    changed(value, fault && `${number.value || "nothing"} ${fault}`);
  });
  return value => {
    // A step adds up to 3.9999999999999996.
    number.value = Number(value.toPrecision(12));
    number.removeAttribute("aria-invalid");
    bar.value = stops ? stops.filter(each => each <= value).length - 1 : value;
    bar.setAttribute("aria-valuetext", number.value);
  };
}

function choice(node, name, {label, choices, tooltip = "", tooltips = []}, changed) {
  html(node, "legend", {"title": tooltip}).textContent = label;
  const row = html(node, "div", {"class": "choices"});
  const inputs = choices.map(([words, value], i) => {
    const line = html(row, "label", {"title": tooltips[i] ?? tooltip});
    const input = html(line, "input", {"type": "radio", name, value});
    html(line, "span").textContent = words;
    input.addEventListener("change", () => changed(value));
    return [input, value];
  });
  return value => inputs.forEach(([input, own]) => (input.checked = own === value));
}

function area(node, name, {label, tooltip, placeholder}, changed) {
  const id = `g4r-${name}`;
  html(node, "label", {"for": id, "title": tooltip}).textContent = label;
  const box = html(node, "textarea", {id, placeholder, "rows": 3, "title": tooltip, "spellcheck": false});
  box.addEventListener("input", () => changed(box.value));
  return value => {
    if (box.value !== value) box.value = value;
  };
}
