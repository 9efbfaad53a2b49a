// Which part of the tissue a stage shows, and how wheel, pointers and fingers change it.

const CLOSEST = 16; // times the whole
const STEP = 1.5;

class Camera {
  constructor(canvas, plot, changed) {
    Object.assign(this, { canvas, plot, changed, zoom: 1, left: 0, top: 0 });
  }

  // CSS px a unit of the plot has.
  get scale() {
    return (this.canvas.clientWidth / this.plot.width) * this.zoom;
  }

  // Where a pointer is, in the plot's units.
  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [this.left + (clientX - box.left) / this.scale, this.top + (clientY - box.top) / this.scale];
  }

  get middle() {
    return [this.left + this.plot.width / this.zoom / 2, this.top + this.plot.height / this.zoom / 2];
  }

  shows(x, y, margin = 0) {
    const across = x - this.left, down = y - this.top;
    return across >= -margin && across <= this.plot.width / this.zoom + margin && down >= -margin && down <= this.plot.height / this.zoom + margin;
  }

  // Zooms about a place, which stays where it is.
  zoomTo(zoom, [x, y] = this.middle) {
    const next = within(1, zoom, CLOSEST);
    const share = this.zoom / next;
    this.zoom = next;
    this.moveTo(x - (x - this.left) * share, y - (y - this.top) * share);
  }

  // Shows another part, never beyond the edge of the picture.
  moveTo(left, top) {
    this.left = within(0, left, this.plot.width * (1 - 1 / this.zoom));
    this.top = within(0, top, this.plot.height * (1 - 1 / this.zoom));
    this.changed();
  }

  // Zooms and moves so that a place stands under a pointer.
  put([x, y], { clientX, clientY }, zoom) {
    this.zoom = within(1, zoom, CLOSEST);
    const box = this.canvas.getBoundingClientRect();
    this.moveTo(x - (clientX - box.left) / this.scale, y - (clientY - box.top) / this.scale);
  }

  // Moves just so far that a place stands clear of the rim.
  reveal(x, y, margin) {
    const clear = (start, place, size) => within(place + margin - size, start, place - margin);
    this.moveTo(clear(this.left, x, this.plot.width / this.zoom), clear(this.top, y, this.plot.height / this.zoom));
  }
}

// The middle of the fingers (or the pointer), and how far apart they are.
function grip(held) {
  const [one, other = one] = [...held.values()];
  const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  return { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2, apart: Math.max(apart, 1) };
}

// Drags and pinches; `point` is told where the pointer is, null when it is gone. A finger scrolls the page as long as
// the whole section is shown, and a wheel scrolls it unless Ctrl is held (which trackpads say of a pinch).
function followPointers(canvas, camera, point) {
  const held = new Map();
  let start = null;
  const take = () => {
    if (!held.size) return;
    const now = grip(held);
    start = { apart: now.apart, zoom: camera.zoom, place: camera.place(now) };
  };
  const release = (event) => { if (held.delete(event.pointerId)) take(); };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
    take();
    point(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held.has(event.pointerId)) {
      held.set(event.pointerId, event);
      const now = grip(held);
      camera.put(start.place, now, (start.zoom * now.apart) / start.apart);
    }
    point(event);
  });
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => { release(event); point(null); });
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") point(null); });
  canvas.addEventListener("dblclick", (event) => camera.zoomTo(camera.zoom * STEP, camera.place(event)));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const turned = within(-60, event.deltaY * (event.deltaMode ? 20 : 1), 60);
    camera.zoomTo(camera.zoom * Math.exp(-turned / 150), camera.place(event));
  }, { passive: false });
}
