"use strict";
// What a section's spots are called at a threshold, and what is said of one; the first file of the report's script.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const classes = read("classes");
const tops = read("tops");
const UNCERTAIN = classes.indexOf("Uncertain");

// A section's numbers, with what follows from them.
function readPlot(id) {
  const plot = read(id);
  const bytes = Uint8Array.from(atob(plot.edges), (letter) => letter.charCodeAt(0));
  plot.edges = new Uint16Array(bytes.buffer);
  plot.doubt = new Set(plot.doubt);
  plot.level = levels(plot);
  return plot;
}

// The highest threshold at which each spot is part of a region: with it, a neighbour must be over it.
function levels({ probability, sides }) {
  const best = probability.map(() => -Infinity);
  for (let edge = 0; edge < sides.length; edge += 2) {
    const one = sides[edge], other = sides[edge + 1];
    if (one < 0 || other < 0) continue;
    best[one] = Math.max(best[one], probability[other] ?? -Infinity);
    best[other] = Math.max(best[other], probability[one] ?? -Infinity);
  }
  return best.map((value, spot) => Math.min(value, probability[spot] ?? -Infinity));
}

// The call as made at its threshold; elsewhere by the same rule: uncertain in doubt, or where the spread reaches across.
function callAt(plot, spot, threshold) {
  if (threshold === plot.threshold || plot.probability[spot] === null) return plot.label[spot];
  if (plot.doubt.has(spot)) return UNCERTAIN;
  const beyond = plot.probability[spot] - threshold;
  if (Math.abs(beyond) < plot.spread[spot]) return UNCERTAIN;
  return classes.indexOf(beyond >= 0 ? "Cancer" : "Normal");
}

// The area is null where no regions are drawn.
function count(plot, threshold) {
  const calls = classes.map(() => 0);
  let mm2 = 0;
  for (let spot = 0; spot < plot.id.length; spot++) {
    calls[callAt(plot, spot, threshold)] += 1;
    if (plot.level[spot] >= threshold) mm2 += plot.um2[spot] / 1e6;
  }
  return { calls, mm2: plot.regions ? mm2 : null };
}

const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;

function describe(plot, spot, { threshold, given }) {
  const known = (values, say) => (values[spot] === null || values[spot] === undefined ? [] : [say(values[spot])]);
  return [
    plot.id[spot],
    ...known(plot.probability, (value) => `probability ${value.toFixed(3)}`),
    `called ${classes[callAt(plot, spot, threshold)].toLowerCase()}`,
    ...(given && plot.given.length ? [`given label: ${(classes[plot.given[spot]] ?? "none").toLowerCase()}`] : []),
    ...(plot.top[spot] < 0 ? [] : [`top contribution: ${tops[plot.top[spot]]}, ${signed(plot.push[spot])} log odds`]),
    ...known(plot.spread, (value) => `spread ${value.toFixed(3)}`),
    ...known(plot.ood, (value) => `out of distribution ${value}`),
  ].join("\n");
}

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
