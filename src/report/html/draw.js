// Draws the map on its canvas: only what is in sight, and with as much detail as there is room for.

/** Below these scales details, then names, then boxes are left out. */
const DETAILS_FROM = 0.82;
const NAMES_FROM = 0.22;
const BOXES_FROM = 0.2;
/** However small the boxes are, letters have so many pixels. */
const LETTERS = 11.5;

/** How the line of a call in each state looks: a dash pattern and a width, so that colour is never all. */
const LINES = {
  sound: { dash: [], width: 1.5 },
  "at-risk": { dash: [9, 4], width: 2 },
  broken: { dash: [], width: 2.75 },
  plaintext: { dash: [2, 4], width: 2 },
  unknown: { dash: [8, 4, 2, 4], width: 1.75 },
};

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif";

const palette = {};

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["page", "card", "line", "edge", "ink", "soft", "accent", "on-state", ...STATES.flatMap(({ name }) => [name, `${name}-tint`])]) {
    palette[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

/** The curve from one box to another: from the right side to the left one; backwards ones swing around. */
function curve(from, to) {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  if (x2 - x1 > BOX.width + BOX.gapX && Math.abs(y2 - y1) < BOX.height) {
    // Past the boxes between the two, in the gap above their row: a curve rises by three quarters of what its handles do.
    const lift = ((BOX.height + BOX.gapY) / 2) * (4 / 3);
    const bend = BOX.gapX / 2;
    return [x1, y1, x1 + bend, y1 - lift, x2 - bend, y2 - lift, x2, y2];
  }
  if (x2 > x1) {
    const bend = Math.max(30, (x2 - x1) * 0.45);
    return [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
  }
  const swing = BOX.gapX * 0.75;
  const lift = Math.abs(y2 - y1) < BOX.height ? BOX.height * 1.4 : 0;
  return [x1, y1, x1 + swing, y1 - lift, x2 - swing, y2 - lift, x2, y2];
}

/** Between boxes that stand in rows: out of the side that is nearest, so that a line passes few boxes. */
function curveInRows(from, to) {
  const [left, right] = [from.x + BOX.width < to.x, to.x + BOX.width < from.x];
  const middle = BOX.height / 2;
  if (from.y === to.y && (left || right)) {
    const [x1, x2] = left ? [from.x + BOX.width, to.x] : [from.x, to.x + BOX.width];
    // Past the boxes between the two, in the gap above their row.
    const near = Math.abs(x2 - x1) <= BLOCK.gapX;
    const [bend, lift] = near ? [0, 0] : [Math.sign(x2 - x1) * BLOCK.gapX, (middle + BLOCK.gapY / 2) * (4 / 3)];
    return [x1, from.y + middle, x1 + bend, from.y + middle - lift, x2 - bend, to.y + middle - lift, x2, to.y + middle];
  }
  const down = to.y > from.y;
  const [x1, y1] = [from.x + BOX.width / 2, down ? from.y + BOX.height : from.y];
  const [x2, y2] = [to.x + BOX.width / 2, down ? to.y : to.y + BOX.height];
  // In one column a line runs beside the boxes.
  const aside = x1 === x2 && Math.abs(y2 - y1) > BOX.height ? (BOX.width + BLOCK.gapX) / 1.5 : 0;
  const bend = Math.max(BLOCK.gapY, Math.abs(y2 - y1) * 0.4) * (down ? 1 : -1);
  return [x1, y1, x1 + aside, y1 + bend, x2 + aside, y2 - bend, x2, y2];
}

function pointAt([x1, y1, ax, ay, bx, by, x2, y2], t) {
  const s = 1 - t;
  return [
    s * s * s * x1 + 3 * s * s * t * ax + 3 * s * t * t * bx + t * t * t * x2,
    s * s * s * y1 + 3 * s * s * t * ay + 3 * s * t * t * by + t * t * t * y2,
  ];
}

function trace(path, [x1, y1, ax, ay, bx, by, x2, y2]) {
  path.moveTo(x1, y1);
  path.bezierCurveTo(ax, ay, bx, by, x2, y2);
}

/** Draws `scene` as `camera` sees it. */
function drawMap(context, scene, camera, size) {
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = palette.page;
  context.fillRect(0, 0, size.width, size.height);
  const { scale } = camera;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, -camera.x * scale * ratio, -camera.y * scale * ratio);
  const sight = { left: camera.x, top: camera.y, right: camera.x + size.width / scale, bottom: camera.y + size.height / scale };
  const focus = focusOf(scene);
  drawFrames(context, scene, scale);
  drawLines(context, scene, scale, sight, focus);
  drawBoxes(context, scene, scale, sight, focus);
  drawTitles(context, scene, scale);
}

function drawFrames(context, scene, scale) {
  context.fillStyle = palette.card;
  context.strokeStyle = palette.line;
  context.lineWidth = 1 / Math.min(1, scale);
  for (const block of scene.blocks) {
    context.beginPath();
    context.roundRect(block.x, block.y, block.width, block.height, 10);
    context.fill();
    context.stroke();
  }
}

/** The name of each block and what is in it: always of the same size in pixels, and on top. */
function drawTitles(context, scene, scale) {
  const unit = 1 / Math.min(1, scale);
  context.textBaseline = "middle";
  for (const { name, note, head, x, y, width } of scene.blocks) {
    const middle = y + Math.min(head, BLOCK.head * unit) / 2 + unit;
    const left = x + BLOCK.pad;
    context.font = `650 ${14.5 * unit}px ${FONT}`;
    const own = context.measureText(name).width;
    context.font = `400 ${12.5 * unit}px ${FONT}`;
    // From afar it would stand over the boxes: then with a ground of its own, and without the note where the block is narrow.
    const noted = own + 10 * unit + context.measureText(note).width;
    const fits = noted <= width - BLOCK.pad;
    if (22 * unit > head) {
      context.fillStyle = palette.card;
      context.globalAlpha = 0.85;
      context.fillRect(left - 4 * unit, middle - 11 * unit, (fits ? noted : own) + 8 * unit, 22 * unit);
      context.globalAlpha = 1;
    }
    // Lines may pass here: the letters have an edge of their own.
    context.strokeStyle = palette.card;
    context.lineWidth = 4 * unit;
    context.lineJoin = "round";
    context.fillStyle = palette.soft;
    const below = !fits && 36 * unit < head;
    const put = (text, x, y) => {
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    };
    if (below) put(note, left, middle + 8 * unit);
    else if (fits) put(note, left + own + 10 * unit, middle);
    context.fillStyle = palette.ink;
    context.font = `650 ${14.5 * unit}px ${FONT}`;
    put(name, left, below ? middle - 8 * unit : middle);
  }
}

/** What is brought out: the chosen node with its calls, or the chosen call with its ends. Null: everything alike. */
function focusOf(scene) {
  const { node, call } = scene.chosen;
  if (call !== null) return { calls: new Set([call]), nodes: new Set([calls[call].client, calls[call].server]) };
  if (node === null) return null;
  const own = [...made[node], ...received[node]];
  return { calls: new Set(own), nodes: new Set([node, ...own.flatMap((number) => [calls[number].client, calls[number].server])]) };
}

function drawLines(context, scene, scale, sight, focus) {
  const dense = scene.lines.length > 1500 && scale < BOXES_FROM;
  for (const pass of focus ? ["faint", "bright"] : ["all"]) {
    // The worst last, on top.
    for (const { name } of [...STATES].reverse()) {
      const lines = scene.lines.filter((line) => line.state === name && inSight(line, sight) && (pass === "all" || focus.calls.has(line.call) === (pass === "bright")));
      if (!lines.length) continue;
      const { dash, width } = LINES[name];
      context.strokeStyle = palette[name];
      // In rows lines cross more: they step back until one of them is chosen.
      const plain = pass === "all" && scene.blocks.length;
      context.lineWidth = (pass === "bright" ? width + 1 : plain ? width * 0.7 : width) / Math.min(1, Math.max(scale, 0.08));
      context.setLineDash(dense ? [] : dash.map((length) => length / Math.min(1, scale)));
      const quiet = name === "sound" || name === "plaintext";
      context.globalAlpha = pass === "faint" ? 0.12 : pass === "bright" ? 1 : plain ? (quiet ? 0.2 : 0.55) : quiet && scene.lines.length > 400 ? (scale < BOXES_FROM ? 0.16 : 0.4) : quiet ? 0.75 : 0.95;
      const path = new Path2D();
      for (const line of lines) trace(path, line.curve);
      context.stroke(path);
      context.setLineDash([]);
      if (scale >= BOXES_FROM) drawHeads(context, lines, name, scale, name !== "sound" && scale >= 0.4 && pass !== "faint" && !plain);
    }
  }
  context.globalAlpha = 1;
}

/** Arrowheads, and in the middle of what isn't sound a sign of its state. */
function drawHeads(context, lines, name, scale, signed) {
  context.fillStyle = palette[name];
  const path = new Path2D();
  const size = 7 / Math.min(1, Math.max(scale, 0.5));
  for (const { curve: [, , , , bx, by, x2, y2] } of lines) {
    const angle = Math.atan2(y2 - by, x2 - bx);
    const corner = (turn) => [x2 + Math.cos(angle + turn) * size * 1.35, y2 + Math.sin(angle + turn) * size * 1.35];
    path.moveTo(x2, y2);
    path.lineTo(...corner(Math.PI - 0.42));
    path.lineTo(...corner(Math.PI + 0.42));
    path.closePath();
  }
  context.fill(path);
  if (signed) for (const line of lines) drawSign(context, name, ...pointAt(line.curve, 0.5), 8.5);
}

/** The sign of a state: the shapes of the page's icons. */
function drawSign(context, name, x, y, radius) {
  context.fillStyle = palette[name];
  context.strokeStyle = palette["on-state"];
  context.lineWidth = radius * 0.24;
  context.lineCap = "round";
  const r = radius;
  context.beginPath();
  if (name === "at-risk") {
    context.moveTo(x, y - r * 1.1);
    context.lineTo(x + r * 1.15, y + r * 0.9);
    context.lineTo(x - r * 1.15, y + r * 0.9);
    context.closePath();
  } else if (name === "broken") {
    for (let side = 0; side < 8; side += 1) {
      const angle = Math.PI / 8 + (side * Math.PI) / 4;
      context.lineTo(x + Math.cos(angle) * r * 1.08, y + Math.sin(angle) * r * 1.08);
    }
    context.closePath();
  } else {
    context.arc(x, y, r, 0, 2 * Math.PI);
  }
  context.fill();
  context.beginPath();
  if (name === "broken") {
    context.moveTo(x - r * 0.38, y - r * 0.38);
    context.lineTo(x + r * 0.38, y + r * 0.38);
    context.moveTo(x + r * 0.38, y - r * 0.38);
    context.lineTo(x - r * 0.38, y + r * 0.38);
  } else if (name === "at-risk") {
    context.moveTo(x, y - r * 0.4);
    context.lineTo(x, y + r * 0.2);
    context.moveTo(x, y + r * 0.55);
    context.lineTo(x, y + r * 0.56);
  } else if (name === "sound") {
    context.moveTo(x - r * 0.42, y + r * 0.03);
    context.lineTo(x - r * 0.1, y + r * 0.36);
    context.lineTo(x + r * 0.46, y - r * 0.32);
  } else if (name === "unknown") {
    context.arc(x, y - r * 0.22, r * 0.28, Math.PI, Math.PI * 2.35);
    context.lineTo(x, y + r * 0.25);
    context.moveTo(x, y + r * 0.58);
    context.lineTo(x, y + r * 0.59);
  } else {
    context.rect(x - r * 0.36, y - r * 0.05, r * 0.72, r * 0.5);
    context.moveTo(x - r * 0.24, y - r * 0.1);
    context.arc(x, y - r * 0.25, r * 0.24, Math.PI, Math.PI * 1.9);
  }
  context.stroke();
}

function drawBoxes(context, scene, scale, sight, focus) {
  for (const box of scene.boxes) {
    if (box.x > sight.right || box.x + BOX.width < sight.left || box.y > sight.bottom || box.y + BOX.height < sight.top) continue;
    context.globalAlpha = focus && !focus.nodes.has(box.node) ? 0.25 : 1;
    drawBox(context, box, scale, scene, focus !== null);
  }
  context.globalAlpha = 1;
}

function outline(context, box, inset = 0) {
  const radius = isGateway(nodes[box.node]) ? BOX.height / 2 : 8;
  context.beginPath();
  context.roundRect(box.x - inset, box.y - inset, BOX.width + 2 * inset, BOX.height + 2 * inset, radius + inset);
}

function drawBox(context, box, scale, scene, dimmed) {
  const node = nodes[box.node];
  const tone = palette[node.state];
  outline(context, box);
  if (scale < BOXES_FROM) {
    // From afar what is sound steps back.
    if (node.state === "sound" || node.state === "plaintext") context.globalAlpha *= 0.45;
    context.fillStyle = tone;
    context.fill();
  } else {
    // A line that passes behind a box can be followed through it, where few do.
    const whole = context.globalAlpha;
    context.globalAlpha = scene.blocks.length && !dimmed ? 1 : whole * 0.88;
    context.fillStyle = wanting(node.state) ? palette[`${node.state}-tint`] : palette.card;
    context.fill();
    context.globalAlpha = whole;
    context.strokeStyle = wanting(node.state) ? tone : palette.edge;
    context.lineWidth = 1.25 / Math.min(1, scale);
    context.stroke();
  }
  if (scene.chosen.node === box.node || scene.cursor === box.node) {
    context.strokeStyle = palette.accent;
    context.lineWidth = 2.5 / Math.min(1, scale);
    outline(context, box, 4 / Math.min(1, scale));
    context.stroke();
  }
  if (scale < BOXES_FROM) return;
  // A backend is judged by the calls that come to it.
  const signed = node.role !== "backend";
  if (scale < NAMES_FROM) {
    if (signed) drawSign(context, node.state, box.x + BOX.width / 2, box.y + BOX.height / 2, 15);
    return;
  }
  const signOf = signed && (wanting(node.state) || node.state === "unknown");
  // Hosts are longer than other names.
  const own = node.role === "host" ? 12 : 13.5;
  if (scale < DETAILS_FROM) {
    // In a small box the sign sits on the corner: the name needs the room.
    const inside = signOf && scale >= 0.6;
    if (inside) drawSign(context, node.state, box.x + 20, box.y + BOX.height / 2, 11);
    else if (signOf) drawSign(context, node.state, box.x + 3, box.y + 3, 7.5 / scale);
    const from = inside ? 38 : signOf ? 16 : 12;
    write(context, box, "short", node.name, 600, Math.max(own + 3, Math.min(LETTERS / scale, BOX.height * 0.8)), from, BOX.height / 2 + 1, "middle");
    return;
  }
  if (signed) drawSign(context, node.state, box.x + 20, box.y + BOX.height / 2, 8.5);
  const from = signed ? 38 : 14;
  write(context, box, "title", node.name, 600, Math.max(own, LETTERS / scale), from, 20, "alphabetic");
  write(context, box, "line", scene.blocks.length ? lineInBlock(box.node) : lineUnder(node), 400, Math.max(11.5, 10.5 / scale), from, 36, "alphabetic");
}

/** The same in a namespace's block. */
function lineInBlock(number) {
  const node = nodes[number];
  return node.role === "member" && !isGateway(node) ? `called by ${received[number].length}, calls ${made[number].length}` : node.noun;
}

/** Writes a text into a box, cut to its width. */
function write(context, box, slot, text, weight, size, from, down, baseline) {
  context.font = `${weight} ${Math.round(size * 4) / 4}px ${FONT}`;
  context.textBaseline = baseline;
  context.fillStyle = slot === "line" ? palette.soft : palette.ink;
  context.fillText(fitted(context, box, slot, text, from), box.x + from, box.y + down);
}

/** The line under a name: the namespace, and what it is where that is no node of a mesh like all the others. */
function lineUnder(node) {
  if (node.role !== "member") return `${node.namespace} · ${node.noun}`;
  return isGateway(node) ? `${node.namespace} · gateway` : node.namespace;
}

/** A text cut to the box's width, measured once for each size. */
function fitted(context, box, slot, text, from) {
  const key = `${context.font} ${from}`;
  if (box[slot]?.key === key) return box[slot].text;
  const room = BOX.width - from - 8;
  let cut = text;
  while (cut.length > 1 && context.measureText(cut === text ? cut : `${cut}…`).width > room) cut = cut.slice(0, -1);
  box[slot] = { key, text: cut === text ? text : `${cut}…` };
  return box[slot].text;
}

const inSight = ({ bounds }, sight) =>
  bounds.left <= sight.right && bounds.right >= sight.left && bounds.top <= sight.bottom && bounds.bottom >= sight.top;
