// Runs before anything else: sets the colour theme before the first paint, so that the page never flashes in the wrong
// one, and asks at once for what this address will need, while the app itself is still on its way.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem("kinora-theme");
  } catch {
    // Storage may be closed to us: the system's preference decides.
  }
  const light = choice === "light" || (choice !== "dark" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";

  // The build says which files the player is in. A page that plays needs them now; elsewhere they come when all is at rest.
  const files = (document.currentScript.dataset.player || "").split(" ").filter(Boolean);
  const fetchPlayer = (rel) => {
    for (const href of files) document.head.append(Object.assign(document.createElement("link"), { rel, href }));
  };
  const accept = { accept: "application/json" };
  const watched = /^\/watch\/([0-9a-f-]{36})$/.exec(location.pathname);
  if (location.pathname === "/") window.kinoraEarly = { home: fetch("/api/v1/home", { headers: accept }) };
  if (watched) {
    const path = `/api/v1/videos/${watched[1]}/playback`;
    window.kinoraEarly = { [`playback ${watched[1]}`]: fetch(path, { method: "POST", headers: accept }) };
    fetchPlayer("modulepreload");
  } else if (!navigator.connection?.saveData) {
    addEventListener("load", () => setTimeout(() => fetchPlayer("prefetch"), 1500));
  }
})();
