// Where the boxes stand: layers from callers to callees, the same for the same mesh, in time that grows as the mesh does.
//
// 1. Each connected part is laid out by itself: cycles are opened, each node stands one layer behind its callers, and the order
//    within a layer follows the neighbours' (a few sweeps of barycentres).
// 2. Layers that are too tall become several columns, and a long thin part is folded like text.
// 3. The parts are packed on shelves, those in the worst state first; nodes without calls stand in a grid of their own.

const BOX = { width: 196, height: 46, gapX: 96, gapY: 18, part: 64 };

/** Lays out `count` nodes with `edges` of [from, to]; `rank(node)` says how urgent a node is, the smallest first. */
function layout(count, edges, rank) {
  const next = Array.from({ length: count }, () => []);
  const previous = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) {
    if (from === to || next[from].includes(to)) continue;
    next[from].push(to);
    previous[to].push(from);
  }
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const lone = [];
  const parts = [];
  for (const part of components(count, next, previous)) {
    if (part.length === 1) lone.push(part[0]);
    else parts.push(placePart(part, next, previous, x, y));
  }
  for (const part of parts) part.rank = Math.min(...part.nodes.map(rank));
  parts.sort((a, b) => a.rank - b.rank || b.nodes.length - a.nodes.length || a.nodes[0] - b.nodes[0]);
  lone.sort((a, b) => rank(a) - rank(b) || a - b);
  return pack(parts, lone, x, y);
}

function components(count, next, previous) {
  const seen = new Uint8Array(count);
  const parts = [];
  for (let start = 0; start < count; start += 1) {
    if (seen[start]) continue;
    seen[start] = 1;
    const part = [start];
    for (let at = 0; at < part.length; at += 1) {
      for (const other of [...next[part[at]], ...previous[part[at]]]) {
        if (!seen[other]) {
          seen[other] = 1;
          part.push(other);
        }
      }
    }
    parts.push(part.sort((a, b) => a - b));
  }
  return parts;
}

/** Sets x and y of a part's nodes from (0, 0) on, and returns its size. */
function placePart(part, next, previous, x, y) {
  const layer = layers(part, next, previous);
  const rows = [];
  for (const node of part) (rows[layer.get(node)] ??= []).push(node);
  order(rows, next, previous);

  const stepX = BOX.width + BOX.gapX;
  const stepY = BOX.height + BOX.gapY;
  const tallest = bestHeight(rows.map((row) => row.length), stepX, stepY);
  const columns = rows.flatMap((row) => {
    const pieces = Math.ceil(row.length / tallest);
    const size = Math.ceil(row.length / pieces);
    return Array.from({ length: pieces }, (_, piece) => row.slice(piece * size, (piece + 1) * size));
  });
  const height = Math.max(...columns.map((column) => column.length)) * stepY;
  // A long chain of few is folded; a line across a fold is hard to follow, so nothing else is.
  const extreme = columns.length * stepX > 6 * Math.max(height, 4 * stepY);
  const wide = extreme ? Math.max(4, Math.ceil(Math.sqrt((2 * columns.length * (height + BOX.gapY)) / stepX))) : columns.length;
  let top = 0;
  for (let first = 0; first < columns.length; first += wide) {
    const band = columns.slice(first, first + wide);
    const bandHeight = Math.max(...band.map((column) => column.length)) * stepY;
    band.forEach((column, index) => {
      const offset = (bandHeight - column.length * stepY) / 2;
      column.forEach((node, row) => {
        x[node] = index * stepX;
        y[node] = top + offset + row * stepY;
      });
    });
    top += bandHeight + BOX.gapY;
  }
  return { nodes: part, width: Math.min(wide, columns.length) * stepX - BOX.gapX, height: top - BOX.gapY - BOX.gapY };
}

/** The number of boxes in a column by which a part comes nearest to twice as wide as tall. */
function bestHeight(sizes, stepX, stepY) {
  const most = Math.max(...sizes);
  let best = { far: Infinity, height: most };
  // Steps grow with the height: a part of thousands needs no finer look.
  for (let height = Math.min(4, most); height <= most; height += Math.max(1, Math.floor(height / 8))) {
    const columns = sizes.reduce((sum, size) => sum + Math.ceil(size / height), 0);
    const far = Math.abs(Math.log((columns * stepX) / (2 * height * stepY)));
    if (far < best.far) best = { far, height };
  }
  return best.height;
}

/** The layer of each node: one behind the last of its callers, cycles opened where a walk closes them. */
function layers(part, next, previous) {
  const open = new Map(part.map((node) => [node, 0])); // 0 not met, 1 on the walk, 2 done
  const ahead = new Map(part.map((node) => [node, []]));
  const starts = [...part].sort((a, b) => previous[a].length - previous[b].length || a - b);
  const done = [];
  for (const start of starts) {
    if (open.get(start)) continue;
    const walk = [[start, 0]];
    open.set(start, 1);
    while (walk.length) {
      const top = walk[walk.length - 1];
      const [node, at] = top;
      if (at === next[node].length) {
        open.set(node, 2);
        done.push(node);
        walk.pop();
        continue;
      }
      top[1] += 1;
      const other = next[node][at];
      if (open.get(other) === 1) continue; // It closes a cycle: drawn backwards.
      ahead.get(node).push(other);
      if (!open.get(other)) {
        open.set(other, 1);
        walk.push([other, 0]);
      }
    }
  }
  const layer = new Map(part.map((node) => [node, 0]));
  for (const node of done.reverse()) {
    for (const other of ahead.get(node)) layer.set(other, Math.max(layer.get(other), layer.get(node) + 1));
  }
  // A caller stands next to what it calls, not at the far left.
  for (const node of done.reverse()) {
    const nearest = Math.min(...ahead.get(node).map((other) => layer.get(other)));
    if (!previous[node].length && Number.isFinite(nearest)) layer.set(node, nearest - 1);
  }
  return layer;
}

/** Orders each layer by where the neighbours stand, so that lines cross little. */
function order(rows, next, previous) {
  const place = new Map();
  const note = (row) => row.forEach((node, index) => place.set(node, (index + 0.5) / row.length));
  rows.forEach(note);
  const sweep = (row, neighbours) => {
    const weight = new Map(row.map((node) => {
      const around = neighbours[node];
      return [node, around.length ? around.reduce((sum, other) => sum + place.get(other), 0) / around.length : place.get(node)];
    }));
    row.sort((a, b) => weight.get(a) - weight.get(b) || a - b);
    note(row);
  };
  for (let round = 0; round < 4; round += 1) {
    for (const row of rows) sweep(row, previous);
    for (const row of [...rows].reverse()) sweep(row, next);
  }
}

/** Packs the parts on shelves, and the lone nodes below them. */
function pack(parts, lone, x, y) {
  const stepX = BOX.width + BOX.gapX / 2;
  const stepY = BOX.height + BOX.gapY;
  const area = parts.reduce((sum, part) => sum + (part.width + BOX.part) * (part.height + BOX.part), 0);
  const across = Math.max(Math.sqrt(2.1 * (area + lone.length * stepX * stepY)), ...parts.map((part) => part.width), BOX.width);
  let [left, top, shelf, width] = [0, 0, 0, 0];
  for (const part of parts) {
    if (left > 0 && left + part.width > across) {
      top += shelf + BOX.part;
      [left, shelf] = [0, 0];
    }
    for (const node of part.nodes) {
      x[node] += left;
      y[node] += top;
    }
    width = Math.max(width, left + part.width);
    left += part.width + BOX.part;
    shelf = Math.max(shelf, part.height);
  }
  if (parts.length) top += shelf + BOX.part;
  const columns = Math.max(1, Math.floor((Math.max(width, across) + BOX.gapX / 2) / stepX));
  lone.forEach((node, index) => {
    x[node] = (index % columns) * stepX;
    y[node] = top + Math.floor(index / columns) * stepY;
  });
  if (lone.length) {
    width = Math.max(width, Math.min(columns, lone.length) * stepX - BOX.gapX / 2);
    top += Math.ceil(lone.length / columns) * stepY - BOX.gapY + BOX.part;
  }
  return { x, y, width, height: top - BOX.part };
}
