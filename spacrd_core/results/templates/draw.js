// Draws a section's spots, regions and marks over its tissue. Lines keep their width on the screen at any zoom:
// a pen is a canvas context (or paper.js's SVG) in canvas units, with its CSS px per unit.

const palette = readJson("palette");
const PATH_SPOTS = 16; // spots per path: drawing time grows with the square of the number of subpaths
const BELOW_THRESHOLD_ALPHA = 0.55; // relative to the chosen opacity
const style = getComputedStyle(document.documentElement);
const ink = (name) => style.getPropertyValue(`--${name}`).trim();
const INK = { region: ink("cancer"), uncertain: ink("uncertain"), unknown: ink("unknown"), edge: "#00000080" };
const CALL_INK = labels.map((name) => ink(name.toLowerCase()));
const clamp = (low, value, high) => Math.min(high, Math.max(low, value));
const paletteColour = (fraction) => palette[Math.round(clamp(0, fraction, 1) * (palette.length - 1))];

function stroke({ ctx, scale }, colour, px) {
  ctx.lineWidth = px / scale;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

// Adds a spot to the path: a disc, or a square with the rotation of the lattice.
function traceSpot({ ctx }, data, spot, width) {
  const x = data.x[spot], y = data.y[spot], { shape, angle } = data.spot;
  if (shape === "disc") {
    ctx.moveTo(x + width / 2, y);
    ctx.arc(x, y, width / 2, 0, 2 * Math.PI);
    return;
  }
  const across = (width / 2) * Math.cos(angle), down = (width / 2) * Math.sin(angle);
  ctx.moveTo(x - across + down, y - down - across);
  ctx.lineTo(x + across + down, y + down - across);
  ctx.lineTo(x + across - down, y + down + across);
  ctx.lineTo(x - across - down, y - down + across);
  ctx.closePath();
}

function paint({ ctx }, items, trace, finish) {
  for (let first = 0; first < items.length; first += PATH_SPOTS) {
    ctx.beginPath();
    items.slice(first, first + PATH_SPOTS).forEach(trace);
    finish();
  }
}

// The colour of a spot, and whether it is faint.
function spotInk(data, state, spot) {
  const { name, values, min, max } = state.colourBy;
  if (name === "call") return [CALL_INK[labelAt(data, spot, state.threshold)], false];
  const value = values[spot];
  const colour = value === null ? INK.unknown : paletteColour((value - min) / (max - min));
  return [colour, name === "probability" && value !== null && value < state.threshold];
}

function drawSpots(pen, data, state, visible) {
  const groups = new Map();
  for (const spot of visible) {
    const [colour, faint] = spotInk(data, state, spot);
    const key = colour + faint;
    if (!groups.has(key)) groups.set(key, { colour, faint, spots: [] });
    groups.get(key).spots.push(spot);
  }
  for (const { colour, faint, spots } of groups.values()) {
    pen.ctx.globalAlpha = state.opacity * (faint ? BELOW_THRESHOLD_ALPHA : 1);
    pen.ctx.fillStyle = colour;
    paint(pen, spots, (spot) => traceSpot(pen, data, spot, data.spot.width), () => pen.ctx.fill());
  }
  pen.ctx.globalAlpha = 1;
}

// Outlines of uncertain spots; in squares they are inset, because squares touch their neighbours.
function drawUncertain(pen, data, state, visible) {
  const width = clamp(1, 0.1 * data.pitch * pen.scale, 2.5);
  const inset = data.spot.shape === "disc" ? 0 : (4 * width) / pen.scale;
  const uncertain = visible.filter((spot) => labelAt(data, spot, state.threshold) === UNCERTAIN);
  paint(pen, uncertain, (spot) => traceSpot(pen, data, spot, data.spot.width - inset), () => {
    stroke(pen, INK.edge, 1.7 * width);
    stroke(pen, INK.uncertain, width);
  });
}

// Outlines of regions: the edges with a spot of a region on one side only.
function drawRegions(pen, data, state) {
  const inRegion = (spot) => spot >= 0 && data.region_level[spot] >= state.threshold;
  const { edges, edge_spots } = data, border = [];
  for (let edge = 0; 2 * edge < edge_spots.length; edge++) {
    if (inRegion(edge_spots[2 * edge]) !== inRegion(edge_spots[2 * edge + 1])) border.push(4 * edge);
  }
  const trace = (start) => {
    pen.ctx.moveTo(edges[start], edges[start + 1]);
    pen.ctx.lineTo(edges[start + 2], edges[start + 3]);
  };
  const width = clamp(1.25, 0.12 * data.pitch * pen.scale, 2.5);
  pen.ctx.lineCap = "round";
  paint(pen, border, trace, () => stroke(pen, "#fff", 2 * width));
  paint(pen, border, trace, () => stroke(pen, INK.region, width));
}

// Annotated labels: a cross for cancer, a dot for normal, no mark without a label.
function drawAnnotation(pen, data, visible) {
  const { ctx, scale } = pen;
  const px = clamp(1.5, 0.17 * data.spot.width * scale, 6), arm = px / scale, line = clamp(1, 0.35 * px, 2);
  const annotatedAs = (label) => visible.filter((spot) => data.annotation[spot] === label);
  const traceCross = (spot) => {
    for (const sign of [-1, 1]) {
      ctx.moveTo(data.x[spot] - arm, data.y[spot] - sign * arm);
      ctx.lineTo(data.x[spot] + arm, data.y[spot] + sign * arm);
    }
  };
  const traceDot = (spot) => traceSpot(pen, { ...data, spot: { shape: "disc" } }, spot, 0.9 * arm);
  ctx.lineCap = "round";
  ctx.fillStyle = "#000";
  paint(pen, annotatedAs(CANCER), traceCross, () => {
    stroke(pen, "#fff", 3 * line);
    stroke(pen, "#000", 1.2 * line);
  });
  paint(pen, annotatedAs(NORMAL), traceDot, () => {
    stroke(pen, "#fff", 2 * line);
    ctx.fill();
  });
}

function drawSelected(pen, data, spot) {
  pen.ctx.beginPath();
  traceSpot(pen, data, spot, data.spot.width + 6 / pen.scale);
  stroke(pen, "#fff", 5);
  stroke(pen, "#000", 2.5);
}

// Returns a round length in um of at most a quarter of the width.
function roundLength(um) {
  const power = 10 ** Math.floor(Math.log10(um / 4));
  return Math.max(...[1, 2, 5].map((step) => step * power).filter((length) => length <= um / 4));
}

// Draws the whole stage; `density` is the number of canvas px per CSS px.
function drawStage(canvas, data, camera, state, density) {
  const size = [canvas.clientWidth, canvas.clientHeight].map((length) => Math.round(length * density));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const pen = { ctx: canvas.getContext("2d"), scale: camera.scale }, factor = camera.scale * density;
  pen.ctx.setTransform(1, 0, 0, 1, 0, 0);
  pen.ctx.clearRect(0, 0, ...size);
  pen.ctx.setTransform(factor, 0, 0, factor, -camera.left * factor, -camera.top * factor);
  drawLayers(pen, data, camera, state);
}

function drawLayers(pen, data, camera, state) {
  const visible = data.id.map((_, spot) => spot).filter((spot) => camera.shows(data.x[spot], data.y[spot], data.pitch));
  if (state.spots) drawSpots(pen, data, state, visible);
  if (state.uncertain) drawUncertain(pen, data, state, visible);
  if (state.regions && data.has_regions) drawRegions(pen, data, state);
  if (state.annotation) drawAnnotation(pen, data, visible);
  if (state.selected >= 0) drawSelected(pen, data, state.selected);
}
