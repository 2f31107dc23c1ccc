// Four-arrow navigation: moves the focus to the nearest thing in the pressed direction, over the whole app, as a TV
// remote needs it; and the remote's back key. What has its own use for an arrow keeps it: text, sliders, menus, radios.

export type Way = "left" | "right" | "up" | "down";
export type Box = { left: number; top: number; right: number; bottom: number };

const ways: Record<string, Way> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
const reachable =
  'a[href], button:not([disabled]), input:not([disabled]):not([type="hidden"]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex="0"]';

/** How far `to` is from `from` when going `way`; `null` when it is not that way. Along the way counts once, aside twice. */
export function distance(from: Box, to: Box, way: Way): number | null {
  const across = way === "left" || way === "right";
  // Nearest edges, with a little overlap forgiven: focus rings and scaled cards touch.
  const slack = 4;
  const gap = {
    left: from.left - to.right,
    right: to.left - from.right,
    up: from.top - to.bottom,
    down: to.top - from.bottom,
  }[way];
  const middle = (box: Box) => (across ? (box.left + box.right) / 2 : (box.top + box.bottom) / 2);
  const ahead = way === "left" || way === "up" ? middle(from) - middle(to) : middle(to) - middle(from);
  if (gap < -slack || ahead <= 0) return null;
  const [a, b, c, d] = across ? [from.top, from.bottom, to.top, to.bottom] : [from.left, from.right, to.left, to.right];
  const overlap = Math.min(b, d) - Math.max(a, c);
  const aside = overlap > 0 ? 0 : -overlap;
  // To the side one stays on the line; what is far above or below is reached by up and down.
  if (across && aside > 24) return null;
  // Things that begin at the same line are nearer than those that only touch it.
  const skew = Math.abs(a - c) / 20;
  return Math.max(0, gap) + 2 * aside + skew;
}

export function nearest<T>(from: Box, all: readonly { box: Box; item: T }[], way: Way): T | null {
  let best: { item: T; far: number } | null = null;
  for (const { box, item } of all) {
    const far = distance(from, box, way);
    if (far !== null && (best === null || far < best.far)) best = { item, far };
  }
  return best?.item ?? null;
}

/** The open dialog or menu on top, or the page. */
function scope(): ParentNode {
  const open = document.querySelectorAll<HTMLElement>('[role="dialog"], [role="alertdialog"], [role="menu"]');
  return open[open.length - 1] ?? document;
}

function candidates(within: ParentNode, except: Element | null) {
  const out: { box: Box; item: HTMLElement }[] = [];
  for (const item of within.querySelectorAll<HTMLElement>(reachable)) {
    if (item === except || item.tabIndex < 0 || item.closest('[data-spatial="off"], [inert], [aria-hidden="true"]'))
      continue;
    const box = item.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    if (!item.checkVisibility({ visibilityProperty: true })) continue;
    out.push({ box, item });
  }
  return out;
}

/** Does the focused thing want this arrow for itself? */
function keeps(target: HTMLElement, way: Way): boolean {
  const across = way === "left" || way === "right";
  if (target.closest('[role="menu"]')) return !across || target.getAttribute("aria-haspopup") === "menu";
  if (target instanceof HTMLTextAreaElement || target.isContentEditable) return true;
  if (target instanceof HTMLSelectElement) return !across;
  if (target.getAttribute("role") === "slider") return across;
  if (target instanceof HTMLInputElement) {
    if (target.type === "range") return across;
    if (target.type === "radio" || target.type === "number" || target.type === "date") return true;
    if (/^(checkbox|button|submit|file|color)$/.test(target.type)) return false;
    if (!across) return false;
    const [start, end] = [target.selectionStart, target.selectionEnd];
    return way === "left" ? (start ?? 0) > 0 || start !== end : (end ?? 0) < target.value.length || start !== end;
  }
  return false;
}

export function focusOn(item: HTMLElement) {
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" });
}

/** Whoever has touched a pointer scrolls the page with arrows; whoever has not is moved from thing to thing. */
let pointed = false;
/** Was the last move of the focus made by a key? */
let byKey = false;
export const focusMovedByKey = () => byKey;
export const neverPointed = () => !pointed;

/** Moves the focus one step; false when there is nothing that way. */
export function move(way: Way): boolean {
  const now = document.activeElement as HTMLElement | null;
  const lost = !now || now === document.body || now.id === "main" || now.tabIndex < 0;
  const within = scope();
  const all = candidates(within, lost ? null : now);
  let next: HTMLElement | null;
  if (lost) {
    const seen = all.filter(({ box }) => box.bottom > 0 && box.top < innerHeight);
    const main = seen.filter(({ item }) => item.closest("main"));
    next = (way === "up" ? seen[0] : (main[0] ?? seen[0]))?.item ?? null;
  } else next = nearest(now.getBoundingClientRect(), all, way);
  if (!next) return false;
  byKey = true;
  focusOn(next);
  return true;
}

function onKey(event: KeyboardEvent) {
  if (event.key === "Tab") byKey = true;
  const way = ways[event.key];
  if (!way || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = event.target as HTMLElement;
  const lost = target === document.body || target.id === "main";
  // Nothing is focused and a pointer is at hand: arrows scroll, as everywhere.
  if (lost && pointed) return;
  if (!lost && keeps(target, way)) return;
  if (move(way)) event.preventDefault();
}

const backKeys = new Set(["GoBack", "BrowserBack", "XF86Back"]);
/** Tizen and webOS say their back key by number only. */
const backCodes = new Set([10009, 461]);

function onBack(event: KeyboardEvent) {
  if (!backKeys.has(event.key) && !backCodes.has(event.keyCode)) return;
  event.preventDefault();
  if (document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]')) {
    const pressed = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(pressed);
  } else if (document.fullscreenElement) void document.exitFullscreen();
  else history.back();
}

export function followArrows() {
  const point = (event: PointerEvent) => {
    pointed = true;
    if (event.type === "pointerdown") byKey = false;
  };
  addEventListener("pointerdown", point, { passive: true, capture: true });
  addEventListener("pointermove", point, { passive: true, capture: true });
  // Last of all: whoever listened before has had its say.
  addEventListener("keydown", onKey);
  addEventListener("keydown", onBack);
}
