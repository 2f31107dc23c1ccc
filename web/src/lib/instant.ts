// Instants between the API (RFC 3339, UTC) and inputs of type datetime-local (the person's clock, to the minute).
const pad = (n: number, width = 2) => String(n).padStart(width, "0");

export function toLocal(instant: string | null): string {
  if (!instant) return "";
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return "";
  return `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

export function fromLocal(text: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** An hour from now, on the hour. */
export function soon(): string {
  const at = new Date(Date.now() + 3_600_000);
  at.setMinutes(0, 0, 0);
  return at.toISOString();
}

/** The name of the person's time zone, such as `Europe/Vienna`. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " ");
