// Calls about live events, and how they go, second by second.
import { useEffect, useState } from "react";
import { body, client, path } from "./calls";
import type { components } from "./schema";
import type { Health, HealthPoint, Ingest, LiveEvent, Page } from "./types";

export type EventBody = components["schemas"]["EventBody"];
export type ListState = "upcoming" | "live" | "ended";

export const events = (state: ListState, cursor: string | null): Promise<Page<LiveEvent>> =>
  body(client.GET("/api/v1/events", { params: { query: { state, cursor: cursor ?? undefined, limit: 24 } } }));
export const event = (id: string): Promise<LiveEvent> => body(client.GET("/api/v1/events/{id}", { params: path(id) }));
export const createEvent = (form: EventBody): Promise<LiveEvent> =>
  body(client.POST("/api/v1/events", { params: {}, body: form }));
export const editEvent = (id: string, revision: number, form: EventBody): Promise<LiveEvent> =>
  body(
    client.PATCH("/api/v1/events/{id}", {
      params: { ...path(id), header: { "If-Match": `"r${revision}"` } },
      body: form,
    }),
  );
export const deleteEvent = (id: string) =>
  body(client.DELETE("/api/v1/events/{id}", { params: path(id) })) as Promise<LiveEvent>;
export const endEvent = (id: string) =>
  body(client.POST("/api/v1/events/{id}/end", { params: path(id) })) as Promise<LiveEvent>;
export const createClip = (
  id: string,
  form: components["schemas"]["ClipBody"],
): Promise<components["schemas"]["Clip"]> =>
  body(client.POST("/api/v1/events/{id}/clips", { params: path(id), body: form }));
export const ingest = (id: string): Promise<Ingest> =>
  body(client.GET("/api/v1/events/{id}/ingest", { params: path(id) }));
export const rotateKeys = (id: string): Promise<Ingest> =>
  body(client.POST("/api/v1/events/{id}/keys/rotate", { params: path(id) }));

/** What is known of how an event goes. `health` is `null` while nobody sends it; the state is `undefined` at first. */
export type Going = { health: Health | null; points: readonly HealthPoint[] };
/** Five minutes. */
const most = 300;

/** How an event goes, every second. */
export function useGoing(id: string, active: boolean): Going | undefined {
  const [going, setGoing] = useState<Going>();
  useEffect(() => {
    if (!active) return setGoing(undefined);
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = 1000;
    const open = () => {
      source = new EventSource(`/api/v1/events/${encodeURIComponent(id)}/health/stream`);
      source.onopen = () => {
        wait = 1000;
      };
      source.addEventListener("health", (message: MessageEvent<string>) => {
        const health = JSON.parse(message.data) as Health;
        setGoing((old) => ({ health, points: joined(old?.points ?? [], health.trend) }));
      });
      source.addEventListener("waiting", () => setGoing((old) => ({ health: null, points: old?.points ?? [] })));
      source.onerror = () => {
        // The browser has given up (an error status): again, more and more slowly.
        if (source?.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(open, wait);
        wait = Math.min(wait * 2, 30_000);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }, [id, active]);
  return going;
}

/** A first message has the whole trend, later ones its newest point. */
export function joined(old: readonly HealthPoint[], fresh: readonly HealthPoint[]): readonly HealthPoint[] {
  const first = fresh[0];
  if (!first) return old;
  return [...old.filter((point) => point.at < first.at), ...fresh].slice(-most);
}
