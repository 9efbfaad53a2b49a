// Connects the stage and controls of each section to its data; a section is set up when it comes near the viewport.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const stages = new Map();
let commonThreshold = readThreshold(); // of all sections; null: each section's own

// Returns the threshold in the address: the index of many sections links to their pages with its common threshold.
function readThreshold() {
  const threshold = Number(/^#threshold=(0|1|0?\.\d+)$/.exec(location.hash)?.[1] ?? NaN);
  return Number.isNaN(threshold) ? null : threshold;
}

function setUp(section) {
  const data = readCanvasData(section.dataset.canvas), scales = colourScales(data);
  const find = (selector) => section.querySelector(selector);
  const canvas = find(".stage canvas"), photo = find(".photo"), plain = find(".plain"), here = find(".here"), bar = find(".bar"), tip = find(".tip");
  const slider = find(".threshold"), reset = find(".reset"), opacity = find(".opacity"), colourBy = find(".colour-by");
  const state = { threshold: data.threshold, selected: -1 };
  let frame = 0;

  const draw = () => {
    drawStage(canvas, data, camera, state, Math.max(1, devicePixelRatio));
    const across = (100 * camera.left) / data.width, down = (100 * camera.top) / data.height;
    for (const image of [photo, plain].filter(Boolean)) image.style.transform = `scale(${camera.zoom}) translate(${-across}%, ${-down}%)`;
    const um = roundLength((data.width / camera.zoom) * data.um_per_unit);
    bar.textContent = um >= 1000 ? `${um / 1000} mm` : `${Number(um.toPrecision(1))} \u00b5m`;
    bar.style.width = `${(100 * camera.zoom * um) / data.um_per_unit / data.width}%`;
    placeTip();
  };
  const redraw = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };
  const camera = new Camera(canvas, data, () => {
    canvas.classList.toggle("zoomed", camera.zoom > 1);
    find(".zoom-out").disabled = find(".zoom-fit").disabled = camera.zoom === 1;
    find(".zoom-in").disabled = camera.zoom === MAX_ZOOM;
    redraw();
  });

  const placeTip = () => {
    const x = data.x[state.selected], y = data.y[state.selected];
    tip.hidden = state.selected < 0 || !camera.shows(x, y);
    if (here) here.hidden = tip.hidden;
    if (tip.hidden) return;
    const text = describeSpot(data, state.selected, state);
    if (tip.textContent !== text) tip.textContent = text;
    const across = (100 * (x - camera.left) * camera.zoom) / data.width, down = (100 * (y - camera.top) * camera.zoom) / data.height;
    if (here) Object.assign(here.style, { left: `${across}%`, top: `${down}%` });
    tip.style.left = across < 50 ? `calc(${across}% + 14px)` : "auto";
    tip.style.right = across < 50 ? "auto" : `calc(${100 - across}% + 14px)`;
    tip.style.top = down < 50 ? `${down}%` : "auto";
    tip.style.bottom = down < 50 ? "auto" : `${100 - down}%`;
  };
  const select = (spot) => {
    if (spot === state.selected) return;
    state.selected = spot;
    redraw();
  };
  const selectUnder = (event) => {
    if (!event) return select(-1);
    const [x, y] = camera.toUnits(event);
    const spot = nearestSpot(data, (a, b) => Math.hypot(a - x, b - y));
    select(spot >= 0 && Math.hypot(data.x[spot] - x, data.y[spot] - y) < 0.7 * data.pitch ? spot : -1);
  };
  const selectNext = (arrow) => {
    const [x, y] = camera.centre;
    select(state.selected < 0 ? nearestSpot(data, (a, b) => Math.hypot(a - x, b - y)) : nextSpot(data, state.selected, arrow));
    if (state.selected >= 0) camera.reveal(data.x[state.selected], data.y[state.selected], data.pitch);
  };
  const zoomBy = (factor) => {
    const visible = state.selected >= 0 && camera.shows(data.x[state.selected], data.y[state.selected]);
    camera.zoomTo(camera.zoom * factor, visible ? [data.x[state.selected], data.y[state.selected]] : camera.centre);
  };

  const setThreshold = (threshold) => {
    state.threshold = threshold;
    const { counts, mm2 } = countLabels(data, threshold);
    slider.value = threshold;
    reset.disabled = threshold === data.threshold;
    section.querySelectorAll(".value").forEach((element) => { element.textContent = threshold.toFixed(3); });
    labels.forEach((name, index) => { find(`.${name.toLowerCase()}`).textContent = counts[index]; });
    find(".area").textContent = mm2 === null ? "\u2013" : `${Number(mm2.toPrecision(3))} mm²`;
    applyControls();
  };
  const applyControls = () => {
    section.querySelectorAll("[data-show]").forEach((box) => { state[box.dataset.show] = box.checked; });
    section.querySelectorAll("[data-key]").forEach((key) => { key.hidden = !state[key.dataset.key]; });
    state.colourBy = scales[colourBy.value];
    state.opacity = Number(opacity.value);
    find(".stages").classList.toggle("alone", !(find(".show-beside")?.checked ?? false));
    find(".histogram line")?.setAttribute("transform", `translate(${200 * state.threshold})`);
    showLegend(find, state, colourBy.selectedOptions[0].textContent);
    redraw();
  };

  followPointers(canvas, camera, selectUnder);
  const keys = { "+": () => zoomBy(ZOOM_STEP), "=": () => zoomBy(ZOOM_STEP), "-": () => zoomBy(1 / ZOOM_STEP), 0: () => camera.zoomTo(1), Escape: () => select(-1) };
  canvas.addEventListener("keydown", (event) => {
    const act = ARROWS[event.key] ? () => selectNext(ARROWS[event.key]) : keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  canvas.addEventListener("blur", () => select(-1));
  find(".zoom-in").addEventListener("click", () => zoomBy(ZOOM_STEP));
  find(".zoom-out").addEventListener("click", () => zoomBy(1 / ZOOM_STEP));
  find(".zoom-fit").addEventListener("click", () => camera.zoomTo(1));
  slider.addEventListener("input", () => setThreshold(Number(slider.value)));
  reset.addEventListener("click", () => setThreshold(data.threshold));
  colourBy.addEventListener("input", () => { find("[data-show=uncertain]").checked = colourBy.value !== "call"; }); // calls show them by their colour
  [opacity, colourBy, ...(plain ? [find(".show-beside")] : []), ...section.querySelectorAll("[data-show]")].forEach((control) => control.addEventListener("input", applyControls));
  for (const option of [...colourBy.options].slice(2)) if (!scales[option.value].values.some(Boolean)) option.remove();
  new ResizeObserver(redraw).observe(canvas);
  const print = (on) => (on ? drawOnPaper(canvas, data, camera, state) : removeFromPaper(canvas));
  const setCommon = (threshold) => setThreshold(threshold ?? data.threshold);
  stages.set(section, { print, setCommon });
  setCommon(commonThreshold);
}

const sections = [...document.querySelectorAll(".section")];
const ensureSetUp = (section) => { if (!stages.has(section)) setUp(section); };
const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) ensureSetUp(target);
}, { rootMargin: "600px" });
document.body.classList.add("live");
for (const section of sections) {
  const canvas = section.querySelector("canvas"), plain = section.querySelector(".plain");
  if (plain) plain.src = section.querySelector(".photo").src; // once in the file
  section.style.setProperty("--ratio", canvas.width / canvas.height);
  observer.observe(section);
}
addEventListener("threshold", ({ detail }) => {
  commonThreshold = detail;
  for (const { setCommon } of stages.values()) setCommon(detail);
});
addEventListener("beforeprint", () => sections.forEach((section) => { ensureSetUp(section); stages.get(section).print(true); }));
addEventListener("afterprint", () => sections.forEach((section) => stages.get(section)?.print(false)));
