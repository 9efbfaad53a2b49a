// Follows the threshold, the pointer and the arrow keys.

function nearest(plot, distance) {
  let best = -1, least = Infinity;
  for (let spot = 0; spot < plot.x.length; spot++) {
    const value = distance(plot.x[spot], plot.y[spot]);
    if (value < least) [best, least] = [spot, value];
  }
  return best;
}

// The next spot in the direction of an arrow key: near, and not far off to the side.
function neighbour(plot, from, [across, down]) {
  const next = nearest(plot, (x, y) => {
    const dx = x - plot.x[from], dy = y - plot.y[from];
    const ahead = dx * across + dy * down, aside = Math.abs(dx * down - dy * across);
    return ahead > 0.2 * plot.pitch && aside <= ahead * 1.8 ? ahead + 2 * aside : Infinity;
  });
  return next < 0 ? from : next;
}

const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;

function describe(plot, spot, threshold) {
  const lines = [plot.id[spot], `probability ${plot.probability[spot].toFixed(3)}`, `called ${classes[callAt(plot, spot, threshold)].toLowerCase()}`];
  if (plot.top[spot] >= 0) lines.push(`top contribution: ${tops[plot.top[spot]]}, ${signed(plot.push[spot])} log odds`);
  if (plot.spread[spot] !== null) lines.push(`spread ${plot.spread[spot].toFixed(3)}`);
  if (plot.ood[spot] !== null) lines.push(`out of distribution ${plot.ood[spot]}`);
  return lines.join("\n");
}

function count(plot, threshold) {
  const result = { calls: classes.map(() => 0), area: 0 };
  plot.probability.forEach((probability, spot) => {
    result.calls[callAt(plot, spot, threshold)] += 1;
    if (plot.level[spot] !== null && plot.level[spot] >= threshold) result.area += plot.mm2[spot];
  });
  return result;
}

function show(section) {
  const plot = read(section.dataset.plot);
  const one = (name) => section.querySelector(name);
  const canvas = one(".stage canvas"), tip = one(".tip"), slider = one(".threshold"), opacity = one(".opacity"), reset = one(".reset");
  const ctx = canvas.getContext("2d");
  const width = canvas.width / 2, height = canvas.height / 2;
  const state = { threshold: plot.threshold, opacity: Number(opacity.value), spot: -1 };

  const draw = () => {
    ctx.setTransform(2, 0, 0, 2, 0, 0);
    ctx.clearRect(0, 0, width, height);
    drawSpots(ctx, plot, state);
    drawRegions(ctx, plot, state);
    drawScaleBar(ctx, plot, width, height);
    if (state.spot < 0) return;
    outline(ctx, plot.spot, plot.x[state.spot], plot.y[state.spot], plot.spot.width + 6);
    stroke(ctx, "#fff", 6);
    stroke(ctx, "#000", 3);
  };
  const redraw = () => requestAnimationFrame(draw);

  const choose = (spot) => {
    if (spot === state.spot) return;
    state.spot = spot;
    tip.hidden = spot < 0;
    if (spot >= 0) {
      const x = plot.x[spot] / width, y = plot.y[spot] / height;
      tip.textContent = describe(plot, spot, state.threshold);
      tip.style.left = x < 0.5 ? `calc(${100 * x}% + 14px)` : "auto";
      tip.style.right = x < 0.5 ? "auto" : `calc(${100 - 100 * x}% + 14px)`;
      tip.style.top = y < 0.5 ? `${100 * y}%` : "auto";
      tip.style.bottom = y < 0.5 ? "auto" : `${100 - 100 * y}%`;
    }
    redraw();
  };

  const setThreshold = (threshold) => {
    state.threshold = threshold;
    const counts = count(plot, threshold);
    slider.value = threshold;
    reset.disabled = threshold === plot.threshold;
    section.querySelectorAll(".value").forEach((place) => { place.textContent = threshold.toFixed(3); });
    classes.forEach((name, index) => { one(`.${name.toLowerCase()}`).textContent = counts.calls[index]; });
    one(".area").textContent = `${Number(counts.area.toPrecision(3))} mm²`;
    drawLegend(one(".legend"), threshold);
    redraw();
  };

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * width, y = (event.clientY - box.top) / box.height * height;
    const spot = nearest(plot, (a, b) => Math.hypot(a - x, b - y));
    choose(spot >= 0 && Math.hypot(plot.x[spot] - x, plot.y[spot] - y) < 0.7 * plot.pitch ? spot : -1);
  });
  canvas.addEventListener("pointerleave", () => choose(-1));
  canvas.addEventListener("blur", () => choose(-1));
  canvas.addEventListener("keydown", (event) => {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") choose(-1);
    if (!arrow || !plot.x.length) return;
    event.preventDefault();
    choose(state.spot < 0 ? nearest(plot, (x, y) => Math.hypot(x - width / 2, y - height / 2)) : neighbour(plot, state.spot, arrow));
  });
  slider.addEventListener("input", () => setThreshold(Number(slider.value)));
  reset.addEventListener("click", () => setThreshold(plot.threshold));
  opacity.addEventListener("input", () => { state.opacity = Number(opacity.value); redraw(); });
  new ResizeObserver(redraw).observe(canvas);
  setThreshold(plot.threshold);
}

document.querySelectorAll(".section").forEach(show);
