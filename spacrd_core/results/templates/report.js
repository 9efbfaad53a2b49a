// Joins each section's stage and controls to its numbers; a section is read once it comes near the window.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PRINTED = 3; // px of a canvas to a CSS px, on paper
const stages = new Map();

// What spots can be coloured by: their values, from 0 to `most`, and what the legend says at its end.
function scales({ probability, spread, ood }) {
  const widest = roundLength(8 * spread.reduce((most, value) => Math.max(most, value ?? 0), 0.001));
  return {
    probability: { name: "probability", values: probability, most: 1, end: "1" },
    spread: { name: "spread", values: spread, most: widest, end: `${Number(widest.toPrecision(1))} or more` },
    ood: { name: "ood", values: ood, most: 2, end: "2 or more; beyond the mark at 1: unlike the training tissue" },
  };
}

function show(section) {
  const plot = readPlot(section.dataset.plot), colours = scales(plot);
  const one = (name) => section.querySelector(name);
  const canvas = one(".stage canvas"), photo = one(".photo"), bar = one(".bar"), tip = one(".tip");
  const slider = one(".threshold"), reset = one(".reset"), opacity = one(".opacity"), by = one(".by");
  const state = { threshold: plot.threshold, chosen: -1 };
  let due = 0;

  const draw = (density) => {
    drawStage(canvas, plot, camera, state, density);
    const across = (100 * camera.left) / plot.width, down = (100 * camera.top) / plot.height;
    if (photo) photo.style.transform = `scale(${camera.zoom}) translate(${-across}%, ${-down}%)`;
    const um = roundLength((plot.width / camera.zoom) * plot.um);
    bar.textContent = um >= 1000 ? `${um / 1000} mm` : `${Number(um.toPrecision(1))} \u00b5m`;
    bar.style.width = `${(100 * camera.zoom * um) / plot.um / plot.width}%`;
    placeTip();
  };
  const redraw = () => { due ||= requestAnimationFrame(() => { due = 0; draw(Math.max(1, devicePixelRatio)); }); };
  const camera = new Camera(canvas, plot, () => {
    canvas.classList.toggle("close", camera.zoom > 1);
    one(".out").disabled = one(".fit").disabled = camera.zoom === 1;
    one(".in").disabled = camera.zoom === CLOSEST;
    redraw();
  });

  const placeTip = () => {
    const x = plot.x[state.chosen], y = plot.y[state.chosen];
    tip.hidden = state.chosen < 0 || !camera.shows(x, y);
    if (tip.hidden) return;
    const text = describe(plot, state.chosen, state);
    if (tip.textContent !== text) tip.textContent = text;
    const across = (100 * (x - camera.left) * camera.zoom) / plot.width, down = (100 * (y - camera.top) * camera.zoom) / plot.height;
    tip.style.left = across < 50 ? `calc(${across}% + 14px)` : "auto";
    tip.style.right = across < 50 ? "auto" : `calc(${100 - across}% + 14px)`;
    tip.style.top = down < 50 ? `${down}%` : "auto";
    tip.style.bottom = down < 50 ? "auto" : `${100 - down}%`;
  };
  const choose = (spot) => {
    if (spot === state.chosen) return;
    state.chosen = spot;
    redraw();
  };
  const hover = (event) => {
    if (!event) return choose(-1);
    const [x, y] = camera.place(event);
    const spot = nearest(plot, (a, b) => Math.hypot(a - x, b - y));
    choose(spot >= 0 && Math.hypot(plot.x[spot] - x, plot.y[spot] - y) < 0.7 * plot.pitch ? spot : -1);
  };
  const step = (arrow) => {
    const [x, y] = camera.middle;
    choose(state.chosen < 0 ? nearest(plot, (a, b) => Math.hypot(a - x, b - y)) : neighbour(plot, state.chosen, arrow));
    if (state.chosen >= 0) camera.reveal(plot.x[state.chosen], plot.y[state.chosen], plot.pitch);
  };
  const zoomBy = (factor) => {
    const seen = state.chosen >= 0 && camera.shows(plot.x[state.chosen], plot.y[state.chosen]);
    camera.zoomTo(camera.zoom * factor, seen ? [plot.x[state.chosen], plot.y[state.chosen]] : camera.middle);
  };

  const setThreshold = (threshold) => {
    state.threshold = threshold;
    const { calls, mm2 } = count(plot, threshold);
    slider.value = threshold;
    reset.disabled = threshold === plot.threshold;
    section.querySelectorAll(".value").forEach((place) => { place.textContent = threshold.toFixed(3); });
    classes.forEach((name, index) => { one(`.${name.toLowerCase()}`).textContent = calls[index]; });
    one(".area").textContent = mm2 === null ? "\u2013" : `${Number(mm2.toPrecision(3))} mm²`;
    setShown();
  };
  const setShown = () => {
    section.querySelectorAll("[data-show]").forEach((box) => { state[box.dataset.show] = box.checked; });
    section.querySelectorAll("[data-key]").forEach((key) => { key.hidden = !state[key.dataset.key]; });
    state.by = colours[by.value];
    state.opacity = Number(opacity.value);
    one(".scale-name").textContent = by.selectedOptions[0].textContent;
    one(".scale-end").textContent = state.by.end;
    const mark = { probability: state.threshold, ood: 0.5, spread: -1 }[by.value];
    one(".scale line").setAttribute("transform", `translate(${160 * mark})`);
    redraw();
  };

  followPointers(canvas, camera, hover);
  const keys = { "+": () => zoomBy(STEP), "=": () => zoomBy(STEP), "-": () => zoomBy(1 / STEP), 0: () => camera.zoomTo(1), Escape: () => choose(-1) };
  canvas.addEventListener("keydown", (event) => {
    const act = ARROWS[event.key] ? () => step(ARROWS[event.key]) : keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  canvas.addEventListener("blur", () => choose(-1));
  one(".in").addEventListener("click", () => zoomBy(STEP));
  one(".out").addEventListener("click", () => zoomBy(1 / STEP));
  one(".fit").addEventListener("click", () => camera.zoomTo(1));
  slider.addEventListener("input", () => setThreshold(Number(slider.value)));
  reset.addEventListener("click", () => setThreshold(plot.threshold));
  [opacity, by, ...section.querySelectorAll("[data-show]")].forEach((control) => control.addEventListener("input", setShown));
  for (const option of [...by.options].slice(1)) if (!colours[option.value].values.some((value) => value > 0)) option.remove();
  new ResizeObserver(redraw).observe(canvas);
  stages.set(section, draw);
  setThreshold(plot.threshold);
}

const sections = [...document.querySelectorAll(".section")];
const ready = (section) => { if (!stages.has(section)) show(section); };
const watcher = new IntersectionObserver((found) => {
  for (const { isIntersecting, target } of found) if (isIntersecting) ready(target);
}, { rootMargin: "600px" });
document.body.classList.add("live");
for (const section of sections) {
  const canvas = section.querySelector("canvas");
  section.style.setProperty("--ratio", canvas.width / canvas.height);
  watcher.observe(section);
}
addEventListener("beforeprint", () => sections.forEach((section) => { ready(section); stages.get(section)(PRINTED); }));
addEventListener("afterprint", () => sections.forEach((section) => stages.get(section)(Math.max(1, devicePixelRatio))));
