// The first screen: is the mesh's TLS all right, and what is to be fixed first?

// Of the findings on this page, so that what is counted is also listed.
const denied = findings.filter((finding) => severityWords(finding) === "deny");
const warned = findings.filter((finding) => severityWords(finding) === "warn");

function startOverview() {
  const count = Object.fromEntries(STATES.map(({ name }) => [name, calls.filter((call) => call.state === name).length]));
  const troubled = nodes.filter((node) => hasProxy(node) && node.state === "broken").length;
  const worst =
    count.broken || troubled || denied.length ? "broken"
    : count["at-risk"] || warned.length ? "at-risk"
    : count.unknown ? "unknown"
    : "sound";
  document.querySelector(".verdict").dataset.state = nodes.length ? worst : "unknown";
  byId("source").textContent = `${data.source} · as of ${moment(data.judgedAt)}`;
  byId("verdict").textContent = verdict(worst, count, troubled);
  byId("verdict-sub").textContent = explanation(worst, count, troubled);
  drawBar(count);
  drawFigures();
  drawSoon();
  drawMend(worst);
  drawUnread();
  byId("made").textContent = `Made by meshvet ${data.version}, ${moment(data.judgedAt)}. Read-only; it has no keys and loads nothing from the network.`;
}

function verdict(worst, count, troubled) {
  if (!nodes.length) return "There is no mesh to show";
  if (count.broken) return `TLS is broken on ${count.broken.toLocaleString("en")} of ${plural(calls.length, "call")}`;
  if (troubled) return `${plural(troubled, "node")} can't serve TLS as ${isAre(troubled) === "is" ? "it is" : "they are"}`;
  if (worst === "broken") return `${plural(new Set(denied.map(objectName)).size, "object")} would be refused`;
  if (count["at-risk"]) return `TLS works, and ${plural(count["at-risk"], "call")} ${isAre(count["at-risk"])} at risk`;
  if (worst === "at-risk") return `TLS works, with ${plural(warned.length, "warning")}`;
  if (count.unknown) return `Nothing is broken; ${plural(count.unknown, "call")} can't be judged`;
  if (count.plaintext && count.plaintext === calls.length) return "No call speaks TLS";
  return calls.length ? "Every call's TLS is sound" : "Nothing is wrong with TLS here";
}

function explanation(worst, count, troubled) {
  if (!nodes.length) return "Neither nodes of a mesh nor gateways were found.";
  const parts = [];
  if (count.broken && troubled) parts.push(`The trouble is at ${plural(troubled, "node")}`);
  if (count.broken && count["at-risk"]) parts.push(`${plural(count["at-risk"], "more call")} ${isAre(count["at-risk"])} at risk`);
  if (count.plaintext) parts.push(`${plural(count.plaintext, "call")} in plaintext`);
  if (count.unknown && worst !== "unknown") parts.push(`${plural(count.unknown, "call")} can't be judged`);
  if (!parts.length) parts.push(calls.length ? `${counted(nodes)} and all that they call were judged from both ends` : "No call between them is known");
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function drawBar(count) {
  for (const { name, words, means } of STATES) {
    if (count[name]) {
      const part = element("i", { "data-state": name });
      part.style.flexGrow = count[name];
      byId("calls-bar").append(part);
    }
    const show = () => {
      // In all namespaces: it is what the number counts.
      shown.namespace = "";
      showStates([name]);
      byId("mesh").scrollIntoView();
      byId("map").focus({ preventScroll: true });
    };
    const button = element(
      "button", { type: "button", "data-state": name, title: means, onclick: show, disabled: !count[name] },
      icon(name), element("span", {}, words[0].toUpperCase() + words.slice(1)), element("b", {}, count[name].toLocaleString("en")),
    );
    byId("calls-legend").append(element("li", {}, button));
  }
}

function drawFigures() {
  const figure = (term, value, ...notes) =>
    byId("figures").append(element("div", {}, element("dt", {}, term), element("dd", {}, value, element("small", {}, notes.filter(Boolean).join(", ")))));
  const beside = nodes.filter((node) => !hasProxy(node));
  figure("Nodes", nodes.filter(hasProxy).length.toLocaleString("en"), beside.length && counted(beside), plural(new Set(nodes.map((node) => node.namespace)).size, "namespace"));
  const ignored = findings.length - denied.length - warned.length;
  figure("Findings", findings.length.toLocaleString("en"), ...[[denied.length, "deny"], [warned.length, "warn"], [ignored, "ignored"]]
    .filter(([number, words]) => number || (words !== "ignored" && findings.length)).map(([number, words]) => `${number.toLocaleString("en")} ${words}`));
  const ended = certificates.filter(hasEnded).length;
  const soon = certificates.filter((certificate) => !hasEnded(certificate) && daysLeft(certificate.notAfter) < 30).length;
  figure("Certificates", certificates.length.toLocaleString("en"), ended && `${ended.toLocaleString("en")} expired`, soon && `${soon.toLocaleString("en")} within 30 days`, !ended && !soon && "none expires within 30 days");
}

/** The first four of the list below. */
function drawSoon() {
  const next = byEnd.slice(0, 4).map((number) => certificates[number]);
  byId("soon").hidden = !next.length;
  if (next.some(hasEnded)) byId("soon").querySelector("h2").textContent = next.every(hasEnded) ? "Certificates that have expired" : "Certificates that have expired, or expire next";
  byId("soon").querySelector("ul").append(...next.map((certificate) => element("li", { "data-state": certificateState(certificate) },
    element("span", { title: certificateName(certificate) }, certificateName(certificate)), element("span", { class: "ends" }, ending(certificate)))));
}

/** A message as the beginning of a sentence; names are left as they are. */
const sentence = (text) => (/^(the|no|a|an|only|nothing|what|none|neither) /.test(text) ? text[0].toUpperCase() + text.slice(1) : text);

function drawMend(worst) {
  const list = byId("mend");
  byId("mend-title").textContent = data.mend.length ? "Fix first" : "Nothing to fix";
  for (const { object, node, findings: numbers, calls: broken } of data.mend) {
    const first = findings[numbers[0]];
    const effect = broken.length
      ? `${first.severity === "deny" ? "breaks" : "puts at risk"} ${plural(broken.length, "call")}`
      : first.severity === "deny" ? "breaks the node itself" : "a warning";
    const open = () => {
      if (broken.length) select({ call: broken[0] }, { focus: true });
      else if (node !== null) select({ node }, { focus: true });
      else showFindings({ rule: first.code, text: first.name });
      byId(broken.length || node !== null ? "mesh" : "findings").scrollIntoView();
    };
    // The same at several clients of one server: what they have in common is the server.
    const where = objectName(first) === object ? object : `all call ${object}`;
    const more = numbers.length > 1 ? ` (and ${numbers.length - 1} more like it)` : "";
    list.append(element(
      "li", { class: first.severity },
      element("div", {},
        element("button", { type: "button", onclick: open }, element("span", { class: "what" }, sentence(first.message), more)),
        element("p", { class: "meta" }, element("strong", {}, effect), element("span", {}, `${first.code} ${first.rule}`), element("span", { class: "at" }, where)),
        data.mend.length > 2
          ? first.fix && element("p", { class: "fix" }, element("b", {}, "Fix "), first.fix)
          : details(first),
      ),
    ));
  }
  const above = new Set(data.mend.flatMap((item) => item.findings));
  if (data.mend.length && findings.length > above.size) {
    list.after(element("p", {}, element("a", { href: "#findings" }, `All ${plural(findings.length, "finding")}`)));
  }
  if (!data.mend.length) {
    const text = worst === "unknown" ? "Nothing wrong is known. What isn't known is listed at each call." : "No finding at all.";
    list.replaceWith(element("p", { class: "fine", "data-state": worst }, icon(worst), text));
    document.querySelector(".mend").append(byId("soon"));
  }
}

function drawUnread() {
  const notes = [...data.errors.map((error) => error), ...data.notes];
  if (data.leftOut.calls) notes.push(`${plural(data.leftOut.calls, "call")} more than the map can show ${isAre(data.leftOut.calls)} left out.`);
  if (data.leftOut.findings) notes.push(`${plural(data.leftOut.findings, "finding")} more, the least severe, ${isAre(data.leftOut.findings)} left out.`);
  if (!notes.length) return;
  const box = byId("unread");
  box.hidden = false;
  if (!data.errors.length) byId("unread-title").textContent = "To be noted";
  box.querySelector("ul").append(...notes.map((note) => element("li", {}, note)));
}
