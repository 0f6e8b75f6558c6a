// The table of findings, with search and filters.

const filters = { text: "", severity: "", rule: "", namespace: "", state: "" };
const FILTER_INPUTS = { text: "search", severity: "by-severity", rule: "by-rule", namespace: "by-namespace", state: "by-state" };
let findingRows;

function startFindings() {
  findingRows = paged(byId("finding-rows"), byId("finding-more"), findingRow);
  const count = (key) => {
    const counted = new Map();
    for (const finding of findings) counted.set(key(finding), (counted.get(key(finding)) ?? 0) + 1);
    return counted;
  };
  const options = (id, all, entries) => byId(id).append(new Option(all, ""), ...entries.map(([value, words]) => new Option(words, value)));
  const severities = count(severityWords);
  options("by-severity", "All", ["deny", "warn", "ignored"].filter((name) => severities.has(name)).map((name) => [name, `${name} (${severities.get(name)})`]));
  const names = new Map(findings.map((finding) => [finding.code, finding.rule]));
  options("by-rule", "All", [...count((finding) => finding.code)].sort().map(([code, number]) => [code, `${code} ${names.get(code)} (${number})`]));
  options("by-namespace", "All", [...count((finding) => finding.namespace)].sort().map(([name, number]) => [name, `${name || "(cluster)"} (${number})`]));
  options("by-state", "All", STATES.map(({ name, words }) => [name, words]));
  for (const [filter, id] of Object.entries(FILTER_INPUTS)) {
    byId(id).addEventListener("input", (event) => {
      filters[filter] = event.target.value;
      showFiltered();
    });
  }
  byId("clear").addEventListener("click", () => {
    showFindings({});
    byId("search").focus();
  });
  showFiltered();
}

/** Sets the filters, those not named to everything. */
function showFindings(wanted) {
  for (const [filter, id] of Object.entries(FILTER_INPUTS)) {
    filters[filter] = wanted[filter] ?? "";
    byId(id).value = filters[filter];
  }
  showFiltered();
}

/** All that can be searched of a finding, made once. */
const searchTexts = [];
function searchText(number) {
  const finding = findings[number];
  searchTexts[number] ??= [finding.code, finding.rule, objectName(finding), finding.message, finding.expected, finding.found, finding.fix, finding.place]
    .filter(Boolean).join("\n").toLowerCase();
  return searchTexts[number];
}

function fits(number, words) {
  const finding = findings[number];
  return (
    (!filters.severity || severityWords(finding) === filters.severity) &&
    (!filters.rule || finding.code === filters.rule) &&
    (!filters.namespace || finding.namespace === filters.namespace) &&
    (!filters.state || touched[number].some((call) => calls[call].state === filters.state)) &&
    words.every((word) => searchText(number).includes(word))
  );
}

function showFiltered() {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  const some = findings.map((_, number) => number).filter((number) => fits(number, words));
  findingRows.set(some);
  const filtered = Object.values(filters).some(Boolean);
  byId("clear").hidden = !filtered;
  byId("finding-count").textContent = filtered ? `${some.length.toLocaleString("en")} of ${plural(findings.length, "finding")}` : `${plural(findings.length, "finding")}, the most severe first`;
  if (!some.length) {
    const text = findings.length ? "No finding matches these filters." : "Nothing was found.";
    byId("finding-rows").append(element("tr", {}, element("td", { colspan: "5", class: "none" }, text)));
  }
}

function findingRow(number) {
  const finding = findings[number];
  const row = element("tr", {});
  const toggle = element("button", { type: "button", class: "open-row", "aria-expanded": "false" }, finding.message);
  toggle.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    row.classList.toggle("picked", open);
    if (open) row.after(detailRow(number));
    else row.nextElementSibling?.remove();
  });
  row.append(
    element("td", {}, severityPill(finding)),
    element("td", {}, element("span", { class: "mono" }, finding.code), element("small", {}, finding.rule)),
    element("td", {}, objectName(finding)),
    element("td", {}, toggle),
    element("td", { class: "number" }, touched[number].length ? touched[number].length.toLocaleString("en") : "–"),
  );
  return row;
}

function detailRow(number) {
  const finding = findings[number];
  const open = () => {
    if (touched[number].length) select({ call: touched[number][0] }, { focus: true });
    else select({ node: finding.node }, { focus: true });
    byId("mesh").scrollIntoView();
  };
  const link = touched[number].length || finding.node !== null;
  return element("tr", { class: "detail" }, element("td", { colspan: "5" },
    details(finding),
    link && element("button", { type: "button", class: "linklike", onclick: open }, "Show it on the map")));
}
