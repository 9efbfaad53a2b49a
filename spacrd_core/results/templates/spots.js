"use strict";
// Labels, counts and descriptions of a section's spots at a threshold; the first file of the report's script.

const readJson = (id) => JSON.parse(document.getElementById(id).textContent);
const labels = readJson("labels");
const modalities = readJson("modalities");
const CANCER = labels.indexOf("Cancer"), NORMAL = labels.indexOf("Normal"), UNCERTAIN = labels.indexOf("Uncertain");

// Returns a section's canvas data with the values derived from it.
function readCanvasData(id) {
  const data = readJson(id);
  const bytes = Uint8Array.from(atob(data.edges), (letter) => letter.charCodeAt(0));
  data.edges = new Uint16Array(bytes.buffer);
  data.doubtful = new Set(data.doubtful);
  data.region_level = regionLevels(data);
  return data;
}

// The highest threshold at which each spot belongs to a region: a neighbour must reach it too.
function regionLevels({ probability, edge_spots }) {
  const bestNeighbour = probability.map(() => -Infinity);
  for (let edge = 0; edge < edge_spots.length; edge += 2) {
    const first = edge_spots[edge], second = edge_spots[edge + 1];
    if (first < 0 || second < 0) continue;
    bestNeighbour[first] = Math.max(bestNeighbour[first], probability[second] ?? -Infinity);
    bestNeighbour[second] = Math.max(bestNeighbour[second], probability[first] ?? -Infinity);
  }
  return bestNeighbour.map((value, spot) => Math.min(value, probability[spot] ?? -Infinity));
}

// The stored label at the detector's threshold. At any other threshold the same rule applies: a spot is uncertain if it
// is doubtful or if its distance to the threshold is below its spread.
function labelAt(data, spot, threshold) {
  if (threshold === data.threshold || data.probability[spot] === null) return data.label[spot];
  if (data.doubtful.has(spot)) return UNCERTAIN;
  const distance = data.probability[spot] - threshold;
  if (Math.abs(distance) < data.spread[spot]) return UNCERTAIN;
  return distance >= 0 ? CANCER : NORMAL;
}

// Returns the number of spots per label, and the area of the regions; null if no regions are drawn.
function countLabels(data, threshold) {
  const counts = labels.map(() => 0);
  let mm2 = 0;
  for (let spot = 0; spot < data.id.length; spot++) {
    counts[labelAt(data, spot, threshold)] += 1;
    if (data.region_level[spot] >= threshold) mm2 += data.area_um2[spot] / 1e6;
  }
  return { counts, mm2: data.has_regions ? mm2 : null };
}

const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;

// The lines of a spot's tooltip; unknown values are omitted.
function describeSpot(data, spot, { threshold, annotation }) {
  const lineIfKnown = (values, format) => (values[spot] === null || values[spot] === undefined ? [] : [format(values[spot])]);
  const modality = data.top_modality[spot];
  return [
    data.id[spot],
    ...lineIfKnown(data.probability, (value) => `probability ${value.toFixed(3)}`),
    `called ${labels[labelAt(data, spot, threshold)].toLowerCase()}`,
    ...(annotation && data.annotation.length ? [`annotated label: ${(labels[data.annotation[spot]] ?? "none").toLowerCase()}`] : []),
    ...(modality < 0 ? [] : [`largest contribution: ${modalities[modality]}, ${signed(data.top_contribution[spot])} log odds`]),
    ...lineIfKnown(data.spread, (value) => `ensemble spread ${value.toFixed(3)}`),
    ...lineIfKnown(data.ood, (value) => `out-of-distribution score ${value}`),
    ...(threshold === data.threshold ? lineIfKnown(data.border_distance, (value) => `${Math.abs(value)} \u00b5m ${value < 0 ? "inside" : "outside"} the border`) : []),
    ...lineIfKnown(data.copy_number, (value) => `copy-number profile ${signed(value)}`),
  ].join("\n");
}

// Returns the spot with the smallest distance; -1 if there is none at a finite distance.
function nearestSpot(data, distance) {
  let nearest = -1, smallest = Infinity;
  for (let spot = 0; spot < data.x.length; spot++) {
    const value = distance(data.x[spot], data.y[spot]);
    if (value < smallest) [nearest, smallest] = [spot, value];
  }
  return nearest;
}

// Returns the next spot in the direction of an arrow key: close, and not far off the axis.
function nextSpot(data, current, [across, down]) {
  const next = nearestSpot(data, (x, y) => {
    const dx = x - data.x[current], dy = y - data.y[current];
    const along = dx * across + dy * down, off = Math.abs(dx * down - dy * across);
    return along > 0.2 * data.pitch && off <= along * 1.8 ? along + 2 * off : Infinity;
  });
  return next < 0 ? current : next;
}
