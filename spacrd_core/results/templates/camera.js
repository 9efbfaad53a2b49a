// The visible part of the tissue, and how wheel, mouse and touch change it.

const MAX_ZOOM = 16; // relative to the whole section
const ZOOM_STEP = 1.5;

class Camera {
  constructor(canvas, data, onChange) {
    Object.assign(this, { canvas, data, onChange, zoom: 1, left: 0, top: 0 });
  }

  // CSS px per canvas unit.
  get scale() {
    return (this.canvas.clientWidth / this.data.width) * this.zoom;
  }

  // The position of a pointer in canvas units.
  toUnits({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [this.left + (clientX - box.left) / this.scale, this.top + (clientY - box.top) / this.scale];
  }

  get centre() {
    return [this.left + this.data.width / this.zoom / 2, this.top + this.data.height / this.zoom / 2];
  }

  shows(x, y, margin = 0) {
    const across = x - this.left, down = y - this.top;
    return across >= -margin && across <= this.data.width / this.zoom + margin && down >= -margin && down <= this.data.height / this.zoom + margin;
  }

  // Zooms about a position, which stays where it is on the screen.
  zoomTo(zoom, [x, y] = this.centre) {
    const next = clamp(1, zoom, MAX_ZOOM);
    const ratio = this.zoom / next;
    this.zoom = next;
    this.moveTo(x - (x - this.left) * ratio, y - (y - this.top) * ratio);
  }

  // Moves the visible part, which stays inside the picture.
  moveTo(left, top) {
    this.left = clamp(0, left, this.data.width * (1 - 1 / this.zoom));
    this.top = clamp(0, top, this.data.height * (1 - 1 / this.zoom));
    this.onChange();
  }

  // Zooms and moves so that a position is under the pointer.
  alignToPointer([x, y], { clientX, clientY }, zoom) {
    this.zoom = clamp(1, zoom, MAX_ZOOM);
    const box = this.canvas.getBoundingClientRect();
    this.moveTo(x - (clientX - box.left) / this.scale, y - (clientY - box.top) / this.scale);
  }

  // Moves as little as needed to keep a position a margin away from the border.
  reveal(x, y, margin) {
    const start = (current, position, size) => clamp(position + margin - size, current, position - margin);
    this.moveTo(start(this.left, x, this.data.width / this.zoom), start(this.top, y, this.data.height / this.zoom));
  }
}

// The midpoint of the pointers and the distance between them.
function pinch(pointers) {
  const [first, second = first] = [...pointers.values()];
  const distance = Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY);
  return { clientX: (first.clientX + second.clientX) / 2, clientY: (first.clientY + second.clientY) / 2, distance: Math.max(distance, 1) };
}

// Handles drag, pinch, wheel and double click. `onPointer` receives the pointer event, or null when the pointer leaves.
// While the whole section is visible, a finger scrolls the page. The wheel scrolls the page unless Ctrl is held;
// browsers report a trackpad pinch as Ctrl + wheel.
function followPointers(canvas, camera, onPointer) {
  const pointers = new Map();
  let start = null;
  const begin = () => {
    if (!pointers.size) return;
    const now = pinch(pointers);
    start = { distance: now.distance, zoom: camera.zoom, position: camera.toUnits(now) };
  };
  const release = (event) => { if (pointers.delete(event.pointerId)) begin(); };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
    begin();
    onPointer(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pointers.has(event.pointerId)) {
      pointers.set(event.pointerId, event);
      const now = pinch(pointers);
      camera.alignToPointer(start.position, now, (start.zoom * now.distance) / start.distance);
    }
    onPointer(event);
  });
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => { release(event); onPointer(null); });
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") onPointer(null); });
  canvas.addEventListener("dblclick", (event) => camera.zoomTo(camera.zoom * ZOOM_STEP, camera.toUnits(event)));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const delta = clamp(-60, event.deltaY * (event.deltaMode ? 20 : 1), 60);
    camera.zoomTo(camera.zoom * Math.exp(-delta / 150), camera.toUnits(event));
  }, { passive: false });
}
