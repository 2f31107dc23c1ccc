// Server state in the query cache: one key and one hook per thing.
import { QueryClient, useQuery } from "@tanstack/react-query";
import * as api from "./calls";
import { Problem } from "./problem";
import type { Page, QualityWindow, Video } from "./types";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays a refusal; only silence and overload are worth a second try.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status > 0 && error.status < 500),
    },
  },
});

export const keys = {
  instance: ["instance"] as const,
  session: ["session"] as const,
  home: ["home"] as const,
  video: (id: string) => ["video", id] as const,
  renditions: (id: string) => ["video", id, "renditions"] as const,
  artwork: (id: string) => ["video", id, "artwork"] as const,
  newest: ["newest"] as const,
  search: (q: string, filters: api.Filters) => ["search", q, filters] as const,
  vocabulary: ["vocabulary"] as const,
  studio: ["studio"] as const,
  studioList: (query: api.StudioQuery) => ["studio", query] as const,
  changes: (id: string) => ["video", id, "changes"] as const,
  history: ["history"] as const,
  historyOf: (q: string) => ["history", q] as const,
  watchlist: ["watchlist"] as const,
  related: (id: string) => ["video", id, "related"] as const,
  sessions: ["sessions"] as const,
  streams: ["streams"] as const,
  tokens: ["tokens"] as const,
  uploads: ["uploads"] as const,
  overview: ["control", "overview"] as const,
  deadJobs: ["control", "jobs"] as const,
  quality: (window: QualityWindow) => ["control", "quality", window] as const,
  edges: ["control", "edges"] as const,
  titlesCalled: (q: string) => ["control", "titles", q] as const,
  farm: ["control", "farm"] as const,
  farmOf: (hours: number) => ["control", "farm", hours] as const,
  profiles: ["control", "profiles"] as const,
  estimate: (body: string | null) => ["control", "estimate", body] as const,
  events: ["events"] as const,
  eventsThat: (state: string) => ["events", state] as const,
  event: (id: string) => ["event", id] as const,
  ingest: (id: string) => ["event", id, "ingest"] as const,
  users: (q: string) => ["users", q] as const,
};

export const useInstance = () =>
  useQuery({ queryKey: keys.instance, queryFn: api.instance, staleTime: Number.POSITIVE_INFINITY });
export const useSession = () => useQuery({ queryKey: keys.session, queryFn: api.session, staleTime: 60_000 });
export const useHome = () => useQuery({ queryKey: keys.home, queryFn: api.home });
export const useVideo = (id: string) => useQuery({ queryKey: keys.video(id), queryFn: () => api.video(id) });

export const useRelated = (id: string, enabled = true) =>
  useQuery({ queryKey: keys.related(id), queryFn: () => api.related(id), staleTime: 60_000, enabled });

/** Anonymous, viewer, creator or admin; `undefined` while we do not know yet. */
export function useMe() {
  const { data } = useSession();
  return data === undefined ? undefined : (data?.user ?? null);
}

type Pages = { pages: Page<Video>[]; pageParams: unknown[] };

/** Puts a newer version of a title into every place of the cache that shows it. */
export function updateVideo(video: Video) {
  const newer = (old: Video) => (old.id === video.id ? { ...old, ...video } : old);
  queryClient.setQueryData<Video>(keys.video(video.id), (old) => (old ? newer(old) : video));
  queryClient.setQueriesData<Pages>({ queryKey: keys.studio }, (old) =>
    old?.pages ? { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map(newer) })) } : old,
  );
}

/** What other people see may have changed: lists are asked again when next shown. */
export function listsChanged() {
  for (const key of [keys.studio, keys.events, keys.home, keys.newest, ["search"], keys.history, keys.watchlist])
    void queryClient.invalidateQueries({ queryKey: key });
}
