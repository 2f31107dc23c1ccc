// Sets the colour theme before the first paint, so that the page never flashes in the wrong one.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem("kinora-theme");
  } catch {
    // Storage may be closed to us: the system's preference decides.
  }
  const light = choice === "light" || (choice !== "dark" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
})();
