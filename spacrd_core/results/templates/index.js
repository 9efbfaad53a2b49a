"use strict";
// Sorts the table of sections by a column, and shows only the rows that match the search.

const table = document.getElementById("sections"), body = table.tBodies[0], rows = [...body.rows];
const search = document.querySelector(".search"), cautioned = document.querySelector(".cautioned");
const shown = document.querySelector(".shown");
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" }); // S2 before S10
const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
const searched = new Map(rows.map((row) => [row, words([...row.querySelectorAll("th, .text")].map((cell) => cell.textContent).join(" ")).join(" ")]));
const cautions = (row) => Number(row.querySelector(".cautions").dataset.value);

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

// Sorts by a column: texts from A, numbers from the highest; once more, the other way round.
function sortBy(heading) {
  const initial = heading.dataset.sort === "number" ? "descending" : "ascending";
  const other = initial === "ascending" ? "descending" : "ascending";
  const direction = heading.getAttribute("aria-sort") === initial ? other : initial;
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
  rows.sort(comparison(heading.cellIndex, heading.dataset.sort, direction === "ascending" ? 1 : -1));
  body.append(...rows);
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

for (const heading of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sortBy(heading));
}
search.addEventListener("input", filter);
cautioned.addEventListener("input", filter);
document.body.classList.add("live");
filter(); // a browser that goes back to the page restores the search
