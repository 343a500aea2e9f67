// What the latency benchmark does inside the page: find controls, press them, watch what follows.
window.g4r = {
  // A panel by the css class of something that only it has.
  panel: mark => document.querySelector(`.${mark}`).closest('.g4r-panel'),
  picture: panel => panel.querySelector('.g4r-picture svg[data-version], img.g4r-picture, .g4r-picture img'),

  // The controls of a panel that are on the screen, but for those that need a new run or a text.
  controls(mark) {
    const inside = '.widget-hslider, .widget-hselect-slider, .widget-dropdown, .widget-checkbox,' +
      '.widget-toggle-buttons, .widget-text';
    return [...g4r.panel(mark).querySelectorAll(inside)].filter(box => box.offsetParent
      && !box.closest('.g4r-next-run, .g4r-probe') && !g4r.name(box).includes('needs a new run') && (!box.matches('.widget-text') || box.querySelector('input[type=number]')));
  },
  // A checkbox has its words beside an empty label, of a character without width; a number box
  // beside a slider has none but its tooltip.
  name: box => ((box.matches('.widget-checkbox') ? null : box.querySelector('.widget-label'))
    ?.textContent.trim() ?? box.textContent.replace(/\u200B/g, '').trim())
    || (box.querySelector('[title]') ?? box).title,
  names: mark => g4r.controls(mark).map(g4r.name),

  // Change a control as a key would: one step up, or back again.
  press(box, up) {
    const handle = box.querySelector('.noUi-handle'), menu = box.querySelector('select');
    const number = box.querySelector('input[type=number]');
    const buttons = box.querySelectorAll('button');
    if (handle) {
      if (box.g4rFlip === undefined) {
        box.g4rFlip = handle.getAttribute('aria-valuenow') === handle.getAttribute('aria-valuemax');
      }
      handle.focus();
      const key = up !== box.g4rFlip ? 'ArrowRight' : 'ArrowLeft';
      handle.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    } else if (menu) {
      menu.selectedIndex = up || menu.length < 3 ? Number(up) : 2;
      menu.dispatchEvent(new Event('change', {bubbles: true}));
    } else if (number) {
      up ? number.stepUp() : number.stepDown();
      number.dispatchEvent(new Event('input', {bubbles: true}));
      number.dispatchEvent(new Event('change', {bubbles: true}));
    } else if (buttons.length) {
      buttons[up ? 1 : 0].click();
    } else {
      box.querySelector('input').click();
    }
  },

  // Milliseconds from the press to the reaction on the screen; null without one in `wait` ms.
  // The reaction is a new picture, or in the lab a new mark, which comes after its picture.
  async time([mark, name, up, marked, wait]) {
    const panel = g4r.panel(mark), box = g4r.controls(mark).find(box => g4r.name(box) === name);
    const target = marked ? panel.querySelector('.g4r-changes') : g4r.picture(panel);
    const start = performance.now();
    const seen = new Promise(done => {
      const watch = new MutationObserver(() => { watch.disconnect(); done(true); });
      watch.observe(target, marked ? {childList: true, subtree: true, characterData: true}
                                   : {attributes: true, attributeFilter: ['src', 'data-version']});
      setTimeout(() => { watch.disconnect(); done(false); }, wait);
    });
    g4r.press(box, up);
    if (!await seen) return null;
    await g4r.picture(panel).decode?.().catch(() => {});
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
  },

  // Watch a picture: when each new one is on the screen, when the mouse moved last, empty frames.
  watch(mark) {
    const image = g4r.picture(g4r.panel(mark));
    const told = {pictures: [], moved: 0, frames: 0, empty: 0, going: true};
    const watch = new MutationObserver(async () => {
      await image.decode?.().catch(() => {});
      await new Promise(requestAnimationFrame);
      told.pictures.push(performance.now());
    });
    watch.observe(image, {attributes: true, attributeFilter: ['src', 'data-version']});
    const move = event => { if (event.buttons) told.moved = event.timeStamp; };
    addEventListener('mousemove', move, true);
    const look = () => {
      told.frames += 1;
      told.empty += image.matches('img') ? !(image.complete && image.naturalWidth) : !image.childElementCount;
      if (told.going) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    g4r.told = told;
    g4r.unwatch = () => { told.going = false; watch.disconnect(); removeEventListener('mousemove', move, true); };
  },
  watched() {
    g4r.unwatch();
    return g4r.told;
  },

  // A run that is going, also while the lab's tab is not on the screen; a finished one starts again.
  async train() {
    const panel = g4r.panel('g4r-start'), state = panel.querySelector('.g4r-state');
    for (let asked = false; !state.textContent.includes('running'); asked = true) {
      if (!asked) panel.querySelector('.g4r-start').click();
      await new Promise(done => setTimeout(done, 50));
    }
  },

  // Milliseconds from a click on Stop until the state label says so.
  async stop() {
    const panel = g4r.panel('g4r-start'), state = panel.querySelector('.g4r-state');
    const start = performance.now();
    panel.querySelector('.g4r-stop').click();
    while (!state.textContent.includes('stopped') && performance.now() - start < 10000) {
      await new Promise(requestAnimationFrame);
    }
    return performance.now() - start;
  },
};
