// Which part of the map is looked at, and how large: where a look begins, all of it, nearer and farther, and what was chosen.

const camera = { x: 0, y: 0, scale: 1 };
const LEAST = 0.02;
const MOST = 2.5;
/** So large it begins, where all of it would be too small to read. */
const START = 0.85;
/** Smaller than this, a drawing by who calls whom gives way to blocks by namespace. */
const LAYERS_FROM = 0.6;
/** Above this many nodes it isn't tried. */
const MOST_IN_LAYERS = 120;

/** How large the map is where the panel is closed. */
function room() {
  const box = byId("stage").getBoundingClientRect();
  return { width: box.width, height: byId("canvas-box").getBoundingClientRect().height || box.height };
}

/** How many boxes of the size it begins with stand beside one another. */
const columnsNow = () => columnsWithin((room().width - 2 * MARGIN) / START);
const MARGIN = 14;

/** Says that the map goes on where it does. */
function sayMore() {
  const seen = scene.boxes.filter(({ x, y }) => {
    const [left, top] = [(x + BOX.width / 2 - camera.x) * camera.scale, (y + BOX.height / 2 - camera.y) * camera.scale];
    return left >= 0 && left <= size.width && top >= 0 && top <= size.height;
  });
  const more = byId("map-more");
  more.hidden = seen.length === scene.boxes.length;
  if (!more.hidden) more.textContent = `${seen.length.toLocaleString("en")} of ${counted(scene.boxes.map(({ node }) => nodes[node]))} ${isAre(scene.boxes.length)} in sight: drag the map`;
}

/** The scale at which all of a drawing fits. */
function scaleToFit({ width, height }, within) {
  const margin = Math.min(40, within.width / 20);
  return Math.min((within.width - 2 * margin) / Math.max(1, width), (within.height - 2 * margin) / Math.max(1, height));
}

/** Where a look at it begins: with everything if that can be read, else with the first of it. */
function start() {
  if (!size.width) return;
  if (scene.overview) build();
  if (scaleToFit(scene, size) >= (scene.blocks.length ? START : LAYERS_FROM)) return see();
  camera.scale = Math.min(1, Math.max(START, (size.width - 2 * MARGIN) / scene.width));
  const over = size.width - scene.width * camera.scale;
  camera.x = -Math.max(MARGIN, over / 2) / camera.scale;
  camera.y = -MARGIN / camera.scale;
  redraw();
}

/** Shows everything, blocks arranged for it. */
function fit() {
  if (!size.width) return;
  if (scene.blocks.length && !scene.overview) build(true);
  see();
}

/** Moves the camera back until everything is in sight. */
function see() {
  camera.scale = Math.min(1.1, Math.max(LEAST, scaleToFit(scene, size)));
  camera.x = scene.width / 2 - size.width / 2 / camera.scale;
  camera.y = scene.height / 2 - size.height / 2 / camera.scale;
  redraw();
}

function zoom(factor, at = { x: size.width / 2, y: size.height / 2 }) {
  const scale = Math.min(MOST, Math.max(LEAST, camera.scale * factor));
  camera.x += at.x / camera.scale - at.x / scale;
  camera.y += at.y / camera.scale - at.y / scale;
  camera.scale = scale;
  redraw();
}

/** Moves the camera so that the chosen thing is in sight and can be read. */
function reveal(closer) {
  resize();
  const chosenNodes = chosen.call !== null ? [calls[chosen.call].client, calls[chosen.call].server] : [chosen.node ?? scene.cursor];
  let boxes = chosenNodes.map((node) => scene.byNode.get(node)).filter(Boolean);
  if (!boxes.length || !size.width) return redraw();
  const around = (some) => {
    const [xs, ys] = [some.map((box) => box.x), some.map((box) => box.y)];
    return { left: Math.min(...xs), right: Math.max(...xs) + BOX.width, top: Math.min(...ys), bottom: Math.max(...ys) + BOX.height };
  };
  const scaleFor = ({ left, right, top, bottom }) => Math.min((size.width - 48) / (right - left), (size.height - 48) / (bottom - top));
  if (closer && camera.scale < DETAILS_FROM) camera.scale = START;
  // Ends too far apart to be read together: the called one then.
  if (scaleFor(around(boxes)) < Math.min(camera.scale, LAYERS_FROM)) boxes = boxes.slice(-1);
  const { left, right, top, bottom } = around(boxes);
  const needed = scaleFor({ left, right, top, bottom });
  if (camera.scale > needed) camera.scale = Math.max(LEAST, needed);
  const margin = 24 / camera.scale;
  const [width, height] = [size.width / camera.scale, size.height / camera.scale];
  if (left - margin < camera.x || right + margin > camera.x + width) camera.x = (left + right - width) / 2;
  if (top - margin < camera.y || bottom + margin > camera.y + height) camera.y = (top + bottom - height) / 2;
  redraw();
}
