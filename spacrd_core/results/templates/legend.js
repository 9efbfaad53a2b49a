// What the colours of spots mean, below each section.

// The values that spots can be coloured by, from `min` to `max`, and the legend: both ends, and what to know of them.
function colourScales({ probability, spread, ood, copy_number }) {
  const maxSpread = roundLength(8 * spread.reduce((max, value) => Math.max(max, value ?? 0), 0.001));
  return {
    call: { name: "call", values: probability },
    probability: { name: "probability", values: probability, min: 0, max: 1, start: "0", end: "1", note: "paler below the threshold" },
    spread: { name: "spread", values: spread, min: 0, max: maxSpread, start: "0", end: `${Number(maxSpread.toPrecision(1))} or more`, note: "" },
    ood: { name: "ood", values: ood, min: 0, max: 2, start: "0", end: "2 or more", note: "above the mark at 1: unlike the training tissue" },
    copy_number: { name: "copy_number", values: copy_number, min: -2, max: 2, start: "\u22122 or less", end: "2 or more", note: "higher: more like the section\u2019s profile of gains and losses; not used for calls" },
  };
}

// Shows the legend of what spots are coloured by: the calls, or a scale with its ends and its mark.
function showLegend(find, { colourBy: { name, values, start, end, note }, threshold }, heading) {
  const isCall = name === "call";
  find(".call-key").hidden = !isCall;
  find(".scale-key").hidden = isCall;
  find(".unknown-key").hidden = isCall || values.every((value) => value !== null);
  if (isCall) return;
  find(".scale-name").textContent = heading;
  find(".scale-start").textContent = start;
  find(".scale-end").textContent = end;
  find(".scale-note").textContent = note;
  const mark = { probability: threshold, ood: 0.5 }[name] ?? -1;
  find(".scale line").setAttribute("transform", `translate(${160 * mark})`);
  find(".pale").setAttribute("width", name === "probability" ? 160 * threshold : 0);
}
