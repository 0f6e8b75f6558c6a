// When certificates end: how many in which span, and each with its lifetime on one axis.

const BUCKETS = [
  { words: "expired", holds: (days) => days < 0, state: "broken" },
  { words: "within 7 days", holds: (days) => days >= 0 && days < 7, state: "at-risk" },
  { words: "in 7 to 30 days", holds: (days) => days >= 7 && days < 30, state: "at-risk" },
  { words: "in 30 to 90 days", holds: (days) => days >= 30 && days < 90, state: "sound" },
  { words: "in 90 days to a year", holds: (days) => days >= 90 && days < 366, state: "sound" },
  { words: "later", holds: (days) => days >= 366, state: "sound" },
];
/** The axis: from this many days before now to this many after. */
const AXIS = { from: -90, to: 395 };

function startCertificates() {
  let bucket = null;
  const rows = paged(byId("certificate-rows"), byId("certificate-more"), certificateRow);
  const within = (number) => bucket === null || BUCKETS[bucket].holds(daysLeft(certificates[number].notAfter));
  const show = () => {
    const some = byEnd.filter(within);
    rows.set(some);
    byId("certificate-count").textContent = bucket === null ? `${plural(certificates.length, "certificate")}, ${certificates.some(hasEnded) ? "the expired ones first" : "the first to expire first"}` : `${some.length.toLocaleString("en")} of ${plural(certificates.length, "certificate")}: ${BUCKETS[bucket].words}`;
    for (const [index, button] of [...byId("buckets").children].entries()) button.setAttribute("aria-pressed", String(index === bucket));
  };
  const counts = BUCKETS.map(({ holds }) => certificates.filter((certificate) => holds(daysLeft(certificate.notAfter))).length);
  const most = Math.max(1, ...counts);
  BUCKETS.forEach(({ words, state }, index) => {
    const bar = element("i", { "aria-hidden": "true" });
    bar.style.height = `${counts[index] ? 4 + 56 * Math.sqrt(counts[index] / most) : 0}px`;
    const choose = () => {
      bucket = bucket === index ? null : index;
      show();
    };
    byId("buckets").append(element("button", { type: "button", "data-state": state, "aria-pressed": "false", disabled: !counts[index], onclick: choose },
      bar, element("b", {}, counts[index].toLocaleString("en")), element("span", {}, words)));
  });
  for (const [days, words] of [[0, "today"], [90, "+90 days"], [180, "+180"], [365, "+1 year"]]) {
    const mark = element("span", { class: days === 0 ? "now" : undefined }, words);
    mark.style.left = `${place(days)}%`;
    byId("axis").append(mark);
  }
  show();
  if (!certificates.length) byId("certificate-rows").append(element("tr", {}, element("td", { colspan: "5", class: "none" }, "No certificate is known.")));
}

const place = (days) => (100 * (Math.min(AXIS.to, Math.max(AXIS.from, days)) - AXIS.from)) / (AXIS.to - AXIS.from);

function certificateRow(number) {
  const certificate = certificates[number];
  const state = certificateState(certificate);
  const [from, to] = [daysLeft(certificate.notBefore), daysLeft(certificate.notAfter)];
  const bar = element("i", { class: [to > AXIS.to && "goes-on", from < AXIS.from && "came"].filter(Boolean).join(" ") || undefined });
  bar.style.left = `${place(from)}%`;
  bar.style.width = `${Math.max(0, place(to) - place(from))}%`;
  const life = element("div", { class: "life", "aria-hidden": "true" }, bar);
  life.style.backgroundPosition = `${place(0)}% 0`;
  const users = [...new Set([...certificate.shownBy, ...certificate.trustedBy])];
  return element("tr", { "data-state": state },
    element("td", {}, element("strong", {}, certificateName(certificate)), element("small", {}, `${certificate.authority ? "authority" : certificate.key}, ${certificate.held[0] ?? ""}`)),
    element("td", {}, commonName(certificate.issuer)),
    element("td", {}, userLink(users), users.length > 1 && element("small", {}, `and ${(users.length - 1).toLocaleString("en")} more`)),
    element("td", {}, life, element("span", { class: "hide" }, `from ${date(certificate.notBefore)}`)),
    element("td", {}, element("span", { class: "ends" }, date(certificate.notAfter)), element("small", {}, ending(certificate))),
  );
}

function userLink(users) {
  if (!users.length) return "nobody";
  const open = () => {
    select({ node: users[0] }, { focus: true });
    byId("mesh").scrollIntoView();
  };
  return element("button", { type: "button", class: "linklike", onclick: open }, nodeName(nodes[users[0]]));
}
