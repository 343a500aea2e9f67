// The guided tour: predict, then drag. Its steps are plain data that panels share.

import {html} from "./elements.js";
import {counted, percent} from "./words.js";

const RELATIONS = {">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "==": (a, b) => a === b};

export const reached = ({until}, settings) =>
  until.every(([name, relation, value]) => RELATIONS[relation](settings[name], value));

// What a step says at its end, with the numbers of its start and of now.
export function seen({seen: text}, before, numbers) {
  return text.replace(/\{(before\.)?([\w.-]+)(%)?\}/g, (_, old, name, share) => {
    const value = name.split(".").reduce((all, part) => all[part], old ? before : numbers);
    return share ? percent(value) : counted(value);
  });
}

// The tour in `host`. `go` is asked to begin a step, counted from 1; 0 leaves the tour.
export class Tour {
  constructor(host, steps, go) {
    Object.assign(this, {host, steps, go, last: 1});
    this.step = 0;
    this.node = html(host, "div", {"class": "step", "role": "group", "aria-label": "guided tour"});
    this.where = html(this.node, "p", {"class": "where"});
    this.ask = html(this.node, "p", {"aria-live": "polite"});
    this.choices = html(this.node, "div", {"class": "guesses", "role": "group", "aria-label": "your prediction"});
    this.told = html(this.node, "p", {"class": "seen", "aria-live": "polite"});
    const buttons = html(host, "div", {"class": "buttons"});
    this.next = button(buttons, "", () => go(this.step ? (this.step + 1) % (steps.length + 1) : this.last));
    this.back = button(buttons, "Back", () => go(this.step - 1));
    this.leave = button(buttons, "Leave the tour", () => go(0));
    this.show(0);
  }

  // Begin a step, from these numbers.
  show(step, numbers) {
    if (step) this.last = step;
    else if (this.step === this.steps.length) this.last = 1;
    Object.assign(this, {step, before: numbers, guess: ""});
    const {predict, choices} = this.steps[step - 1] ?? {};
    this.node.hidden = !step;
    this.back.hidden = step < 2;
    this.leave.hidden = !step;
    this.where.textContent = `Step ${step} of ${this.steps.length}: predict, then drag`;
    this.ask.textContent = predict ?? "";
    this.told.textContent = "";
    this.choices.replaceChildren();
    for (const words of choices ?? []) {
      const made = button(this.choices, words, () => {
        this.guess = words;
        for (const each of this.choices.children) each.setAttribute("aria-pressed", each === made);
      });
      made.setAttribute("aria-pressed", false);
    }
    this.name(false);
  }

  // Look whether what the step waits for has happened; the control that it points at until then, or nothing.
  follow(settings, numbers) {
    const step = this.steps[this.step - 1], done = step && reached(step, settings);
    if (!step) return "";
    const guess = this.guess ? `You predicted: ${this.guess}. ` : "";
    if (done) this.told.textContent = guess + seen(step, this.before, numbers);
    const told = Boolean(this.told.textContent);
    this.name(told);
    return told ? "" : step.control;
  }

  name(done) {
    const more = this.step < this.steps.length ? "Next step" : "End of the tour";
    const begin = this.last > 1 ? `Go on with the tour (step ${this.last})` : "Guided tour: predict, then drag";
    this.next.textContent = this.step ? (done ? more : "Skip") : begin;
    this.next.classList.toggle("main", !this.step || done);
  }
}

function button(parent, words, pressed) {
  const made = html(parent, "button", {"type": "button"});
  made.textContent = words;
  made.addEventListener("click", pressed);
  return made;
}
