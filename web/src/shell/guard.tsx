// The address as router state, with a guard: a page that holds unsaved work is asked before the app leaves it.
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useBrowserLocation } from "wouter/use-browser-location";
import { createStore, useStore } from "../lib/store";

const Confirm = lazy(() => import("../ui/overlay").then(({ Confirm }) => ({ default: Confirm })));

const dirty = createStore(false);
const waiting = createStore<(() => void) | null>(null);

type Navigate = (to: string, options?: { replace?: boolean; state?: unknown }) => void;

export function useGuardedLocation(): [string, Navigate] {
  const [path, navigate] = useBrowserLocation();
  const guarded = useCallback<Navigate>(
    (to, options) => {
      const go = () => (navigate as Navigate)(to, options);
      if (dirty.get() && new URL(to, location.href).pathname !== location.pathname) waiting.set(() => go);
      else go();
    },
    [navigate],
  );
  return [path, guarded];
}

/** While `unsaved`, leaving the page by a link or by closing the tab asks first. */
export function useUnsaved(unsaved: boolean) {
  useEffect(() => {
    dirty.set(unsaved);
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => {
      dirty.set(false);
      removeEventListener("beforeunload", ask);
    };
  }, [unsaved]);
}

export function LeaveQuestion() {
  const go = useStore(waiting);
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(go !== null), [go]);
  // Its code comes with the first unsaved change, long before the question.
  const unsaved = useStore(dirty);
  if (!unsaved && !open) return null;
  return (
    <Suspense>
      <Confirm
        open={open}
        title="Leave without saving?"
        yes="Leave"
        no="Keep editing"
        danger
        onAnswer={(yes) => {
          const leave = waiting.get();
          waiting.set(null);
          if (yes) {
            dirty.set(false);
            leave?.();
          }
        }}
      >
        Your changes to this title have not been saved yet.
      </Confirm>
    </Suspense>
  );
}
