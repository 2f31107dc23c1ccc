// A failed request, in words: what the server said (RFC 9457) or why it could not be reached.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly fields: Record<string, string> = {},
    /** The server's stable word for the case; empty when it said none. */
    readonly code = "",
    /** When a title that cannot be watched now begins or ended, RFC 3339. */
    readonly at: string | null = null,
  ) {
    super(detail || title);
    this.name = "Problem";
  }
}

const plain: Record<number, string> = {
  400: "The server did not understand the request.",
  401: "Please sign in first.",
  403: "Your account may not do that.",
  404: "It does not exist, or is not yours to see.",
  409: "That is not possible right now.",
  412: "Someone changed it in the meantime.",
  413: "That is too large.",
  429: "Too many attempts. Wait a moment and try again.",
  503: "The server is busy. Try again in a moment.",
};

export function unreachable(): Problem {
  const offline = typeof navigator !== "undefined" && navigator.onLine === false;
  const detail = offline
    ? "This device is offline. Check the connection and try again."
    : "The server cannot be reached. It may be restarting; try again in a moment.";
  return new Problem(0, "No connection", detail);
}

/** Makes a Problem out of an answer's status and parsed body (which may be anything). */
export function problemOf(status: number, body: unknown): Problem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === "string" ? (said[name] as string) : "");
  const fallback =
    plain[status] ?? (status >= 500 ? "The server failed. Nothing was changed; try again." : "The request failed.");
  const fields: Record<string, string> = {};
  const field = text("field");
  if (field) fields[field] = text("detail") || fallback;
  const errors = said.errors ?? said.fields;
  if (Array.isArray(errors)) {
    for (const error of errors as Record<string, unknown>[]) {
      const name = error?.field ?? error?.name;
      if (typeof name === "string") fields[name] = String(error.detail ?? error.message ?? fallback);
    }
  } else if (typeof errors === "object" && errors !== null) {
    for (const [name, value] of Object.entries(errors)) fields[name] = String(value);
  }
  const at = text("available_from") || text("available_until") || null;
  return new Problem(status, text("title") || "Request failed", text("detail") || fallback, fields, text("code"), at);
}

/** Any thrown thing as a sentence. */
export function inWords(error: unknown): string {
  if (error instanceof Error) return error.message;
  return "Something went wrong.";
}
