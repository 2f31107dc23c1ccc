// What the address shows first: its code and its data, at hand before the app takes over from the frame, so that the picture
// that is seen there stays.
import * as api from "./api/calls";
import { keys, queryClient } from "./api/queries";
import { Title, Watch } from "./app";

/** How long the app waits behind a frame with a picture, and behind one without: then its own skeleton is better. */
const patienceMs = { picture: 3000, bare: 200 };

function wanted(): Promise<unknown>[] {
  const { pathname } = location;
  const everywhere = [
    queryClient.prefetchQuery({ queryKey: keys.instance, queryFn: api.instance }),
    queryClient.prefetchQuery({ queryKey: keys.session, queryFn: api.session }),
  ];
  if (pathname === "/") return [...everywhere, queryClient.prefetchQuery({ queryKey: keys.home, queryFn: api.home })];
  const [, kind, id] = /^\/(watch|title)\/([^/]+)$/.exec(pathname) ?? [];
  if (!kind || !id) return everywhere;
  const video = queryClient.prefetchQuery({ queryKey: keys.video(id), queryFn: () => api.video(id) });
  return [...everywhere, video, (kind === "watch" ? Watch : Title).load()];
}

/** Settles with the promise, or after that time. */
export const within = (ms: number, promise: Promise<unknown>): Promise<unknown> =>
  Promise.race([promise, new Promise((settle) => setTimeout(settle, ms))]);

/** Settles when the app has what it shows first, or when waiting longer would be worse than a skeleton. */
export async function firstShown(root: HTMLElement): Promise<void> {
  const ready = Promise.allSettled(wanted());
  await within(patienceMs.bare, ready);
  if (root.querySelector("main img")) await within(patienceMs.picture, ready);
}
