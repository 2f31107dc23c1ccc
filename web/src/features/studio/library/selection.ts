// Which rows are selected: one by one, a range with Shift, all.
import { useCallback, useRef, useState } from "react";

export type Selection = {
  has: (id: string) => boolean;
  /** The selected ids that are still shown, in their order. */
  ids: readonly string[];
  /** Selects or not; with `range` everything between this row and the one before it. */
  set: (id: string, on: boolean, range: boolean) => void;
  all: (on: boolean) => void;
};

/** Ids from `from` to `to` in the order shown, both included; `to` alone when `from` is not shown. */
export function between(shown: readonly string[], from: string | null, to: string): string[] {
  const [a, b] = [from === null ? -1 : shown.indexOf(from), shown.indexOf(to)];
  if (a < 0 || b < 0) return [to];
  return shown.slice(Math.min(a, b), Math.max(a, b) + 1);
}

export function useSelection(shown: readonly string[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | null>(null);
  const set = useCallback(
    (id: string, on: boolean, range: boolean) => {
      const touched = range ? between(shown, anchor.current, id) : [id];
      anchor.current = id;
      setChosen((now) => {
        const next = new Set(now);
        for (const one of touched) {
          if (on) next.add(one);
          else next.delete(one);
        }
        return next;
      });
    },
    [shown],
  );
  const all = useCallback((on: boolean) => setChosen(new Set(on ? shown : [])), [shown]);
  return { has: (id) => chosen.has(id), ids: shown.filter((id) => chosen.has(id)), set, all };
}
