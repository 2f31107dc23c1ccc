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

  // The build says which files a page is in. One that is opened by its address needs them now; the player's come elsewhere when
  // all is at rest.
  const { player, title } = document.currentScript.dataset;
  const link = (rel, more) => document.head.append(Object.assign(document.createElement("link"), { rel, ...more }));
  const fetchFiles = (rel, files) => {
    for (const href of (files || "").split(" ").filter(Boolean)) link(rel, { href });
  };

  const [, kind, id] = /^\/(watch|title)\/([0-9a-f-]{36})$/.exec(location.pathname) || [];
  const early = {};
  const ask = (name, path, method) => {
    early[name] = fetch(`/api/v1/${path}`, { method, headers: { accept: "application/json" } });
    // Whoever takes the answer tells of what went wrong.
    early[name].catch(() => {});
  };
  window.kinoraEarly = early;
  ask("instance", "instance");
  if (id) ask(`video ${id}`, `videos/${id}`);
  if (kind === "watch") {
    ask(`playback ${id}`, `videos/${id}/playback`, "POST");
    fetchFiles("modulepreload", player);
  } else if (!navigator.connection?.saveData) {
    addEventListener("load", () => setTimeout(() => fetchFiles("prefetch", player), 1500));
  }
  if (kind === "title") fetchFiles("modulepreload", title);
  if (location.pathname === "/") {
    ask("home", "home");
    // The large picture is on its way before the app is: in the sizes of `ui/picture.ts`.
    early.home
      .then((answer) => answer.clone().json())
      .then(({ hero }) => {
        const art = hero?.artwork.banner ?? hero?.artwork.poster;
        if (!art) return;
        const widths = [...new Set([160, 320, 640, 1280, 1920].filter((width) => width <= art.width).concat(art.width))];
        const imageSrcset = widths.sort((a, b) => a - b).map((width) => `${art.url}?width=${width} ${width}w`).join(", ");
        link("preload", { as: "image", imageSrcset, imageSizes: "(max-width: 700px) 88vw, 100vw", fetchPriority: "high" });
      })
      .catch(() => {});
  }
})();
