"use strict";

/* The key of a cell, or its text; an empty key comes last in either direction. */
const keyOf = (row, place) => row.cells[place].dataset.key ?? row.cells[place].textContent.trim();

function compare(one, other, sign) {
  if (one === "" || other === "") return (one === "") - (other === "");
  const difference = Number(one) - Number(other);
  return sign * (Number.isNaN(difference) ? one.localeCompare(other, "en", { numeric: true }) : difference);
}

function sort(head) {
  const table = head.closest("table");
  const opposite = { ascending: "descending", descending: "ascending" };
  const order = opposite[head.ariaSort] ?? head.dataset.first;
  for (const each of table.tHead.rows[0].cells) each.ariaSort = each === head ? order : "none";
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => compare(keyOf(a, head.cellIndex), keyOf(b, head.cellIndex), sign));
  table.tBodies[0].append(...rows);
}

function filter(part, text) {
  let shown = 0;
  const words = text.toLowerCase().split(/\s+/);
  for (const section of part.querySelectorAll(".problem")) {
    const rows = [...section.querySelectorAll("tbody tr")];
    for (const row of rows) {
      const name = `${section.dataset.problem} ${row.cells[0].textContent}`.toLowerCase();
      row.hidden = !words.every((word) => name.includes(word));
    }
    section.hidden = rows.every((row) => row.hidden);
    shown += rows.filter((row) => !row.hidden).length;
  }
  part.querySelector("output").textContent = text ? `${shown} rows` : "";
}

function show(part, column, visible) {
  for (const head of part.querySelectorAll(`[data-column="${column}"]`))
    for (const row of head.closest("table").rows) row.cells[head.cellIndex].hidden = !visible;
}

for (const part of document.querySelectorAll("[data-part]")) {
  part.querySelector(".tools").hidden = false;
  part.querySelector("[type=search]").addEventListener("input", (event) => filter(part, event.target.value.trim()));
  part.querySelector(".menu").addEventListener("change", ({ target }) => show(part, target.value, target.checked));
}
for (const button of document.querySelectorAll(".sort")) button.addEventListener("click", () => sort(button.closest("th")));
addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach((each) => (each.open = true)));
