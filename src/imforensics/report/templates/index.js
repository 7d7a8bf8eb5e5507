"use strict";
// The table is complete without this script. It adds sorting by column and a filter.
const body = document.querySelector("#files tbody");
const rows = [...body.rows];
const heads = [...document.querySelectorAll("#files thead th")];

function sortBy(head) {
  const column = heads.indexOf(head);
  const isNumber = head.dataset.by === "number";
  const first = isNumber ? "descending" : "ascending";
  const order = !head.hasAttribute("aria-sort") ? first
    : head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const key = (row) => row.cells[column].dataset.sort;
  const compare = isNumber ? (a, b) => key(a) - key(b) : (a, b) => key(a).localeCompare(key(b));
  rows.sort((a, b) => sign * compare(a, b));
  body.append(...rows);
}

for (const head of heads) {
  if (!head.dataset.by) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  button.addEventListener("click", () => sortBy(head));
  head.replaceChildren(button);
}

const text = document.createElement("input");
text.type = "search";
const textLabel = document.createElement("label");
textLabel.append("Name contains ", text);
const kind = document.createElement("select");
for (const [value, word] of [["", "everything"], ["tampered", "traces of alteration"], ["inconclusive", "inconclusive"],
  ["authentic", "no alteration found"], ["error", "not analysed"]]) kind.append(new Option(word, value));
const kindLabel = document.createElement("label");
kindLabel.append("Show ", kind);
const shown = document.createElement("output");
const tools = document.querySelector("#tools");
tools.className = "tools";
tools.append(textLabel, kindLabel, shown);

function filter() {
  const wanted = text.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    const isShown = (!kind.value || row.dataset.kind === kind.value)
      && row.cells[1].dataset.sort.toLowerCase().includes(wanted);
    row.hidden = !isShown;
    if (isShown) count += 1;
  }
  shown.textContent = count === rows.length ? "" : count + " of " + rows.length + " files";
}
text.addEventListener("input", filter);
kind.addEventListener("change", filter);
