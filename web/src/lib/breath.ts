// A pause in long work: what the browser has to paint or to answer comes first.
type Scheduler = { yield?: () => Promise<void> };

export const breath = (): Promise<void> =>
  (globalThis as { scheduler?: Scheduler }).scheduler?.yield?.() ?? new Promise((settle) => setTimeout(settle));
