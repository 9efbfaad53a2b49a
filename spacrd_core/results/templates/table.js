"use strict";
// The table of sections: sorts it by a column, shows only the rows that match the search, and applies a common threshold.

{
  const table = document.getElementById("sections"), body = table.tBodies[0], rows = [...body.rows];
  const curves = new Map(JSON.parse(document.getElementById("curves").textContent).map((curve, index) => [rows[index], curve]));
  const search = document.querySelector(".search"), cautioned = document.querySelector(".cautioned");
  const shown = document.querySelector(".shown"), slider = document.querySelector(".common-threshold");
  const common = document.querySelector(".common-value"), reset = document.querySelector(".common-reset");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" }); // S2 before S10
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const searched = new Map(rows.map((row) => [row, words([...row.querySelectorAll("th, .text")].map((cell) => cell.textContent).join(" ")).join(" ")]));
  const cautions = (row) => Number(row.querySelector(".cautions").dataset.value);
  const headings = [...table.tHead.rows[0].cells];
  const CHANGED = [".at-cancer", ".at-uncertain", ".at-share", ".at-area"];
  const cellsOf = (row) => CHANGED.map((name) => row.querySelector(name));
  const own = new Map(rows.map((row) => [row, cellsOf(row).map((cell) => [cell.textContent, cell.dataset.value])]));

  function textOf(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  }

  // Returns a comparison of two rows; rows without a value are last in both directions.
  function comparison(column, kind, sign) {
    return (first, second) => {
      const [a, b] = [first, second].map((row) => textOf(row, column));
      if (!a || !b) return Number(!a) - Number(!b);
      return sign * (kind === "number" ? Number(a) - Number(b) : collator.compare(a, b));
    };
  }

  function sort(heading, direction) {
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    rows.sort(comparison(heading.cellIndex, heading.dataset.sort, direction === "ascending" ? 1 : -1));
    body.append(...rows);
  }

  // Sorts by a column: texts from A, numbers from the highest; once more, the other way round.
  function sortBy(heading) {
    const initial = heading.dataset.sort === "number" ? "descending" : "ascending";
    const other = initial === "ascending" ? "descending" : "ascending";
    sort(heading, heading.getAttribute("aria-sort") === initial ? other : initial);
  }

  function filter() {
    const wanted = words(search.value);
    let count = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((word) => searched.get(row).includes(word)) || (cautioned.checked && !cautions(row));
      count += Number(!row.hidden);
    }
    shown.textContent = `${count} of ${rows.length} sections`;
  }

  // The text and the value of the cells that depend on the threshold; of each section's own if it is null.
  function cellsAt(row, threshold) {
    if (threshold === null) return own.get(row);
    const curve = curves.get(row), at = Math.round(threshold * (curve.cancer.length - 1));
    const spots = Number(row.querySelector(".spots").textContent), share = curve.cancer[at] / spots;
    const mm2 = curve.mm2 ? curve.mm2[at] : null;
    return [
      [curve.cancer[at]],
      [curve.uncertain[at]],
      spots ? [(100 * share).toFixed(1), share] : ["\u2013", ""],
      mm2 === null ? ["\u2013", ""] : [Number(mm2.toPrecision(3)), mm2],
    ];
  }

  function fill(row, threshold) {
    const values = cellsAt(row, threshold);
    cellsOf(row).forEach((cell, index) => {
      cell.textContent = values[index][0];
      if (values[index][1] !== undefined) cell.dataset.value = values[index][1];
    });
  }

  function setThreshold(threshold) {
    for (const row of rows) {
      fill(row, threshold);
      const link = row.querySelector("a");
      if (link.dataset.page ??= link.hash ? "" : link.getAttribute("href")) link.href = link.dataset.page + (threshold === null ? "" : `#threshold=${threshold}`);
    }
    common.textContent = threshold === null ? "not set" : threshold.toFixed(2);
    reset.disabled = threshold === null;
    const sorted = headings.find((heading) => heading.hasAttribute("aria-sort"));
    if (sorted) sort(sorted, sorted.getAttribute("aria-sort"));
    dispatchEvent(new CustomEvent("threshold", { detail: threshold }));
  }

  if (rows.length > 1) {
    for (const heading of headings) {
      const [button, arrow] = ["button", "span"].map((name) => document.createElement(name));
      button.type = "button";
      arrow.className = "arrow";
      arrow.ariaHidden = "true"; // the heading's aria-sort says the same
      button.append(...heading.childNodes, arrow);
      heading.append(button);
      button.addEventListener("click", () => sortBy(heading));
    }
    search.addEventListener("input", filter);
    cautioned.addEventListener("input", filter);
    slider.addEventListener("input", () => setThreshold(Number(slider.value)));
    reset.addEventListener("click", () => setThreshold(null));
    document.body.classList.add("live");
    filter(); // a browser that goes back to the page restores the search and the slider
    slider.value = 0.5;
  } else { // a page of its own shows the common threshold that it was opened with
    fill(rows[0], readThreshold());
  }
}
