// A section on paper: the same drawing as SVG, which lies on the photo at any width of the page. Browsers print a canvas
// as it was on the screen, at another size than the photo, and with a white background.

const PAPER_PX = 340; // about the width of a section on A4, in CSS px

// The part of a canvas context that the drawing uses; every path becomes an element.
class SvgContext {
  constructor(svg) {
    Object.assign(this, { svg, path: "", globalAlpha: 1, lineCap: "butt", fillStyle: "", strokeStyle: "", lineWidth: 1 });
  }

  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${x.toFixed(1)} ${y.toFixed(1)}`; }
  lineTo(x, y) { this.path += `L${x.toFixed(1)} ${y.toFixed(1)}`; }
  closePath() { this.path += "Z"; }

  // A full circle, from where moveTo has gone: its rightmost point.
  arc(x, y, radius) {
    const half = (end) => `A${radius} ${radius} 0 0 1 ${end.toFixed(1)} ${y.toFixed(1)}`;
    this.path += half(x - radius) + half(x + radius);
  }

  fill() { this.add({ fill: this.fillStyle, "fill-opacity": this.globalAlpha }); }

  stroke() {
    this.add({ fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-linecap": this.lineCap });
  }

  add(attributes) {
    const element = document.createElementNS(this.svg.namespaceURI, "path");
    for (const [name, value] of Object.entries({ d: this.path, ...attributes })) element.setAttribute(name, value);
    this.svg.append(element);
  }
}

// Puts the visible part of a section over its photo as SVG.
function drawOnPaper(canvas, data, camera, state) {
  removeFromPaper(canvas);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const [width, height] = [data.width, data.height].map((length) => length / camera.zoom);
  svg.setAttribute("viewBox", `${camera.left} ${camera.top} ${width} ${height}`);
  svg.setAttribute("class", "paper");
  drawLayers({ ctx: new SvgContext(svg), scale: PAPER_PX / width }, data, camera, state);
  canvas.after(svg);
}

function removeFromPaper(canvas) {
  canvas.parentElement.querySelector(".paper")?.remove();
}
