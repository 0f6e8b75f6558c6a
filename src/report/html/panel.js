// The panel beside the map: a node with its ends and calls, or a call with both of its ends.

function startPanel() {
  onSelect(({ focus }) => {
    const panel = byId("panel");
    const content = chosen.call !== null ? callPanel(chosen.call) : chosen.node !== null ? nodePanel(chosen.node) : null;
    panel.hidden = content === null;
    panel.replaceChildren(...(content ?? []));
    panel.scrollTop = 0;
    if (content && focus) byId("panel-title").focus({ preventScroll: true });
    remember();
  });
  byId("panel").addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePanel();
  });
}

function closePanel() {
  select({});
  const back = byId("call-list").hidden ? byId("map") : byId("as-list");
  back.focus({ preventScroll: true });
}

/** Keeps what is chosen in the address, so that it can be linked to. */
function remember() {
  const node = chosen.node === null ? null : nodes[chosen.node];
  const call = chosen.call === null ? null : calls[chosen.call];
  const hash = node ? `#node=${nodeName(node)}` : call ? `#call=${nodeName(nodes[call.client])},${nodeName(nodes[call.server])}` : "";
  if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

function recall() {
  const [, kind, text] = /^#(node|call)=(.+)$/.exec(decodeURIComponent(location.hash)) ?? [];
  if (kind === "node") {
    const node = nodes.findIndex((node) => nodeName(node) === text);
    if (node >= 0) select({ node });
  } else if (kind === "call") {
    const call = calls.findIndex((call) => `${nodeName(nodes[call.client])},${nodeName(nodes[call.server])}` === text);
    if (call >= 0) select({ call });
  }
}

function top(title, state, note) {
  return element("div", { class: "top" },
    element("div", {}, element("h3", { id: "panel-title", tabindex: "-1" }, title), pill(state), " ", element("span", { class: "quiet" }, note)),
    element("button", { type: "button", class: "tool", onclick: closePanel, "aria-label": "Close" }, "✕"),
  );
}

function nodePanel(number) {
  const node = nodes[number];
  const facts = element("dl", { class: "pairs" });
  const fact = (term, ...value) => facts.append(element("dt", {}, term), element("dd", {}, ...value));
  if (node.mesh) fact(node.role === "entrance" ? "Class" : "Mesh", node.mesh);
  if (node.knownAs) fact("Known as", element("span", { class: "mono" }, node.knownAs));
  if (node.role === "member") fact("Runs in", node.workloads.length ? node.workloads.join(", ") : "no workload is known");
  return [
    top(nodeName(node), node.state, nodeNoun(node)),
    facts,
    ...section("Findings", told(distinct(node.findings))),
    ...section(node.role === "entrance" ? `Asked for ${plural(received[number].length, "host")}` : `Called by ${received[number].length}`, callLinks(received[number], "client")),
    ...section(node.role === "host" ? "Served by" : `Calls ${made[number].length}`, callLinks(made[number], "server")),
    ...(hasProxy(node) ? node.listeners : []).map((listener) => endCard(listenerTitle(node, listener), listenerNote(listener, node), listener, "It asks clients for")),
    ...node.policies.map((policy) => endCard("Client policy", policyNote(policy), policy, "It asks servers for")),
  ];
}

function section(title, content) {
  return content ? [element("div", {}, element("h3", {}, title), content)] : [];
}

function callLinks(numbers, end) {
  if (!numbers.length) return null;
  const sorted = [...numbers].sort((a, b) => rankOf(calls[a].state) - rankOf(calls[b].state));
  const list = element("ul", { class: "calls" });
  const show = (some) => list.append(...some.map((number) => {
    const call = calls[number];
    const name = nodeName(nodes[call[end]]);
    const open = () => select({ call: number }, { focus: true });
    return element("li", {}, element("button", { type: "button", onclick: open, "aria-label": `${name}, ${stateOf.get(call.state).words}` },
      element("span", { "data-state": call.state }, icon(call.state)), element("span", { title: name }, name), element("small", {}, stateOf.get(call.state).words)));
  }));
  show(sorted.slice(0, 12));
  if (sorted.length > 12) {
    const rest = element("button", { type: "button", onclick: () => {
      rest.parentElement.remove();
      show(sorted.slice(12));
    } }, element("small", {}, `${sorted.length - 12} more`));
    list.append(element("li", {}, rest));
  }
  return list;
}

function callPanel(number) {
  const call = calls[number];
  const [client, server] = [nodes[call.client], nodes[call.server]];
  const listener = server.listeners[call.listener];
  const policy = call.policy === null ? null : client.policies[call.policy];
  const goTo = (node) => element("button", { type: "button", class: "linklike", onclick: () => select({ node }, { focus: true }) }, nodeName(nodes[node]));
  const facts = element("dl", { class: "pairs" },
    element("dt", {}, "Client"), element("dd", {}, goTo(call.client)),
    element("dt", {}, "Server"), element("dd", {}, goTo(call.server)),
    call.services.length > 0 && [element("dt", {}, "By service"), element("dd", {}, call.services.join(", "))],
  );
  const unknown = call.unknown.length ? element("ul", {}, ...call.unknown.map((text) => element("li", { class: "why" }, text))) : null;
  const bare = { shows: [], trusts: [], names: [], validates: false };
  return [
    top(callName(call), call.state, call.idle ? "idle: the route there has weight 0" : ""),
    call.findings.length || unknown ? null : element("p", { class: "why" }, soundWords(call, policy, listener)),
    facts,
    ...section("What is wrong", told(distinct(call.findings))),
    ...section("What isn't known", unknown),
    client.role !== "host" && endCard(`Client ${client.name}`, policy ? policyNote(policy) : "no client policy: the server decides", policy?.enforced ? policy : bare, "It asks the server for"),
    server.role !== "backend" && endCard(server.role === "entrance" ? listenerTitle(server, listener) : `Server ${server.name}`, listenerNote(listener, server), listener, "It asks clients for"),
  ].filter(Boolean);
}

function soundWords(call, policy, listener) {
  const [client, server] = [nodes[call.client], nodes[call.server]];
  if (client.role === "host") return "A certificate of the listener is for this host, and nothing else is wrong with it.";
  if (server.role === "backend" && call.state === "plaintext") return "No policy asks for TLS there: what the gateway says to it can be read on the way.";
  if (call.state === "plaintext") return "Neither end speaks TLS: what they say to each other can be read on the way.";
  if (!policy?.enforced) return "The listener speaks TLS, and App Mesh makes the client speak it too, without verifying the certificate.";
  const names = policy.validates ? "Names, issuer and dates of the server's certificate are what the client asks for" : "The client asks nothing of the server's certificate";
  return `${names}${listener.validates ? ", and the client's certificate is one that the listener accepts" : ""}.`;
}

/** Listeners of a gateway have names; those of a node go by their port. */
const listenerTitle = (node, { anchor, port }) => (node.role === "entrance" ? `${anchor[0].toUpperCase()}${anchor.slice(1)}` : `Listener ${port ?? "?"}`);
const listenerNote = (listener, node) => {
  const mode = listener.mode === null ? "no TLS" : node.role === "entrance" ? "TLS" : `TLS ${listener.mode}`;
  const port = node.role === "entrance" && listener.port ? `port ${listener.port}, ` : "";
  return `${port}${listener.protocol || "?"}, ${mode}`;
};
const policyNote = (policy) =>
  `${policy.anchor}, ${policy.enforced ? "TLS enforced" : "not enforced"}${policy.ports.length ? `, for port ${policy.ports.join(", ")}` : ""}`;

/** What one end shows, trusts and asks for. */
function endCard(title, note, end, asks) {
  const list = element("dl", {});
  const row = (term, ...values) => list.append(element("dt", {}, term), ...values.map((value) => element("dd", {}, value)));
  row("Presents", end.shows.length ? end.shows.map(shownCertificate) : "no certificate");
  row("Trusts", end.trusts.length ? end.trusts.map(trustedBundle) : end.validates ? "no authority is named" : "it doesn't look");
  if (end.names.length) row("Names", element("span", { class: "mono" }, end.names.join(", ")), element("small", {}, `${asks} one of these`));
  return element("section", { class: "end", "aria-label": title }, element("header", {}, element("h3", {}, title, element("small", {}, note))), list);
}

function shownCertificate({ origin, chain, more, unknown }) {
  const [leaf, ...rest] = chain.map((number) => certificates[number]);
  if (!leaf) return element("div", { class: "cert" }, element("span", {}, unknown ?? origin), unknown && element("small", {}, origin));
  return element("div", { class: "cert" },
    element("span", { class: "name" }, certificateName(leaf)),
    element("small", {}, names(leaf)),
    element("span", {}, "issued by ", commonName(leaf.issuer)),
    dates(leaf),
    element("small", {}, `${leaf.key}, from ${origin}`),
    rest.length > 0 && element("ul", { class: "path", "aria-label": "The rest of the chain" },
      ...rest.map((link) => element("li", {}, commonName(link.subject), " ", element("small", {}, `ends ${date(link.notAfter)}`))),
      more > 0 && element("li", {}, `${more} more`)),
    unknown && element("small", {}, unknown),
  );
}

function trustedBundle({ origin, authorities, more, unknown }) {
  if (!authorities.length) return element("div", { class: "cert" }, element("span", {}, unknown ?? origin), unknown && element("small", {}, origin));
  return element("div", { class: "cert" },
    ...authorities.map((number) => certificates[number]).map((authority) =>
      element("div", {}, element("span", { class: "name" }, commonName(authority.subject)), " ", dates(authority))),
    more > 0 && element("small", {}, `and ${more} more`),
    element("small", {}, `from ${origin}`),
  );
}

function names(certificate) {
  const all = [...certificate.names, ...(certificate.moreNames ? [`${certificate.moreNames} more`] : [])];
  return all.length ? all.join(", ") : "no subject alternative name";
}

function dates(certificate) {
  const state = certificateState(certificate);
  const words = `${date(certificate.notBefore)} – ${date(certificate.notAfter)}`;
  const left = daysLeft(certificate.notBefore) > 0 ? `valid ${distance(certificate.notBefore)}` : hasEnded(certificate) ? ending(certificate) : `expires ${ending(certificate)}`;
  return element("small", {}, `${words}, `, element("span", { class: "ends", "data-state": state }, left));
}

/** Findings with all that is known of each. */
function told(numbers) {
  if (!numbers.length) return null;
  return element("ul", { class: "told" }, ...numbers.slice(0, 30).map((number) => {
    const finding = findings[number];
    return element("li", { "data-state": severityState(finding) },
      element("p", { class: "rule" }, `${severityWords(finding)} · ${finding.code} ${finding.rule}`),
      element("p", { class: "why" }, finding.message),
      details(finding));
  }), numbers.length > 30 && element("li", {}, `and ${numbers.length - 30} more, in the table below`));
}

function details(finding) {
  const list = element("dl", { class: "pairs" });
  const row = (term, text, kind) => text && list.append(element("dt", {}, term), element("dd", { class: kind }, text));
  row("Expected", finding.expected);
  row("Found", finding.found);
  row("At run time", finding.consequence, "mono");
  row("Fix", finding.fix, "fix");
  row("At", [objectName(finding), finding.field].filter(Boolean).join(", "));
  row("In", finding.place, "mono");
  row("Ignored", finding.suppressed);
  row("More", `meshvet explain ${finding.code}`, "mono");
  return list;
}
