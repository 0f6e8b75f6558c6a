// The table of findings, with search and filters.

const filters = { text: "", severity: "", rule: "", namespace: "", state: "" };
const FILTER_INPUTS = { text: "search", severity: "by-severity", rule: "by-rule", namespace: "by-namespace", state: "by-state" };
/** A finding's values under each filter that has a list of them. */
const FACETS = {
  severity: (number) => [severityWords(findings[number])],
  rule: (number) => [findings[number].code],
  namespace: (number) => [findings[number].namespace || CLUSTER],
  state: (number) => [...new Set(touched[number].map((call) => calls[call].state))],
};
/** Stands for no namespace: the empty value of a filter is everything. */
const CLUSTER = "(cluster)";
let findingRows;

function startFindings() {
  findingRows = paged(byId("finding-rows"), byId("finding-more"), findingRow);
  const values = (filter) => new Set(findings.flatMap((_, number) => FACETS[filter](number)));
  const options = (filter, entries) => byId(FILTER_INPUTS[filter]).append(new Option("All", ""), ...entries.map(([value, words]) => {
    const option = new Option(words, value);
    option.dataset.words = words;
    return option;
  }));
  options("severity", ["deny", "warn", "ignored"].filter((name) => values("severity").has(name)).map((name) => [name, name]));
  const names = new Map(findings.map((finding) => [finding.code, finding.rule]));
  options("rule", [...values("rule")].sort().map((code) => [code, `${code} ${names.get(code)}`]));
  options("namespace", [...values("namespace")].sort().map((name) => [name, name === CLUSTER ? "(cluster)" : name]));
  options("state", STATES.map(({ name, words }) => [name, words]));
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

const matches = (filter, number) => !filters[filter] || FACETS[filter](number).includes(filters[filter]);

/** Writes beside each value of a filter how many rows choosing it would show, the other filters as they are. */
function countValues(matching) {
  for (const filter of Object.keys(FACETS)) {
    const others = Object.keys(FACETS).filter((other) => other !== filter);
    const counts = new Map();
    for (const number of matching) {
      if (!others.every((other) => matches(other, number))) continue;
      for (const value of FACETS[filter](number)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const option of byId(FILTER_INPUTS[filter]).options) {
      if (option.value) option.textContent = `${option.dataset.words} (${(counts.get(option.value) ?? 0).toLocaleString("en")})`;
    }
  }
}

function showFiltered() {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = findings.map((_, number) => number).filter((number) => words.every((word) => searchText(number).includes(word)));
  const some = matching.filter((number) => Object.keys(FACETS).every((filter) => matches(filter, number)));
  countValues(matching);
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
