// Every call to the API, one function each, over the client typed by the OpenAPI document.
import createClient, { type Middleware } from "openapi-fetch";
import { kept } from "../lib/store";
import { early } from "./early";
import { Problem, problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";
import type * as T from "./types";

type Bodies = components["schemas"];

export const client = createClient<paths>({ headers: { accept: "application/json" } });
const failures: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw problemOf(response.status, await response.json().catch(() => undefined));
  },
  onError({ error }) {
    if (error instanceof Problem || (error instanceof DOMException && error.name === "AbortError")) return;
    return unreachable();
  },
};
client.use(failures);

/** The answer's body. Failures were thrown before; what is left without a body is an answer of 204. */
export async function body<D>(call: Promise<{ data?: D }>): Promise<D> {
  return (await call).data as D;
}
export async function nothing(call: Promise<unknown>): Promise<void> {
  await call;
}
export const path = (id: string) => ({ path: { id } });

export const instance = async (): Promise<T.Instance> =>
  (await early<T.Instance>("instance")) ?? (await body(client.GET("/api/v1/instance")));
export async function setup(form: Bodies["SetupBody"]): Promise<void> {
  await client.POST("/api/v1/setup", { body: form });
  kept.write(signedInHint, "1");
}

// A browser that never signed in here need not ask who it is. Only a hint: the session itself is the server's cookie.
const signedInHint = "kinora-signed-in";

export async function session(): Promise<T.Session | null> {
  if (!kept.read(signedInHint)) return null;
  try {
    return (await early<T.Session>("session")) ?? (await body(client.GET("/api/v1/session")));
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    kept.write(signedInHint, null);
    return null;
  }
}
export async function signIn(form: Bodies["SignInBody"]): Promise<T.Session> {
  const signed = await body(client.POST("/api/v1/session", { body: form }));
  kept.write(signedInHint, "1");
  return signed;
}
export async function signOut(): Promise<void> {
  await client.DELETE("/api/v1/session");
  kept.write(signedInHint, null);
}

export const updateMe = async (form: Bodies["MeBody"]) => (await body(client.PATCH("/api/v1/me", { body: form }))).user;
export const changePassword = (form: Bodies["PasswordBody"]) =>
  nothing(client.POST("/api/v1/me/password", { body: form }));
export const sessions = (): Promise<T.UserSession[]> => body(client.GET("/api/v1/me/sessions"));
export const revokeSession = (id: string) => nothing(client.DELETE("/api/v1/me/sessions/{id}", { params: path(id) }));
export const tokens = (): Promise<T.ApiToken[]> => body(client.GET("/api/v1/me/tokens"));
export const createToken = (form: Bodies["TokenBody"]) => body(client.POST("/api/v1/me/tokens", { body: form }));
export const revokeToken = (id: string) => nothing(client.DELETE("/api/v1/me/tokens/{id}", { params: path(id) }));

export const home = async (): Promise<T.Home> =>
  (await early<T.Home>("home")) ?? (await body(client.GET("/api/v1/home")));
export type Filters = Partial<Record<(typeof filterNames)[number], string>>;
/** As the search page's address and the API have them. */
export const filterNames = ["genre", "language", "rating", "year_from", "year_to", "length", "sort"] as const;
const year = (text: string | undefined) => (text && /^\d{4}$/.test(text) ? Number(text) : undefined);
export const search = (q: string, filters: Filters, cursor: string | null, signal: AbortSignal) =>
  body(
    client.GET("/api/v1/search", {
      params: {
        query: {
          q,
          ...filters,
          year_from: year(filters.year_from),
          year_to: year(filters.year_to),
          cursor: cursor ?? undefined,
          limit: 24,
        },
      },
      signal,
    }),
  );
export const newest = (limit: number): Promise<T.Page<T.Video>> =>
  body(client.GET("/api/v1/videos", { params: { query: { sort: "newest", limit } } }));

export const vocabulary = (): Promise<T.Vocabulary> => body(client.GET("/api/v1/vocabulary"));

export const video = async (id: string): Promise<T.Video> =>
  (await early<T.Video>(`video ${id}`)) ?? (await body(client.GET("/api/v1/videos/{id}", { params: path(id) })));
/** `after`: the session that this playback goes on with. */
export const playback = async (id: string, after?: string): Promise<T.Playback> =>
  (after ? null : await early<T.Playback>(`playback ${id}`)) ??
  (await body(client.POST("/api/v1/videos/{id}/playback", { params: { ...path(id), query: after ? { after } : {} } })));
/** A look at a title that counts as no stream. */
export const look = (id: string): Promise<T.Playback> =>
  body(client.POST("/api/v1/videos/{id}/playback", { params: { ...path(id), query: { purpose: "preview" } } }));

export const streams = (): Promise<T.StreamView[]> => body(client.GET("/api/v1/me/streams"));
export const keepStream = (session: string) =>
  nothing(client.PUT("/api/v1/me/streams/{id}", { params: path(session) }));
export const stopStream = (session: string) =>
  nothing(client.DELETE("/api/v1/me/streams/{id}", { params: path(session) }));
/** Sent even while the page goes; nobody waits for the answer. */
export function leaveStream(session: string) {
  const options = { method: "DELETE", keepalive: true } as const;
  void fetch(`/api/v1/me/streams/${session}?left=true`, options).catch(() => {});
}
export const renditions = (id: string): Promise<T.Rendition[]> =>
  body(client.GET("/api/v1/videos/{id}/renditions", { params: path(id) }));
export const artwork = (id: string): Promise<T.StudioPicture[]> =>
  body(client.GET("/api/v1/videos/{id}/artwork", { params: path(id) }));
const ofPicture = (id: string, picture_id: string) => ({ params: { path: { id, picture_id } } });
export const editArtwork = (id: string, picture: string, edit: Bodies["ArtworkBody"]): Promise<T.StudioPicture> =>
  body(client.PATCH("/api/v1/videos/{id}/artwork/{picture_id}", { ...ofPicture(id, picture), body: edit }));
export const deleteArtwork = (id: string, picture: string) =>
  nothing(client.DELETE("/api/v1/videos/{id}/artwork/{picture_id}", ofPicture(id, picture)));
export const restoreArtwork = (id: string, picture: string): Promise<T.StudioPicture> =>
  body(client.POST("/api/v1/videos/{id}/artwork/{picture_id}/restore", ofPicture(id, picture)));
export const pickMoment = (id: string, moment: Bodies["MomentBody"]): Promise<T.StudioPicture> =>
  body(client.POST("/api/v1/videos/{id}/artwork/moments", { params: path(id), body: moment }));
export type Crop = Bodies["CropBody"];

/** Sends a picture; `fetch` would not tell how far it is. `progress` is given a number from 0 to 1. */
export function uploadArtwork(
  id: string,
  file: File,
  kind: T.PictureKind,
  crop: Crop,
  progress: (share: number) => void,
): Promise<T.StudioPicture> {
  const rounded = [crop.x, crop.y, crop.width, crop.height].map((n) => n.toFixed(5)).join(",");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/videos/${id}/artwork?kind=${kind}&crop=${rounded}`);
    request.responseType = "json";
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onload = () => {
      if (request.status === 202) resolve(request.response as T.StudioPicture);
      else reject(problemOf(request.status, request.response));
    };
    request.send(file);
  });
}

export type StudioQuery = {
  trash: boolean;
  all?: boolean;
  q?: string;
  state?: string;
  visibility?: string;
  sort?: string;
};
export const studio = (query: StudioQuery, cursor: string | null): Promise<T.Page<T.Video>> =>
  body(
    client.GET("/api/v1/studio/videos", { params: { query: { ...query, cursor: cursor ?? undefined, limit: 50 } } }),
  );
export type Bulk = Bodies["BulkBody"];
export const bulk = (form: Bulk): Promise<T.BulkAnswer> => body(client.POST("/api/v1/studio/bulk", { body: form }));
export const changes = (id: string, cursor: string | null): Promise<T.Page<T.Change>> =>
  body(
    client.GET("/api/v1/videos/{id}/changes", {
      params: { ...path(id), query: { cursor: cursor ?? undefined, limit: 50 } },
    }),
  );
export type Edit = Bodies["VideoBody"];
export const editVideo = (id: string, edit: Edit, revision: number): Promise<T.Video> =>
  body(
    client.PATCH("/api/v1/videos/{id}", {
      params: { ...path(id), header: { "If-Match": `"r${revision}"` } },
      body: edit,
    }),
  );
export const deleteVideo = (id: string) =>
  body(client.DELETE("/api/v1/videos/{id}", { params: path(id) })) as Promise<T.Video>;
export const deleteForever = (id: string) =>
  nothing(client.DELETE("/api/v1/videos/{id}", { params: { ...path(id), query: { permanent: true } } }));
export const restoreVideo = (id: string): Promise<T.Video> =>
  body(client.POST("/api/v1/videos/{id}/restore", { params: path(id) }));
export const cancelVideo = (id: string): Promise<T.Video> =>
  body(client.POST("/api/v1/videos/{id}/cancel", { params: path(id) }));
export const retryVideo = (id: string): Promise<T.Video> =>
  body(client.POST("/api/v1/videos/{id}/retry", { params: path(id) }));

export const related = (id: string, limit = 12): Promise<T.Video[]> =>
  body(client.GET("/api/v1/videos/{id}/related", { params: { ...path(id), query: { limit } } }));

const onList = (id: string) => ({ params: { path: { video_id: id } } });
export const watchlist = (cursor: string | null): Promise<T.Page<T.Video>> =>
  body(client.GET("/api/v1/me/watchlist", { params: { query: { cursor: cursor ?? undefined, limit: 48 } } }));
export const putOnList = (id: string) => nothing(client.PUT("/api/v1/me/watchlist/{video_id}", onList(id)));
export const takeOffList = (id: string) => nothing(client.DELETE("/api/v1/me/watchlist/{video_id}", onList(id)));

export const history = (q: string, cursor: string | null): Promise<T.Page<T.Video>> =>
  body(client.GET("/api/v1/me/history", { params: { query: { q, cursor: cursor ?? undefined } } }));
export const clearHistory = () => nothing(client.DELETE("/api/v1/me/history"));
export const savePosition = (id: string, position_ms: number, duration_ms: number, keepalive = false) =>
  nothing(
    client.PUT("/api/v1/me/history/{video_id}", {
      params: { path: { video_id: id } },
      body: { position_ms, duration_ms },
      keepalive,
    }),
  );
export const forget = (id: string) =>
  nothing(client.DELETE("/api/v1/me/history/{video_id}", { params: { path: { video_id: id } } }));

export const overview = (): Promise<T.Overview> => body(client.GET("/api/v1/control/overview"));
export const deadJobs = (cursor: string | null): Promise<T.Page<T.DeadJob>> =>
  body(client.GET("/api/v1/control/jobs", { params: { query: { cursor: cursor ?? undefined } } }));
export const retryJob = (id: string) => nothing(client.POST("/api/v1/control/jobs/{id}/retry", { params: path(id) }));
export const discardJob = (id: string) => nothing(client.DELETE("/api/v1/control/jobs/{id}", { params: path(id) }));
export const quality = (window: T.QualityWindow): Promise<T.Quality> =>
  body(client.GET("/api/v1/control/quality", { params: { query: { window } } }));
export const edges = (): Promise<T.Edges> => body(client.GET("/api/v1/control/edges"));
export const purge = (form: Bodies["Purge"]) => nothing(client.POST("/api/v1/control/edges/purge", { body: form }));
export const warm = (form: Bodies["NewWarming"]): Promise<T.Warming> =>
  body(client.POST("/api/v1/control/edges/warmings", { body: form }));
export const forgetWarming = (id: string) =>
  nothing(client.DELETE("/api/v1/control/edges/warmings/{id}", { params: path(id) }));
export const farm = (hours: number): Promise<T.Farm> =>
  body(client.GET("/api/v1/control/farm", { params: { query: { hours } } }));
export const pauseFarm = (paused: boolean) =>
  nothing(paused ? client.POST("/api/v1/control/farm/pause") : client.POST("/api/v1/control/farm/resume"));
export const drainWorker = (name: string, drained: boolean) => {
  const of = { params: { path: { name } } };
  return nothing(
    drained
      ? client.POST("/api/v1/control/workers/{name}/drain", of)
      : client.POST("/api/v1/control/workers/{name}/resume", of),
  );
};
export const prioritise = (id: string, priority: T.Priority): Promise<{ jobs: number }> =>
  body(client.POST("/api/v1/control/titles/{id}/priority", { params: path(id), body: { priority } }));
export const profiles = (): Promise<T.Profiles> => body(client.GET("/api/v1/control/profiles"));
/** `revision`: the one that the change is based on; `null` for a profile that must be new. */
export const putProfile = (name: string, profile: T.Profile, revision: number | null): Promise<T.StoredProfile> =>
  body(
    client.PUT("/api/v1/control/profiles/{name}", {
      params: {
        path: { name },
        header: revision === null ? { "If-None-Match": "*" } : { "If-Match": `"r${revision}"` },
      },
      body: profile,
    }),
  );
export const deleteProfile = (name: string) =>
  nothing(client.DELETE("/api/v1/control/profiles/{name}", { params: { path: { name } } }));
/** `null`: the built-in one. */
export const chooseProfile = (name: string | null) =>
  nothing(client.POST("/api/v1/control/profiles/{name}/choose", { params: { path: { name: name ?? "built-in" } } }));
export type EstimateBody = Bodies["EstimateBody"];
export const estimate = (form: EstimateBody, signal: AbortSignal): Promise<T.Estimate> =>
  body(client.POST("/api/v1/control/profiles/estimate", { body: form, signal }));
export const users = (q: string, cursor: string | null): Promise<T.Page<T.User>> =>
  body(client.GET("/api/v1/users", { params: { query: { q: q || undefined, cursor: cursor ?? undefined } } }));
export type UserEdit = Bodies["UserBody"];
export const editUser = (id: string, edit: UserEdit) =>
  nothing(client.PATCH("/api/v1/users/{id}", { params: path(id), body: edit }));
export const createUser = (form: Bodies["NewUserBody"]) => nothing(client.POST("/api/v1/users", { body: form }));
export const versions = (id: string): Promise<T.Version[]> =>
  body(client.GET("/api/v1/videos/{id}/versions", { params: path(id) }));
export const restoreVersion = (id: string, version_id: string): Promise<T.Video> =>
  body(client.POST("/api/v1/videos/{id}/versions/{version_id}/restore", { params: { path: { id, version_id } } }));
export const deleteVersion = (id: string, version_id: string) =>
  nothing(client.DELETE("/api/v1/videos/{id}/versions/{version_id}", { params: { path: { id, version_id } } }));
export const trimVideo = (id: string, form: Bodies["TrimBody"]): Promise<T.Trimmed> =>
  body(client.POST("/api/v1/videos/{id}/trim", { params: path(id), body: form })) as Promise<T.Trimmed>;
export const keepDuplicate = (id: string) =>
  nothing(client.DELETE("/api/v1/videos/{id}/duplicate", { params: path(id) }));

export const importLink = (form: Bodies["NewImport"]) => body(client.POST("/api/v1/imports", { body: form }));

/** Belongs to the tus face, which the OpenAPI document does not describe. */
export async function openUploads(): Promise<T.OpenUpload[]> {
  const answer = await fetch("/api/v1/me/uploads", { headers: { accept: "application/json" } }).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => undefined));
  return answer.json();
}
