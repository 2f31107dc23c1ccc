// Numbers and times in human units.

const pad = (n: number) => String(n).padStart(2, "0");

/** Position or length on a clock: `4:05`, `1:02:03`. */
export function clock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** The same for ears: `1 hour 2 minutes 3 seconds`. */
export function spokenClock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(total / 3600), "hour"],
    [Math.floor((total % 3600) / 60), "minute"],
    [total % 60, "second"],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}${n === 1 ? "" : "s"}`);
  return said.length ? said.join(" ") : "0 seconds";
}

/** Size in decimal units: `22.7 MB`. */
export function bytes(n: number): string {
  return scaled(n, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

/** Rate in decimal units: `2.5 Mb/s`. */
export function bitrate(bps: number): string {
  return scaled(bps, ["b/s", "kb/s", "Mb/s", "Gb/s"]);
}

function scaled(n: number, units: readonly string[]): string {
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\.0+$|(\.\d)0$/, "$1")} ${units[unit]}`;
}

/** Time left, said roughly: `12 s left`, `3 min left`, `2 h 10 min left`. */
export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** `3 hours ago`, `yesterday`, `just now`. */
export function ago(then: string, now: number): string {
  const seconds = (Date.parse(then) - now) / 1000;
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/** Time until then, rounded up: `30 days left`, `less than an hour left`. */
export function left(until: string, now: number): string {
  const hours = (Date.parse(until) - now) / 3_600_000;
  if (hours <= 0) return "any moment now";
  if (hours < 1) return "less than an hour left";
  const [n, unit] = hours < 24 ? [Math.ceil(hours), "hour"] : [Math.ceil(hours / 24), "day"];
  return `${n} ${unit}${n === 1 ? "" : "s"} left`;
}

/** The moment itself, for tooltips. */
export function exact(then: string): string {
  return new Date(then).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" });
}

export const percent = (part: number, whole: number) =>
  whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0;

/** `My holiday film` out of `my_holiday-film.final.mp4`. */
export function titleFromFile(name: string): string {
  const stem = name.replace(/\.[a-z0-9]{1,5}$/i, "");
  const words = stem.replace(/[_.]+/g, " ").replace(/-+/g, " ").replace(/\s+/g, " ").trim();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : name;
}

/** When an event begins, to be read: `Thu 24 Dec, 18:00`. */
export function startName(at: string, now = Date.now()): string {
  const date = new Date(at);
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...year,
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** Time until an event as parts of a countdown; none once it has come. */
export function countdown(at: string, now: number): { value: number; unit: string }[] {
  const total = Math.floor((Date.parse(at) - now) / 1000);
  if (!(total > 0)) return [];
  const parts = [
    { value: Math.floor(total / 86_400), unit: "day" },
    { value: Math.floor(total / 3600) % 24, unit: "hour" },
    { value: Math.floor(total / 60) % 60, unit: "minute" },
    { value: total % 60, unit: "second" },
  ];
  const first = parts.findIndex((part) => part.value > 0);
  return parts.slice(first, first + 3).map(({ value, unit }) => ({ value, unit: value === 1 ? unit : `${unit}s` }));
}
