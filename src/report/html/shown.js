// Which part of the mesh is shown: the calls in the chosen states, in all namespaces or one.

/** Up to so many nodes the whole mesh is shown at once; of a larger one what needs attention, if anything does. */
const SMALL = 150;
const ALL_STATES = STATES.map(({ name }) => name);
const ATTENTION = ["broken", "at-risk"];

const wanting = (state) => ATTENTION.includes(state);
const someTrouble = calls.some((call) => wanting(call.state)) || nodes.some((node) => wanting(node.state));

const shown = {
  namespace: "",
  states: new Set(nodes.length <= SMALL || !someTrouble ? ALL_STATES : ATTENTION),
  nodes: [],
  calls: [],
};
const shownListeners = [];
const onShown = (listener) => shownListeners.push(listener);

/** Chooses the nodes and calls to show, and tells those who draw them. */
function refresh() {
  const within = (node) => !shown.namespace || node.namespace === shown.namespace;
  shown.calls = calls.flatMap((call, number) => {
    const near = within(nodes[call.client]) || within(nodes[call.server]);
    return near && shown.states.has(call.state) ? [number] : [];
  });
  const joined = new Set(shown.calls.flatMap((number) => [calls[number].client, calls[number].server]));
  const whole = shown.states.size === ALL_STATES.length;
  // A node that is in trouble by itself stays, whoever calls it.
  const alone = (node) => whole || (wanting(node.state) && shown.states.has(node.state));
  shown.nodes = nodes.flatMap((node, number) => (joined.has(number) || (within(node) && alone(node)) ? [number] : []));
  for (const button of byId("states").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(shown.states.has(button.dataset.state)));
  }
  byId("whole").textContent = whole ? "What needs attention" : `Whole mesh (${counted(nodes)})`;
  byId("map-namespace").value = shown.namespace;
  for (const listener of shownListeners) listener();
}

/** Shows the calls in these states alone. */
function showStates(names) {
  shown.states = new Set(names);
  refresh();
}

function startShown() {
  for (const { name, words, means } of STATES) {
    const toggle = () => {
      if (shown.states.has(name)) shown.states.delete(name);
      else shown.states.add(name);
      refresh();
    };
    byId("states").append(element("button", { type: "button", "data-state": name, title: means, onclick: toggle }, icon(name), words));
  }
  const namespaces = [...new Set(nodes.map((node) => node.namespace))].sort();
  byId("map-namespace").append(new Option("All", ""), ...namespaces.map((name) => new Option(name, name)));
  byId("map-namespace").addEventListener("change", (event) => {
    shown.namespace = event.target.value;
    refresh();
  });
  byId("whole").hidden = !someTrouble;
  byId("whole").addEventListener("click", () => showStates(shown.states.size === ALL_STATES.length ? ATTENTION : ALL_STATES));
  byId("node-names").append(...nodes.map((node) => element("option", { value: nodeName(node) })));
  byId("find").addEventListener("change", (event) => findNode(event.target.value.trim()));
  byId("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter") findNode(event.target.value.trim());
  });
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
  select({ node: number }, { closer: true });
}

/** Widens what is shown until nodes and a call are in it. */
function bringIn(wantedNodes, call = null) {
  const there = () => wantedNodes.every((node) => shown.nodes.includes(node)) && (call === null || shown.calls.includes(call));
  if (there()) return;
  shown.namespace = "";
  refresh();
  if (!there()) showStates(ALL_STATES);
}
