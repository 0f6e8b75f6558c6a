// Which part of the mesh is shown: by namespace, by the states of calls, and all of it or only what needs attention.

/** Up to so many nodes the whole mesh is shown at once. */
const SMALL = 150;

const shown = {
  namespace: "",
  states: new Set(STATES.map(({ name }) => name)),
  whole: true,
  nodes: [],
  calls: [],
};
const shownListeners = [];
const onShown = (listener) => shownListeners.push(listener);

const wanting = (state) => state === "broken" || state === "at-risk";
const someTrouble = calls.some((call) => wanting(call.state)) || nodes.some((node) => wanting(node.state));

/** Chooses the nodes and calls to show, and tells those who draw them. */
function refresh() {
  const within = (node) => !shown.namespace || node.namespace === shown.namespace;
  const needed = (number) => nodes[number].state === "broken";
  shown.calls = calls.flatMap((call, number) => {
    const near = within(nodes[call.client]) || within(nodes[call.server]);
    const attention = shown.whole || wanting(call.state);
    return near && attention && shown.states.has(call.state) ? [number] : [];
  });
  const joined = new Set(shown.calls.flatMap((number) => [calls[number].client, calls[number].server]));
  const everyState = shown.states.size === STATES.length;
  shown.nodes = nodes.flatMap((node, number) => {
    const alone = within(node) && everyState && (shown.whole || needed(number));
    return joined.has(number) || alone ? [number] : [];
  });
  for (const listener of shownListeners) listener();
}

/** Shows the calls in these states alone, of the whole mesh. */
function showStates(names) {
  shown.states = new Set(names);
  shown.whole = shown.whole || !names.every(wanting);
  drawControls();
  refresh();
}

function drawControls() {
  for (const button of byId("states").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(shown.states.has(button.dataset.state)));
  }
  byId("whole").checked = shown.whole;
}

function startShown() {
  for (const { name, words, means } of STATES) {
    const toggle = () => {
      if (shown.states.has(name)) shown.states.delete(name);
      else shown.states.add(name);
      drawControls();
      refresh();
    };
    byId("states").append(element("button", { type: "button", "data-state": name, title: means, "aria-pressed": "true", onclick: toggle }, icon(name), words));
  }
  const namespaces = [...new Set(nodes.map((node) => node.namespace))].sort();
  byId("map-namespace").append(new Option("All", ""), ...namespaces.map((name) => new Option(name, name)));
  byId("map-namespace").addEventListener("change", (event) => {
    shown.namespace = event.target.value;
    refresh();
  });
  shown.whole = nodes.length <= SMALL || !someTrouble;
  byId("whole-label").querySelector("span").textContent = `Whole mesh (${plural(nodes.length, "node")})`;
  byId("whole-label").hidden = !someTrouble;
  byId("whole").addEventListener("change", (event) => {
    shown.whole = event.target.checked;
    refresh();
  });
  byId("node-names").append(...nodes.map((node) => element("option", { value: nodeName(node) })));
  byId("find").addEventListener("change", (event) => findNode(event.target.value.trim()));
  byId("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter") findNode(event.target.value.trim());
  });
  drawControls();
}

function findNode(text) {
  if (!text) return;
  const wanted = text.toLowerCase();
  const match = (test) => nodes.findIndex((node) => test(nodeName(node).toLowerCase(), node.name.toLowerCase()));
  let number = match((full, name) => full === wanted || name === wanted);
  if (number < 0) number = match((full) => full.includes(wanted));
  if (number < 0) {
    announce(`No node is called ${text}`);
    byId("find").setAttribute("aria-invalid", "true");
    return;
  }
  byId("find").removeAttribute("aria-invalid");
  bringIn(number);
  select({ node: number });
}

/** Widens what is shown until a node is in it. */
function bringIn(number) {
  if (shown.nodes.includes(number)) return;
  shown.namespace = "";
  byId("map-namespace").value = "";
  shown.states = new Set(STATES.map(({ name }) => name));
  if (!wanting(nodes[number].state)) shown.whole = true;
  drawControls();
  refresh();
  if (!shown.nodes.includes(number)) {
    shown.whole = true;
    drawControls();
    refresh();
  }
}
