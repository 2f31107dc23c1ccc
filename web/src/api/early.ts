// Answers that were asked for before the app was there (`public/boot.js`), each to be taken once.
declare global {
  interface Window {
    kinoraEarly?: Record<string, Promise<Response>>;
  }
}

/** The page that this address was opened with said that the title does not play yet: nobody need ask. */
export const isNotYet = (id: string | undefined) => id !== undefined && document.documentElement.dataset.notYet === id;

/** After this long it may no longer be true. */
const freshMs = 10_000;

/** The early answer's body, or `null` when there was none or it is not good: the caller asks again. */
export async function early<T>(name: string): Promise<T | null> {
  const asked = window.kinoraEarly?.[name];
  if (!asked) return null;
  delete window.kinoraEarly?.[name];
  if (performance.now() > freshMs) return null;
  const answer = await asked.catch(() => null);
  return answer?.ok ? ((await answer.json().catch(() => null)) as T | null) : null;
}
