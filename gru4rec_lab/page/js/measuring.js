// All that the explorer shows, from its settings alone.

import {known} from "./address.js";
import {measure} from "./numbers.js";
import {gaussian, pasted, trained} from "./scores.js";

// A function of settings that gives what `measure` does, with the numbers of other draws.
export function measuring(page) {
  const models = Object.fromEntries(Object.entries(page.stored).map(([name, stored]) => [name, trained(stored)]));
  const names = known(page), inBatch = page.batch_size - 1;
  const sources = {gaussian: at => gaussian(at, inBatch), trained: at => models[at.model].scores(at), pasted};
  return at => {
    const shown = page.losses.filter(({name}) => names.includes(name) && at.losses.includes(name));
    const found = measure(sources[at.source](at), at, shown);
    if (at.source === "trained") {
      const model = models[at.model];
      const other = alpha => ({effective: model.effective(at, alpha), median_rank: model.medianRank(at, alpha)});
      found.numbers.median_rank = model.medianRank(at, at.sample_alpha);
      found.numbers.by_alpha = {0: other(0), 1: other(1)};
    }
    return found;
  };
}
