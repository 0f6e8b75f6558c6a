// Where the boxes stand in a mesh too large to be drawn by who calls whom: in a block for each namespace, like text, the most urgent
// first, among the blocks and in each.

const BLOCK = { gapX: 28, gapY: 14, head: 44, pad: 16, apart: 28 };

/** How many boxes stand beside one another within a width. */
const columnsWithin = (width) => Math.max(1, Math.floor((width - 2 * BLOCK.pad + BLOCK.gapX) / (BOX.width + BLOCK.gapX)));

/**
 * Lays out `items` of {group, name, rank} in rows of `columns`, below titles of height `head`; small blocks share a shelf. Returns the places in the order of the
 * items, and the blocks with their frames.
 */
function layoutGroups(items, columns, head = BLOCK.head) {
  const groups = new Map();
  items.forEach((item, index) => {
    if (!groups.has(item.group)) groups.set(item.group, []);
    groups.get(item.group).push(index);
  });
  const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const blocks = [...groups].map(([name, members]) => {
    members.sort((a, b) => items[a].rank - items[b].rank || byName(items[a].name, items[b].name) || a - b);
    const worst = items[members[0]].rank;
    return { name, members, worst, urgent: members.filter((index) => items[index].rank === worst).length };
  });
  blocks.sort((a, b) => a.worst - b.worst || b.urgent - a.urgent || byName(a.name, b.name));

  const stepX = BOX.width + BLOCK.gapX;
  const stepY = BOX.height + BLOCK.gapY;
  const across = columns * stepX - BLOCK.gapX + 2 * BLOCK.pad;
  const x = new Float64Array(items.length);
  const y = new Float64Array(items.length);
  let [left, top, shelf, width] = [0, 0, 0, 0];
  for (const block of blocks) {
    const wide = Math.min(columns, block.members.length);
    block.width = wide * stepX - BLOCK.gapX + 2 * BLOCK.pad;
    block.height = head + Math.ceil(block.members.length / wide) * stepY - BLOCK.gapY + BLOCK.pad;
    if (left > 0 && left + block.width > across) {
      top += shelf + BLOCK.apart;
      [left, shelf] = [0, 0];
    }
    [block.x, block.y] = [left, top];
    block.members.forEach((index, at) => {
      x[index] = left + BLOCK.pad + (at % wide) * stepX;
      y[index] = top + head + Math.floor(at / wide) * stepY;
    });
    width = Math.max(width, left + block.width);
    left += block.width + BLOCK.apart;
    shelf = Math.max(shelf, block.height);
  }
  return { x, y, width, height: top + shelf, blocks, head };
}
