// What every part of the page uses: the data, elements, words and dates. Text from the data only ever becomes text nodes.

const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, calls, certificates, findings } = data;
const judgedAt = new Date(data.judgedAt);

const DAY = 24 * 60 * 60 * 1000;
/** How many rows a table shows before "Show more". */
const ROWS = 60;

/** The states, the worst first, with what they mean. */
const STATES = [
  { name: "broken", words: "broken", means: "TLS fails, or a proxy refuses its configuration" },
  { name: "at-risk", words: "at risk", means: "works, and something may break it" },
  { name: "unknown", words: "unknown", means: "something that it depends on isn't known" },
  { name: "plaintext", words: "plaintext", means: "neither end speaks TLS" },
  { name: "sound", words: "sound", means: "TLS works" },
];
const stateOf = new Map(STATES.map((state, rank) => [state.name, { ...state, rank }]));
const rankOf = (name) => stateOf.get(name).rank;

const byId = (id) => document.getElementById(id);

/** An element with attributes and children; `on…` attributes are listeners, a text child becomes a text node. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** An icon of page.html's sprite. */
function icon(name, state = true) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", state ? "icon state" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A state as icon and word. */
function pill(state) {
  return element("span", { class: "pill", "data-state": state }, icon(state), stateOf.get(state).words);
}

const severityState = (finding) => (finding.suppressed !== null ? "unknown" : finding.severity === "deny" ? "broken" : "at-risk");
const severityWords = (finding) => (finding.suppressed !== null ? "ignored" : finding.severity);

function severityPill(finding) {
  const state = severityState(finding);
  return element("span", { class: "pill", "data-state": state }, icon(state), severityWords(finding));
}

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const isAre = (count) => (count === 1 ? "is" : "are");

/** `3 nodes, 2 hosts`: what stands on the map, by what it is. */
function counted(list) {
  const roles = [["node", list.filter(hasProxy)], ["host", list.filter((node) => node.role === "host")], ["service", list.filter((node) => node.role === "backend")]];
  const words = roles.filter(([noun, some]) => noun === "node" || some.length).map(([noun, some]) => plural(some.length, noun));
  return (words.length > 1 && words[0] === "0 nodes" ? words.slice(1) : words).join(", ");
}

const nodeName = (node) => `${node.namespace}/${node.name}`;
const nodeNoun = (node) => node.noun;
/** Whether a node lets in whoever calls from outside. */
const isGateway = (node) => node.role === "entrance" || node.noun.endsWith("gateway");
/** Whether a node has proxies: hosts and backends have none. */
const hasProxy = (node) => node.role === "member" || node.role === "entrance";
const objectName = (finding) => `${finding.kind} ${finding.namespace ? `${finding.namespace}/` : ""}${finding.name}`;

/** `front → blue`, with namespaces where they differ. */
function callName(call) {
  const [client, server] = [nodes[call.client], nodes[call.server]];
  const name = client.namespace === server.namespace ? (node) => node.name : nodeName;
  return `${name(client)} → ${name(server)}`;
}

const dateFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const momentFormat = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});
const date = (text) => dateFormat.format(new Date(text));
const moment = (text) => `${momentFormat.format(new Date(text))} UTC`;
const daysLeft = (text) => (new Date(text) - judgedAt) / DAY;

/** `in 12 days`, `3 hours ago`, `in 9 years`. */
function distance(text) {
  const days = daysLeft(text);
  const size = Math.abs(days);
  const words =
    size >= 730 ? plural(Math.round(size / 365.25), "year")
    : size >= 2 ? plural(Math.floor(size), "day")
    : plural(Math.max(0, Math.floor(size * 24)), "hour");
  return days < 0 ? `${words} ago` : `in ${words}`;
}

const hasEnded = (certificate) => daysLeft(certificate.notAfter) < 0;
/** `expired 5 days ago`, `in 12 days`. */
const ending = (certificate) => (hasEnded(certificate) ? `expired ${distance(certificate.notAfter)}` : distance(certificate.notAfter));
/** The numbers of the certificates: those that have ended first, then by the day that they end. */
const byEnd = certificates.map((_, number) => number).sort((a, b) => new Date(certificates[a].notAfter) - new Date(certificates[b].notAfter) || a - b);

/** A certificate's state by its dates alone. */
function certificateState(certificate) {
  const left = daysLeft(certificate.notAfter);
  const life = (new Date(certificate.notAfter) - new Date(certificate.notBefore)) / DAY;
  if (left < 0 || daysLeft(certificate.notBefore) > 0) return "broken";
  return left < Math.min(30, life / 5) ? "at-risk" : "sound";
}

/** The first name that tells a certificate from others. */
function certificateName(certificate) {
  const name = certificate.names.find((text) => text.startsWith("DNS:") || text.startsWith("URI:"));
  return name ? name.slice(4) : commonName(certificate.subject);
}

/** The common name of a distinguished name, or all of it. */
function commonName(subject) {
  const found = /(?:^|,)CN=((?:\\.|[^,+\\])+)/.exec(subject);
  return found ? found[1].replace(/\\(.)/g, "$1") : subject || "(no name)";
}

/** Shows the rows of a list, some at a time. `row(item)` makes one or more elements. */
function paged(body, more, row) {
  let items = [];
  let shown = 0;
  function show(until) {
    const made = document.createDocumentFragment();
    for (; shown < Math.min(until, items.length); shown += 1) made.append(...[row(items[shown])].flat());
    body.append(made);
    more.hidden = shown >= items.length;
    if (!more.hidden) more.textContent = `Show more (${(items.length - shown).toLocaleString("en")} left)`;
  }
  more.addEventListener("click", () => {
    const first = shown;
    show(shown + ROWS * 4);
    body.rows[first]?.querySelector("button")?.focus();
  });
  return {
    set(list) {
      items = list;
      shown = 0;
      body.replaceChildren();
      show(ROWS);
    },
    showUpTo: (count) => show(count),
  };
}

/** Says something to screen readers. */
function announce(text) {
  byId("live").textContent = text;
}

/** For each node, the numbers of the calls that it makes and receives. */
const made = nodes.map(() => []);
const received = nodes.map(() => []);
calls.forEach((call, number) => {
  made[call.client].push(number);
  received[call.server].push(number);
});

/** Without what both ends of a call are told alike. */
function distinct(numbers) {
  const told = new Set();
  return numbers.filter((number) => {
    const key = `${findings[number].code} ${findings[number].message}`;
    return !told.has(key) && told.add(key);
  });
}

/** For each finding, the numbers of the calls that it touches. */
const touched = findings.map(() => []);
calls.forEach((call, number) => {
  for (const finding of call.findings) touched[finding].push(number);
});

/** What the person has chosen. Parts subscribe; nothing else is shared between them. */
const listeners = [];
const chosen = { node: null, call: null };
/** `focus`: move the focus to the panel; `closer`: bring it near enough to be read. */
function select(what, { focus = false, closer = focus } = {}) {
  chosen.node = what.node ?? null;
  chosen.call = what.call ?? null;
  for (const listener of listeners) listener({ focus, closer });
}
const onSelect = (listener) => listeners.push(listener);
