// Short messages at the bottom of the window, some with an "Undo". They wait while pointed at or focused.
import { useEffect, useRef, useState } from "react";
import { createStore, useStore } from "../lib/store";
import { Button } from "./basics";

type Toast = { id: number; text: string; action?: { label: string; run: () => void }; ms: number };
const toasts = createStore<Toast[]>([]);
let next = 1;

export function toast(text: string, action?: Toast["action"]) {
  const id = next++;
  toasts.set((list) => [...list.slice(-2), { id, text, ms: action ? 12_000 : 6000, ...(action ? { action } : {}) }]);
}

const drop = (id: number) => toasts.set((list) => list.filter((item) => item.id !== id));

export function Toasts() {
  const list = useStore(toasts);
  return (
    <section className="toasts" aria-label="Messages" aria-live="polite">
      {list.map((item) => (
        <One key={item.id} item={item} />
      ))}
    </section>
  );
}

function One({ item }: { item: Toast }) {
  const [held, setHeld] = useState(false);
  const left = useRef(item.ms);
  useEffect(() => {
    if (held) return;
    const began = performance.now();
    const timer = setTimeout(() => drop(item.id), left.current);
    return () => {
      left.current -= performance.now() - began;
      clearTimeout(timer);
    };
  }, [held, item.id]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: holding is a convenience; the buttons inside are what acts
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span>{item.text}</span>
      {item.action && (
        <Button
          size="small"
          onClick={() => {
            item.action?.run();
            drop(item.id);
          }}
        >
          {item.action.label}
        </Button>
      )}
      <Button look="quiet" icon="close" aria-label="Dismiss" onClick={() => drop(item.id)} />
    </div>
  );
}
