"use strict";
// The page says everything without this script. It adds an opacity slider and folds long tables.
for (const group of document.querySelectorAll(".side-by-side")) {
  const [original, map] = group.querySelectorAll("img");
  const stack = document.createElement("div");
  stack.className = "stack";
  for (const image of [original, map]) {
    const copy = new Image(image.width, image.height);
    copy.src = image.src;
    copy.alt = "";
    stack.append(copy);
  }
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = "0";
  slider.max = "100";
  slider.value = "50";
  const value = document.createElement("output");
  const label = document.createElement("label");
  label.append("Opacity of the map over the original", slider, value);
  const show = () => {
    stack.lastChild.style.opacity = slider.value / 100;
    value.textContent = slider.value + " %";
  };
  slider.addEventListener("input", show);
  show();
  const box = document.createElement("div");
  box.className = "compare";
  box.append(stack, label);
  const folded = document.createElement("details");
  folded.className = "fold";
  const summary = document.createElement("summary");
  summary.textContent = "Compare with a slider";
  folded.append(summary, box);
  group.nextElementSibling.after(folded);
}
const long = [...document.querySelectorAll("details.long")];
for (const details of long) details.open = false;
addEventListener("beforeprint", () => { for (const details of long) details.open = true; });
