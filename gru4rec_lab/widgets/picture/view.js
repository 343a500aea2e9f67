// The picture of a panel in Jupyter: numbers come from Python and are drawn here.

import {Plot} from "./plot.js";

// A copy, since a float must lie on a multiple of four bytes.
const floats = view => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

function render({model, el}) {
  const tell = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const plot = new Plot(el, {hidden: model.get("hidden"), onHide: names => tell("hidden", names),
    onPick: (line, point) => tell("picked", [line, point])});
  const show = () => {
    const lines = Object.entries(model.get("numbers")).map(([name, bytes]) => [name, floats(bytes)]);
    plot.show(model.get("picture"), {...model.get("words"), lines: Object.fromEntries(lines)});
  };
  const hide = () => plot.hide(model.get("hidden"));
  // One message of Python changes several of them at once: drawn once.
  model.on("change", show);
  model.on("change:hidden", hide);
  show();
  return () => {
    model.off("change", show);
    model.off("change:hidden", hide);
    plot.close();
  };
}

export default {render};
