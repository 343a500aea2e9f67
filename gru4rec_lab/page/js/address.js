// The state of the page as the text behind # in its address: settings, what is hidden, the tour.

import {TWINS} from "./losses.js";

// The names of the losses that have a twin here.
export const known = page => page.losses.map(({name}) => name).filter(name => name in TWINS);

export function usual(page) {
  const settings = Object.entries(page.controls).map(([name, {value}]) => [name, value]);
  return {settings: {...Object.fromEntries(settings), losses: known(page)}, hide: [], tour: 0};
}

// The state that a text opens; what is wrong in it is named in `faults` and left as usual.
export function fromAddress(text, page) {
  const state = usual(page), faults = [];
  const listed = (name, text, allowed) => {
    const given = text.split(",").filter(Boolean), unknown = given.filter(each => !allowed.includes(each));
    if (unknown.length) faults.push(`${name}: ${unknown.join(", ")} is not on this page; there are ${allowed.join(", ")}`);
    return allowed.filter(each => given.includes(each));
  };
  for (const [name, word] of new URLSearchParams(text)) {
    if (name === "losses") state.settings.losses = listed(name, word, known(page));
    else if (name === "hide") state.hide = listed(name, word, hideable(page));
    else if (name === "tour") state.tour = Math.min(Math.max(Math.trunc(word) || 0, 0), page.tour.length);
    else if (name in page.controls) {
      const {value, fault} = read(page.controls[name], word);
      if (fault) faults.push(`${name}=${word} ${fault}; ${page.controls[name].value} is taken`);
      else state.settings[name] = value;
    } else faults.push(`${name} is no setting; there are ${[...Object.keys(page.controls), "losses", "hide"].join(", ")}`);
  }
  return {...state, faults};
}

// What a control takes a word for: {value}, or {fault} if it does not take it.
export function read({choices, min, max, step}, word) {
  if (choices) {
    const values = choices.map(([, value]) => value), value = values.find(each => String(each) === word);
    return value === undefined ? {fault: `is none of ${values.join(", ")}`} : {value};
  }
  if (min === undefined) return {value: word};
  const value = word.trim() === "" ? NaN : Number(word);
  if (!(value >= min && value <= max)) return {fault: `is no number from ${min} to ${max}`};
  return step === 1 && !Number.isInteger(value) ? {fault: "is no whole number"} : {value};
}

// The shortest text that opens this state: without what is as usual or not used by the source.
export function toAddress({settings, hide, tour}, page) {
  const start = usual(page).settings, {source} = settings, words = {source};
  for (const [name, value] of Object.entries(settings)) {
    const same = String(value) === String(start[name]);
    if (!same && used(name, source, page)) words[name] = typeof value === "number" ? Number(value.toPrecision(12)) : value;
  }
  if (hide.length) words.hide = hide;
  if (tour) words.tour = tour;
  return new URLSearchParams(words).toString().replaceAll("%2C", ",");
}

// Whether a control acts on the scores of this source.
export function used(name, source, {used_by}) {
  return used_by[source].includes(name) || !Object.values(used_by).flat().includes(name);
}

// What a link can hide: controls, the keys of losses that are not shown, and parts of the page.
export const PARTS = ["presets", "tour", "link", "words"];
export const hideable = page => [...Object.keys(page.controls), "losses", ...PARTS];
