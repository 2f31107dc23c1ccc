// Why playback failed, in plain words, from Shaka's error or the API's refusal.
import { Problem } from "../api/problem";

/** `reason`: the server's word for a refusal. */
export type Failed = { text: string; code: string; retry: boolean; reason?: string };

type ShakaError = { code: number; category: number; data?: unknown[] };

function isShaka(error: unknown): error is ShakaError {
  return (
    typeof error === "object" && error !== null && typeof (error as ShakaError).code === "number" && "category" in error
  );
}

/** HTTP status inside a "bad status" error; 0 otherwise. */
export function statusOf(error: unknown): number {
  return isShaka(error) && error.code === 1001 && typeof error.data?.[1] === "number" ? error.data[1] : 0;
}

/** Has whoever delivers the media failed, as far as can be told? */
export function isDelivery(error: unknown): boolean {
  if (!isShaka(error)) return false;
  // Of what a browser plays by itself it says only "network" (2), or "no source" (4) when there was no beginning.
  return error.category === 1 || (error.code === 3016 && (error.data?.[0] === 2 || error.data?.[0] === 4));
}

export function explain(error: unknown): Failed {
  if (error instanceof Problem) {
    const gone = error.status === 404;
    return {
      text: gone ? "This title does not exist, or is not yours to see." : error.message,
      code: error.status ? `API-${error.status}` : "NET-0",
      retry: !gone && error.status !== 403,
      reason: error.code,
    };
  }
  if (!isShaka(error)) return { text: "The player stopped for an unknown reason.", code: "APP-1", retry: true };
  const code = `PLAY-${error.code}`;
  const status = statusOf(error);
  if (status === 401 || status === 403 || status === 410)
    return {
      text: "The permission to watch has run out. Try again to renew it.",
      code: `${code}-${status}`,
      retry: true,
    };
  if (status === 404)
    return { text: "A part of this video is missing on the server.", code: `${code}-404`, retry: true };
  if (status >= 500)
    return {
      text: "The server failed to deliver the video. Try again in a moment.",
      code: `${code}-${status}`,
      retry: true,
    };
  if (error.category === 1)
    return { text: "The connection was lost. Check the network and try again.", code, retry: true };
  if (error.code === 4032 || error.code === 4012)
    return { text: "This browser cannot decode any version of this video.", code, retry: false };
  if (error.category === 3)
    return { text: "This browser failed while decoding the video. Trying again often helps.", code, retry: true };
  if (error.category === 4) return { text: "The list of the video's parts could not be read.", code, retry: true };
  return { text: "The player stopped for an unknown reason.", code, retry: true };
}
