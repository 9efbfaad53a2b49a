// Draws a section's spots, regions and marks over its tissue. Lines keep their width on the screen at any zoom:
// a pen is a canvas' context, turned to the plot's units, and how many px a unit has.

const palette = read("palette");
const PART = 16; // spots painted at a time: the time a path takes grows with the square of its parts
const FAINT = 0.55; // of the overlay's opacity: spots below the threshold
const INK = { region: "#e3120b", unsure: "#ff9500", unknown: "#9aa0a6", edge: "#00000080" };
const within = (least, value, most) => Math.min(most, Math.max(least, value));
const shade = (share) => palette[Math.round(within(0, share, 1) * (palette.length - 1))];

function stroke({ ctx, scale }, colour, px) {
  ctx.lineWidth = px / scale;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

// A disc, or a square turned as the lattice is.
function outline({ ctx }, plot, spot, width) {
  const x = plot.x[spot], y = plot.y[spot], { shape, angle } = plot.spot;
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
  for (let first = 0; first < items.length; first += PART) {
    ctx.beginPath();
    items.slice(first, first + PART).forEach(trace);
    finish();
  }
}

function drawSpots(pen, plot, state, seen) {
  const groups = new Map();
  for (const spot of seen) {
    const value = state.by.values[spot];
    const colour = value === null ? INK.unknown : shade(value / state.by.most);
    const faint = state.by.name === "probability" && !(value >= state.threshold);
    const key = colour + faint;
    if (!groups.has(key)) groups.set(key, { colour, faint, spots: [] });
    groups.get(key).spots.push(spot);
  }
  for (const { colour, faint, spots } of groups.values()) {
    pen.ctx.globalAlpha = state.opacity * (faint ? FAINT : 1);
    pen.ctx.fillStyle = colour;
    paint(pen, spots, (spot) => outline(pen, plot, spot, plot.spot.width), () => pen.ctx.fill());
  }
  pen.ctx.globalAlpha = 1;
}

// Rings lie inside squares, which touch their neighbours.
function drawUncertain(pen, plot, state, seen) {
  const width = within(1, 0.1 * plot.pitch * pen.scale, 2.5);
  const inset = plot.spot.shape === "disc" ? 0 : (4 * width) / pen.scale;
  const unsure = seen.filter((spot) => callAt(plot, spot, state.threshold) === UNCERTAIN);
  paint(pen, unsure, (spot) => outline(pen, plot, spot, plot.spot.width - inset), () => {
    stroke(pen, INK.edge, 1.7 * width);
    stroke(pen, INK.unsure, width);
  });
}

// A region's outline: the edges with a spot of the region on one side only.
function drawRegions(pen, plot, state) {
  const inside = (spot) => spot >= 0 && plot.level[spot] >= state.threshold;
  const { edges, sides } = plot, rim = [];
  for (let edge = 0; 2 * edge < sides.length; edge++) {
    if (inside(sides[2 * edge]) !== inside(sides[2 * edge + 1])) rim.push(4 * edge);
  }
  const trace = (start) => {
    pen.ctx.moveTo(edges[start], edges[start + 1]);
    pen.ctx.lineTo(edges[start + 2], edges[start + 3]);
  };
  const width = within(1.25, 0.12 * plot.pitch * pen.scale, 2.5);
  pen.ctx.lineCap = "round";
  paint(pen, rim, trace, () => stroke(pen, "#fff", 2 * width));
  paint(pen, rim, trace, () => stroke(pen, INK.region, width));
}

// Labels that came with the section: a cross for cancer, a dot for normal, nothing where there is none.
function drawGiven(pen, plot, seen) {
  const { ctx, scale } = pen;
  const px = within(1.5, 0.17 * plot.spot.width * scale, 6), arm = px / scale, thin = within(1, 0.35 * px, 2);
  const labelled = (label) => seen.filter((spot) => plot.given[spot] === label);
  const cross = (spot) => {
    for (const turn of [-1, 1]) {
      ctx.moveTo(plot.x[spot] - arm, plot.y[spot] - turn * arm);
      ctx.lineTo(plot.x[spot] + arm, plot.y[spot] + turn * arm);
    }
  };
  const dot = (spot) => outline(pen, { ...plot, spot: { shape: "disc" } }, spot, 0.9 * arm);
  ctx.lineCap = "round";
  ctx.fillStyle = "#000";
  paint(pen, labelled(0), cross, () => {
    stroke(pen, "#fff", 3 * thin);
    stroke(pen, "#000", 1.2 * thin);
  });
  paint(pen, labelled(1), dot, () => {
    stroke(pen, "#fff", 2 * thin);
    ctx.fill();
  });
}

function drawChosen(pen, plot, spot) {
  pen.ctx.beginPath();
  outline(pen, plot, spot, plot.spot.width + 6 / pen.scale);
  stroke(pen, "#fff", 5);
  stroke(pen, "#000", 2.5);
}

// A round length of at most a quarter of the width, in um.
function roundLength(um) {
  const power = 10 ** Math.floor(Math.log10(um / 4));
  return Math.max(...[1, 2, 5].map((step) => step * power).filter((length) => length <= um / 4));
}

// Draws all of a stage; `density` is how many px of the canvas a CSS px has.
function drawStage(canvas, plot, camera, state, density) {
  const size = [canvas.clientWidth, canvas.clientHeight].map((length) => Math.round(length * density));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const pen = { ctx: canvas.getContext("2d"), scale: camera.scale }, turn = camera.scale * density;
  pen.ctx.setTransform(1, 0, 0, 1, 0, 0);
  pen.ctx.clearRect(0, 0, ...size);
  pen.ctx.setTransform(turn, 0, 0, turn, -camera.left * turn, -camera.top * turn);
  const seen = plot.id.map((_, spot) => spot).filter((spot) => camera.shows(plot.x[spot], plot.y[spot], plot.pitch));
  if (state.spots) drawSpots(pen, plot, state, seen);
  if (state.uncertain) drawUncertain(pen, plot, state, seen);
  if (state.regions && plot.regions) drawRegions(pen, plot, state);
  if (state.given) drawGiven(pen, plot, seen);
  if (state.chosen >= 0) drawChosen(pen, plot, state.chosen);
}
