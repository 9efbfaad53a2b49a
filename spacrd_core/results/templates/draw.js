"use strict";
// Draws a section's spots and regions over its tissue; followed by report.js in the same script.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const palette = read("palette");
const classes = read("classes");
const tops = read("tops");
const UNCERTAIN = classes.indexOf("Uncertain");
const REGION = "#e3120b";
const UNSURE = "#ff9500";
const FAINT = 0.55; // of the overlay's opacity: spots below the threshold

// Lines and text keep their width when a phone shrinks the picture.
const lineScale = (canvas) => Math.max(1, (0.4 * canvas.width) / (canvas.clientWidth || canvas.width));
const shade = (value) => palette[Math.round(value * (palette.length - 1))];

// The call as made at its threshold; elsewhere by the same rule: uncertain in doubt, or where the spread reaches across.
function callAt(plot, spot, threshold) {
  if (threshold === plot.threshold) return plot.label[spot];
  if (plot.doubt[spot]) return UNCERTAIN;
  const beyond = plot.probability[spot] - threshold;
  if (Math.abs(beyond) < plot.spread[spot]) return UNCERTAIN;
  return classes.indexOf(beyond >= 0 ? "Cancer" : "Normal");
}

// A disc, or a square turned as the lattice is.
function outline(ctx, { shape, angle }, x, y, width) {
  ctx.beginPath();
  if (shape === "disc") {
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

function stroke(ctx, colour, width) {
  ctx.lineWidth = width * lineScale(ctx.canvas);
  ctx.strokeStyle = colour;
  ctx.stroke();
}

function drawSpots(ctx, plot, state) {
  plot.probability.forEach((probability, spot) => {
    ctx.globalAlpha = state.opacity * (probability >= state.threshold ? 1 : FAINT);
    ctx.fillStyle = shade(probability);
    outline(ctx, plot.spot, plot.x[spot], plot.y[spot], plot.spot.width);
    ctx.fill();
    if (callAt(plot, spot, state.threshold) !== UNCERTAIN) return;
    ctx.globalAlpha = state.opacity;
    stroke(ctx, UNSURE, 2);
  });
}

// A region's outline: the edges with a spot of the region on one side only.
function drawRegions(ctx, plot, state) {
  const inside = (spot) => spot >= 0 && plot.level[spot] !== null && plot.level[spot] >= state.threshold;
  ctx.globalAlpha = Math.min(1, 2 * state.opacity);
  ctx.beginPath();
  for (let edge = 0; 2 * edge < plot.sides.length; edge++) {
    if (inside(plot.sides[2 * edge]) === inside(plot.sides[2 * edge + 1])) continue;
    const [x0, y0, x1, y1] = plot.edges.slice(4 * edge, 4 * edge + 4);
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
  }
  ctx.lineCap = "round";
  stroke(ctx, "#fff", 5);
  stroke(ctx, REGION, 2.5);
}

function drawScaleBar(ctx, plot, width, height) {
  const scale = lineScale(ctx.canvas);
  const right = width - 16 * scale, bottom = height - 14 * scale, middle = right - plot.bar.width / 2;
  ctx.globalAlpha = 1;
  ctx.lineCap = "butt";
  ctx.beginPath();
  ctx.moveTo(right - plot.bar.width, bottom);
  ctx.lineTo(right, bottom);
  stroke(ctx, "#fff", 9);
  stroke(ctx, "#000", 5);
  ctx.font = `600 ${18 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.lineWidth = 5 * scale;
  ctx.strokeStyle = "#fff";
  ctx.strokeText(plot.bar.text, middle, bottom - 8 * scale);
  ctx.fillStyle = "#000";
  ctx.fillText(plot.bar.text, middle, bottom - 8 * scale);
}

function drawLegend(canvas, threshold) {
  const ctx = canvas.getContext("2d");
  const step = canvas.width / palette.length;
  palette.forEach((colour, index) => {
    ctx.fillStyle = colour;
    ctx.fillRect(index * step, 0, step + 1, canvas.height);
  });
  ctx.fillStyle = REGION;
  ctx.fillRect(threshold * canvas.width - 2, 0, 5, canvas.height);
}
