"use strict";
// The page says everything without this script. It sorts a table by the column whose heading is pressed.
const sortKey = (cell) => {
  const number = parseFloat(cell.textContent);
  return Number.isNaN(number) ? cell.textContent : number;
};
for (const table of document.querySelectorAll(".sortable")) {
  const headings = table.querySelectorAll("thead th");
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = heading.getAttribute("aria-sort") !== "descending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [sortKey(a.cells[column]), sortKey(b.cells[column])];
        const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? 1 : -1;
        return falling ? -order : order;
      });
      body.append(...rows);
    });
  });
}
