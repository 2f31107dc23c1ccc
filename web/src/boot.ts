// Runs before anything else: sets the colour theme before the first paint, so that the page never flashes in the wrong
// one, asks at once for what this address will need, while the app itself is still on its way, and puts the first picture
// into the frame where the server has not. A script of its own: `vite.config.ts`.
import { isNotYet } from "./api/early";
import type { Home, Video } from "./api/types";
import { painted } from "./lib/painted";
import { backdropSizes, blurOf, firstPicture, pictureAt, srcSetOf, stillWidth } from "./ui/picture";

type Kind = "home" | "title" | "watch";

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    // Storage may be closed to us: as on a first visit.
    return null;
  }
}

function chooseTheme() {
  const choice = kept("kinora-theme");
  const light = choice === "light" || (choice !== "dark" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
}

function fetchFiles(rel: "modulepreload" | "prefetch", files: string | undefined) {
  for (const href of (files ?? "").split(" ").filter(Boolean))
    document.head.append(Object.assign(document.createElement("link"), { rel, href }));
}

const early: Record<string, Promise<Response>> = {};
window.kinoraEarly = early;

function ask(name: string, path: string, method?: string): Promise<Response> {
  const asked = fetch(`/api/v1/${path}`, { method, headers: { accept: "application/json" } });
  // Whoever takes the answer tells of what went wrong.
  asked.catch(() => {});
  early[name] = asked;
  return asked;
}

function element(name: string, className: string, ...children: Node[]): HTMLElement {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...children);
  return made;
}

/** The title's picture in the frame, in the place and size that the app will show it in. */
function draw(kind: Kind, video: Video | null) {
  const main = document.querySelector("#root main");
  const art = video && firstPicture(video, kind === "watch");
  if (!main || main.firstChild || !art) return;
  const image = Object.assign(new Image(), { alt: "", fetchPriority: "high" });
  if (kind === "watch") {
    if (video.state !== "ready") return;
    image.className = "still";
    image.src = pictureAt(art.url, stillWidth);
    main.append(element("div", "watch", element("div", "theatre", element("div", "player", image))));
    return;
  }
  Object.assign(image, { sizes: backdropSizes, srcset: srcSetOf(art) });
  const picture = element("div", "backdrop-picture", image);
  Object.assign(picture.style, blurOf(art));
  const section = element("section", "backdrop", picture);
  section.toggleAttribute("data-tall", kind === "title");
  main.append(section);
}

/** Draws as soon as the answer is there; the app takes the same answer. */
function drawFrom(kind: Kind, asked: Promise<Response>, read: (body: unknown) => Video | null) {
  const copy = asked.then((answer) => (answer.ok ? answer.clone().json() : null));
  copy.then((body) => body && draw(kind, read(body))).catch(() => {});
}

chooseTheme();
// The build says which files a page is in. One that is opened by its address needs them now; the player's come elsewhere when
// all is at rest.
const files = document.currentScript?.dataset;
const [, kind, id] = /^\/(watch|title)\/([0-9a-f-]{36})$/.exec(location.pathname) ?? [];
ask("instance", "instance");
if (kept("kinora-signed-in")) ask("session", "session");
if (id) drawFrom(kind as Kind, ask(`video ${id}`, `videos/${id}`), (body) => body as Video);
if (kind === "watch") {
  if (!isNotYet(id)) ask(`playback ${id}`, `videos/${id}/playback`, "POST");
  fetchFiles("modulepreload", files?.watch);
  // The largest file does not share a narrow line with the picture that is seen first.
  void painted().then(() => fetchFiles("modulepreload", files?.player));
} else if (!(navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData) {
  addEventListener("load", () => setTimeout(() => fetchFiles("prefetch", `${files?.watch} ${files?.player}`), 1500));
}
if (kind === "title") fetchFiles("modulepreload", files?.title);
if (location.pathname === "/") drawFrom("home", ask("home", "home"), (body) => (body as Home).hero ?? null);
