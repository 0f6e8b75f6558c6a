// The map: what is on it, and what mouse, touch and keys do.

const scene = { boxes: [], lines: [], blocks: [], columns: 0, byNode: new Map(), width: 0, height: 0, chosen, cursor: null };
let canvas, context, size = { width: 0, height: 0 };
let frame = 0;
let beforePrint = null;

function startMap() {
  canvas = byId("map");
  context = canvas.getContext("2d", { alpha: false });
  readPalette();
  themeListeners.push(() => {
    readPalette();
    redraw();
  });
  new ResizeObserver(resize).observe(byId("canvas-box"));
  onShown(() => {
    build();
    start();
  });
  onSelect(({ closer }) => {
    if (chosen.node !== null) {
      scene.cursor = chosen.node;
      bringIn([chosen.node]);
    } else if (chosen.call !== null) {
      bringIn([calls[chosen.call].client, calls[chosen.call].server], chosen.call);
    }
    // The panel takes room from the map: look when it has.
    requestAnimationFrame(() => reveal(closer));
  });
  byId("zoom-in").addEventListener("click", () => zoom(1.4));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.4));
  byId("zoom-fit").addEventListener("click", () => fit());
  byId("zoom-start").addEventListener("click", () => start());
  startPointer();
  canvas.addEventListener("keydown", keys);
  canvas.addEventListener("focus", () => {
    if (scene.cursor === null && scene.boxes.length) moveTo(mostUrgent());
    redraw();
  });
  const listed = (list) => {
    byId("canvas-box").hidden = list;
    byId("call-list").hidden = !list;
    byId("as-map").setAttribute("aria-pressed", String(!list));
    byId("as-list").setAttribute("aria-pressed", String(list));
    byId("legend-lines").hidden = list;
  };
  byId("as-map").addEventListener("click", () => listed(false));
  byId("as-list").addEventListener("click", () => listed(true));
  drawLegend();
  addEventListener("beforeprint", drawForPaper);
  addEventListener("afterprint", drawForScreen);
}

/** Draws all of it at once, at a size of its own: nothing that is only asked for would come before the paper. */
function drawForPaper() {
  beforePrint ??= { camera: { ...camera }, size };
  size = { width: 1400, height: 800 };
  canvas.width = size.width * (devicePixelRatio || 1);
  canvas.height = size.height * (devicePixelRatio || 1);
  readPalette();
  fit();
  paint();
}

function drawForScreen() {
  if (!beforePrint) return;
  Object.assign(camera, beforePrint.camera);
  size = beforePrint.size;
  beforePrint = null;
  if (scene.overview) build();
  resize();
}

/** The places of what is shown: by who calls whom if that can be read, else in blocks; those for a look at everything as wide as it is. */
function places(overview) {
  const numbers = new Map(shown.nodes.map((node, index) => [node, index]));
  const worst = shown.nodes.map((node) => rankOf(nodes[node].state));
  if (shown.nodes.length <= MOST_IN_LAYERS) {
    const edges = shown.calls.map((number) => [numbers.get(calls[number].client), numbers.get(calls[number].server)]);
    const placed = layout(shown.nodes.length, edges, (index) => worst[index]);
    if (scaleToFit(placed, room()) >= LAYERS_FROM) return { ...placed, blocks: [] };
  }
  const items = shown.nodes.map((node, index) => ({ group: nodes[node].namespace, name: nodes[node].name, rank: worst[index] }));
  let best = layoutGroups(items, columnsNow());
  for (let columns = columnsNow() + 1; overview && columns <= items.length; columns += Math.ceil(columns / 8)) {
    const placed = layoutGroups(items, columns, 2.5 * BLOCK.head);
    if (scaleToFit(placed, size) < scaleToFit(best, size)) break;
    best = placed;
  }
  return best;
}

/** Lays out what is shown. */
function build(overview = false) {
  const placed = places(overview);
  scene.columns = columnsNow();
  scene.overview = overview;
  scene.blocks = placed.blocks.map((block) => {
    const wanted = block.members.filter((index) => wanting(nodes[shown.nodes[index]].state)).length;
    const note = `${counted(block.members.map((index) => nodes[shown.nodes[index]]))}${wanted ? `, ${wanted.toLocaleString("en")} need${wanted === 1 ? "s" : ""} attention` : ""}`;
    return { ...block, note, head: placed.head };
  });
  scene.boxes = shown.nodes.map((node, index) => ({ node, x: placed.x[index], y: placed.y[index] }));
  scene.byNode = new Map(scene.boxes.map((box) => [box.node, box]));
  scene.lines = shown.calls.map((number) => {
    const call = calls[number];
    const line = (scene.blocks.length ? curveInRows : curve)(scene.byNode.get(call.client), scene.byNode.get(call.server));
    const xs = [line[0], line[2], line[4], line[6]];
    const ys = [line[1], line[3], line[5], line[7]];
    const bounds = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
    return { call: number, state: call.state, curve: line, bounds };
  });
  scene.width = placed.width;
  scene.height = placed.height;
  if (scene.cursor !== null && !scene.byNode.has(scene.cursor)) scene.cursor = null;
  const empty = byId("map-empty");
  empty.hidden = scene.boxes.length > 0;
  empty.textContent = nodes.length ? "No call is in the states chosen above." : "There is no node or gateway to draw.";
  const troubled = shown.nodes.filter((node) => nodes[node].state === "broken").length;
  canvas.setAttribute("aria-label", `Map of the mesh: ${counted(shown.nodes.map((node) => nodes[node]))}, ${plural(scene.lines.length, "call")}, ${troubled.toLocaleString("en")} broken${scene.blocks.length ? `, in ${plural(scene.blocks.length, "namespace")}` : ""}`);
}

function resize() {
  if (beforePrint) return;
  const box = byId("canvas-box").getBoundingClientRect();
  if (!box.width || !box.height) return;
  const first = !size.width;
  size = { width: box.width, height: box.height };
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  if (first || (scene.columns !== columnsNow() && chosen.node === null && chosen.call === null)) {
    build();
    start();
  }
  paint();
}

function redraw() {
  if (!frame) frame = requestAnimationFrame(paint);
}

function paint() {
  frame = 0;
  if (!size.width) return;
  drawMap(context, scene, camera, size);
  sayMore();
}

/** What is under a point of the canvas: a node before a call. */
function under(point) {
  const x = camera.x + point.x / camera.scale;
  const y = camera.y + point.y / camera.scale;
  const box = scene.boxes.find((box) => x >= box.x && x <= box.x + BOX.width && y >= box.y && y <= box.y + BOX.height);
  if (box) return { node: box.node };
  const reach = 7 / camera.scale;
  let best = { far: reach, call: null };
  for (const line of scene.lines) {
    const { bounds } = line;
    if (x < bounds.left - reach || x > bounds.right + reach || y < bounds.top - reach || y > bounds.bottom + reach) continue;
    const far = distanceTo(line.curve, x, y);
    if (far < best.far) best = { far, call: line.call };
  }
  return best.call === null ? null : { call: best.call };
}

/** How far a point is from a curve, taken as a few straight pieces. */
function distanceTo(line, x, y) {
  let least = Infinity;
  let [x1, y1] = pointAt(line, 0);
  for (let step = 1; step <= 16; step += 1) {
    const [x2, y2] = pointAt(line, step / 16);
    const [dx, dy] = [x2 - x1, y2 - y1];
    const along = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(x - x1 - along * dx, y - y1 - along * dy));
    [x1, y1] = [x2, y2];
  }
  return least;
}

function startPointer() {
  const fingers = new Map();
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const point = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) return hover(point);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const apart = (a) => Math.hypot(a.x - other.x, a.y - other.y) || 1;
      zoom(apart(point) / apart(before), other);
    } else {
      camera.x -= (point.x - before.x) / camera.scale;
      camera.y -= (point.y - before.y) / camera.scale;
    }
    moved += Math.abs(point.x - before.x) + Math.abs(point.y - before.y);
    fingers.set(event.pointerId, point);
    canvas.classList.toggle("held", moved > 4);
    byId("tip").hidden = true;
    redraw();
  });
  const end = (event) => {
    const known = fingers.delete(event.pointerId);
    canvas.classList.remove("held");
    if (!known || moved > 4 || event.type === "pointercancel") return;
    const found = under(at(event));
    if (found) select(found);
    else if (chosen.node !== null || chosen.call !== null) select({});
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => {
    byId("tip").hidden = true;
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), at(event));
  }, { passive: false });
}

function hover(point) {
  const found = under(point);
  canvas.classList.toggle("over", found !== null);
  const tip = byId("tip");
  tip.hidden = found === null;
  if (!found) return;
  const [title, text] = found.node === undefined ? [callName(calls[found.call]), describeCall(found.call)] : [nodeName(nodes[found.node]), describeNode(found.node)];
  tip.replaceChildren(element("b", {}, title), text);
  const left = Math.min(point.x + 14, size.width - tip.offsetWidth - 8);
  const top = point.y + 18 + tip.offsetHeight > size.height ? point.y - tip.offsetHeight - 10 : point.y + 18;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}

function describeNode(number) {
  const node = nodes[number];
  return `${nodeNoun(node)}, ${stateOf.get(node.state).words}; called by ${received[number].length}, calls ${made[number].length}`;
}

function describeCall(number) {
  const call = calls[number];
  return `${stateOf.get(call.state).words}, ${nodes[call.server].listeners[call.listener].anchor}${call.idle ? ", idle" : ""}: ${why(call)}`;
}

/** Why a call is in its state, in one line. */
function why(call) {
  if (call.findings.length && call.state !== "sound" && call.state !== "plaintext") {
    if (call.state !== "unknown") return findings[call.findings[0]].message;
  }
  if (call.state === "unknown") return call.unknown[0] ?? "something isn't known";
  if (call.state === "plaintext") return "neither end speaks TLS";
  return "both ends match";
}

function mostUrgent() {
  return scene.boxes.reduce((best, box) => (rankOf(nodes[box.node].state) < rankOf(nodes[best.node].state) ? box : best)).node;
}

function moveTo(node) {
  scene.cursor = node;
  announce(`${nodeName(nodes[node])}: ${describeNode(node)}`);
  const before = { ...chosen };
  chosen.node = null;
  chosen.call = null;
  reveal(false);
  Object.assign(chosen, before);
  redraw();
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !scene.boxes.length) return;
  const direction = DIRECTIONS[event.key];
  if (direction) go(...direction);
  else if (event.key === "Enter" || event.key === " ") select({ node: scene.cursor ?? mostUrgent() }, { focus: true });
  else if (event.key === "Escape") select({});
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") fit();
  else if (event.key === "1") start();
  else if (event.key === "Home") moveTo(mostUrgent());
  else if (event.key === "n" || event.key === "N") nextBroken();
  else return;
  event.preventDefault();
}

/** Goes to the nearest box in a direction. */
function go(dx, dy) {
  const here = scene.byNode.get(scene.cursor) ?? scene.byNode.get(mostUrgent());
  let best = null;
  for (const box of scene.boxes) {
    const along = (box.x - here.x) * dx + (box.y - here.y) * dy;
    const aside = Math.abs((box.x - here.x) * dy) + Math.abs((box.y - here.y) * dx);
    if (along < 1 || box === here) continue;
    const far = along + 2.5 * aside;
    if (!best || far < best.far) best = { far, box };
  }
  moveTo((best?.box ?? here).node);
}

/** Chooses the next broken call after the one that is chosen; where none is broken, the next at risk. */
function nextBroken() {
  const state = ["broken", "at-risk"].find((name) => shown.calls.some((number) => calls[number].state === name));
  const all = shown.calls.filter((number) => calls[number].state === state);
  if (!all.length) return announce("No call here is broken or at risk");
  const next = all.find((number) => number > (chosen.call ?? -1)) ?? all[0];
  announce(`${callName(calls[next])}: ${describeCall(next)}`);
  select({ call: next });
}

function drawLegend() {
  for (const { name, words } of STATES) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "stroke");
    svg.setAttribute("viewBox", "0 0 44 12");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", "M1 6h42");
    line.setAttribute("stroke-dasharray", LINES[name].dash.join(" "));
    line.setAttribute("stroke-width", LINES[name].width);
    svg.append(line);
    byId("legend-lines").append(element("span", { "data-state": name }, svg, icon(name), words));
  }
}
