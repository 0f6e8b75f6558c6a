// The calls as a table: the same as the map, for those who read better than they look.

function startList() {
  const rows = paged(byId("call-rows"), byId("call-more"), (number) => {
    const call = calls[number];
    const [client, server] = [nodes[call.client], nodes[call.server]];
    const open = () => select({ call: number }, { focus: true });
    return element("tr", { "data-call": number },
      element("td", {}, pill(call.state)),
      element("td", {}, element("button", { type: "button", class: "open-row", onclick: open, "aria-label": `${callName(call)}: open` }, nodeName(client))),
      element("td", {}, nodeName(server)),
      element("td", {}, `${server.listeners[call.listener].port ?? "?"}${call.idle ? ", idle" : ""}`),
      element("td", {}, why(call)),
    );
  });
  onShown(() => {
    const sorted = [...shown.calls].sort((a, b) => rankOf(calls[a].state) - rankOf(calls[b].state) || a - b);
    byId("call-count").textContent = `${plural(sorted.length, "call")}, the worst first`;
    rows.set(sorted);
  });
  onSelect(() => {
    for (const row of byId("call-rows").rows) row.classList.toggle("picked", Number(row.dataset.call) === chosen.call && chosen.call !== null);
  });
}
