// Reads the storyboard: a WebVTT file whose cues name a rectangle of a sprite picture (`1.jpg#xywh=0,0,240,135`).

export type Tile = { start: number; end: number; url: string; x: number; y: number; w: number; h: number };

function seconds(text: string): number | null {
  const match = /^(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})$/.exec(text.trim());
  if (!match) return null;
  return Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]) + Number(match[4]) / 1000;
}

/** Cues in order; relative addresses are resolved against `base`. Cues that do not parse are left out. */
export function parseStoryboard(text: string, base: string): Tile[] {
  const tiles: Tile[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let i = 0; i < lines.length; i++) {
    const [from, to] = (lines[i] ?? "").split("-->");
    if (to === undefined) continue;
    const start = seconds(from ?? "");
    const end = seconds(to.trim().split(/\s/)[0] ?? "");
    const payload = /^(.*?)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec((lines[i + 1] ?? "").trim());
    if (start === null || end === null || !payload) continue;
    const [x, y, w, h] = payload.slice(2).map(Number) as [number, number, number, number];
    if (w === 0 || h === 0) continue;
    tiles.push({ start, end, url: new URL(payload[1] ?? "", base).href, x, y, w, h });
  }
  return tiles.sort((a, b) => a.start - b.start);
}

/** The tile shown at `time` (seconds): the last one that has begun. */
export function tileAt(tiles: readonly Tile[], time: number): Tile | null {
  let low = 0;
  let high = tiles.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tiles[middle]?.start ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return tiles[Math.max(0, low - 1)] ?? null;
}
