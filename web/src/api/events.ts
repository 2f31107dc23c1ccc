// Server-sent events: titles as they change. The browser reconnects by itself; after a gap the caller asks again.
import { useEffect, useRef } from "react";
import { listsChanged, updateVideo } from "./queries";
import type { Video } from "./types";

function follow(path: string, heard: (video: Video) => void, reopened: () => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = 1000;
  let lost = false;
  const open = () => {
    source = new EventSource(`/api/v1${path}`);
    source.onopen = () => {
      wait = 1000;
      if (lost) reopened();
      lost = false;
    };
    const listen = (event: MessageEvent<string>) => {
      try {
        heard(JSON.parse(event.data) as Video);
      } catch {
        // A line that is not a title is not for us.
      }
    };
    source.addEventListener("progress", listen);
    source.onmessage = listen;
    source.onerror = () => {
      lost = true;
      // CLOSED means that the browser has given up (an error status); try again more and more slowly.
      if (source?.readyState === EventSource.CLOSED) {
        timer = setTimeout(open, wait);
        wait = Math.min(wait * 2, 30_000);
      }
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

function useFollow(path: string | null, heard?: (video: Video) => void) {
  const latest = useRef(heard);
  latest.current = heard;
  useEffect(() => {
    if (!path) return;
    return follow(
      path,
      (video) => {
        updateVideo(video);
        latest.current?.(video);
      },
      listsChanged,
    );
  }, [path]);
}

/** Follows one title while `active`. */
export const useVideoEvents = (id: string, active: boolean, heard?: (video: Video) => void) =>
  useFollow(active ? `/videos/${encodeURIComponent(id)}/events` : null, heard);

/** Follows all of the signed-in creator's titles. */
export const useStudioEvents = (heard?: (video: Video) => void) => useFollow("/studio/events", heard);
