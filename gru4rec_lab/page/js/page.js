// The page: one state, from which everything else on it follows.

import {PARTS, fromAddress, hideable, known, toAddress, used, usual} from "./address.js";
import {control} from "./controls.js";
import {html} from "./elements.js";
import {measuring} from "./measuring.js";
import {Plot} from "./plot.js";
import {linesOf, pictures} from "./shown.js";
import {Tour} from "./tour.js";
import {hint, sentences, told} from "./words.js";

const at = id => document.getElementById(id);
const page = JSON.parse(at("page-data").textContent);
const measured = measuring(page), losses = known(page), pictureOf = pictures(page, losses);
const MAIN = ["source", "pasted", "n_sample", "spread", "target_score", "sample_alpha", "model", "epoch", "number"];
let state = usual(page), found = null, others = [], waiting = 0;

const plot = new Plot(at("picture"), {onHide: names => {
  others = names.filter(name => !losses.includes(name));
  set({losses: losses.filter(name => !names.includes(name))});
}});

const controls = Object.fromEntries(Object.entries(page.controls).map(([name, spec]) => {
  const host = at(MAIN.includes(name) ? "main" : "more");
  return [name, control(host, name, spec, (value, fault) => (fault ? controls[name].fault(fault) : set({[name]: value})))];
}));
MAIN.forEach(name => at("main").append(controls[name].node));

for (const name of ["", ...Object.keys(page.presets)]) html(at("preset"), "option", {"value": name}).textContent = name || "own settings";
at("preset").addEventListener("change", () => set(page.presets[at("preset").value] ?? {}));
at("reset").addEventListener("click", () => set(usual(page).settings));

for (const {name, source, equation, picture} of page.losses.filter(each => losses.includes(each.name))) {
  const row = html(at("equations"), "tr");
  html(row, "th", {"scope": "row"}).textContent = `${name} ${source}`;
  html(html(row, "td"), "img", {"src": picture, "alt": equation, "title": equation});
}

const tour = new Tour(at("tour"), page.tour, step => open({...state, tour: step}));

for (const name of hideable(page)) {
  const line = html(at("hide"), "label"), box = html(line, "input", {"type": "checkbox", "value": name});
  line.append(page.controls[name]?.label ?? name);
  box.addEventListener("change", () => change({...state, hide: hideable(page).filter(each => (each === name ? box.checked : state.hide.includes(each)))}));
}

// Take these settings, as a press of a control does.
function set(settings) {
  change({...state, settings: {...state.settings, ...settings}});
}

// Take a whole state, as a link does; a step of the tour has its own settings.
function open({settings, hide, tour: step}) {
  const start = step ? {...usual(page).settings, ...page.tour[step - 1].start} : settings;
  change({settings: start, hide, tour: step});
  tour.show(step, tourNumbers());
  follow();
}

// Compute, draw and say what follows from this state.
function change(next) {
  state = next;
  let fault = "";
  try {
    found = measured(state.settings);
  } catch (error) {
    fault = error.message;
  }
  document.body.classList.toggle("stale", Boolean(fault));
  if (!fault) draw(state.settings);
  show(state);
  controls.pasted.fault(fault);
  remember();
}

function draw(settings) {
  const hidden = [...others, ...losses.filter(name => !settings.losses.includes(name))];
  if (hidden.join() !== [...plot.hidden].join()) plot.hide(hidden);
  plot.show(pictureOf(found, settings, state.hide.includes("losses")), {lines: linesOf(found, settings), about: told(found, settings)});
  at("said").innerHTML = sentences(found.numbers, settings, page);
  at("hint").innerHTML = `<b>Try:</b> ${hint(found.numbers, settings)}`;
}

// The controls as the state is.
function show({settings, hide, tour: step}) {
  for (const [name, each] of Object.entries(controls)) {
    each.show(settings[name]);
    each.fault("");
    each.node.hidden = hide.includes(name) || !used(name, settings.source, page);
  }
  const chosen = preset => Object.entries(preset).every(([name, value]) => settings[name] === value);
  at("preset").value = Object.keys(page.presets).find(name => chosen(page.presets[name])) ?? "";
  at("hint").hidden = step > 0;
  for (const part of PARTS) at(part).hidden = hide.includes(part);
  for (const box of at("hide").querySelectorAll("input")) box.checked = hide.includes(box.value);
  follow();
}

// What the steps of the tour say: numbers, and the pull on a target of the best rank drawn.
const tourNumbers = () => ({...found.numbers, top_pull: found.top_pull});

function follow() {
  const wanted = tour.follow(state.settings, tourNumbers());
  for (const [name, {node}] of Object.entries(controls)) node.classList.toggle("pointed", name === wanted);
}

// Browsers count how often an address is set: once a drag has come to rest.
function remember() {
  const text = toAddress(state, page);
  at("address").value = text;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    try {
      history.replaceState(null, "", `#${text}`);
    } catch {
      location.replace(`#${text}`);
    }
  }, 200);
}

function load(text) {
  const {faults, ...opened} = fromAddress(text, page);
  at("faults").replaceChildren(...faults.map(fault => Object.assign(document.createElement("li"), {textContent: fault})));
  at("faults").hidden = !faults.length;
  open(opened);
}

addEventListener("hashchange", () => location.hash.slice(1) !== toAddress(state, page) && load(location.hash.slice(1)));
at("address").addEventListener("change", () => load(at("address").value.replace(/^.*#/, "")));
at("copy").addEventListener("click", async () => {
  const link = `${location.href.replace(/#.*/, "")}#${toAddress(state, page)}`;
  try {
    await navigator.clipboard.writeText(link);
    at("copied").textContent = "copied";
  } catch {
    at("address").value = link;
    at("address").select();
    at("copied").textContent = "press Ctrl-C to copy it";
  }
});
load(location.hash.slice(1));

// For those who drive the page from the console.
globalThis.lossExplorer = {set, get state() { return state; }, get numbers() { return found.numbers; }};
