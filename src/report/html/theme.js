// Light and dark: the system's choice until the person makes one, which the browser remembers where it may.

const THEMES = ["auto", "light", "dark"];
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const themeListeners = [];

function remembered() {
  try {
    return localStorage.getItem("meshvet-theme");
  } catch {
    return null; // A page from a file may have no storage.
  }
}

function setTheme(theme) {
  const root = document.documentElement;
  root.dataset.theme = theme;
  root.dataset.scheme = theme === "auto" ? (systemDark.matches ? "dark" : "light") : theme;
  byId("theme").querySelector("span").textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  byId("theme").setAttribute("aria-label", `Colours: ${theme}. Change`);
  for (const listener of themeListeners) listener();
}

function startTheme() {
  const saved = remembered();
  setTheme(THEMES.includes(saved) ? saved : "auto");
  systemDark.addEventListener("change", () => setTheme(document.documentElement.dataset.theme));
  byId("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    setTheme(next);
    try {
      localStorage.setItem("meshvet-theme", next);
    } catch {
      // It holds for this visit then.
    }
  });
  // Paper is white.
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.scheme = "light";
    for (const listener of themeListeners) listener();
  });
  addEventListener("afterprint", () => setTheme(document.documentElement.dataset.theme));
}
