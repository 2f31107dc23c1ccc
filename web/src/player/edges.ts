// Which edge is asked for media: the first that the server named for this viewer, and while that one fails, the next that
// works. An edge that failed rests for a while, and is then asked behind the viewer's back before anything depends on it.
import type shakaTypes from "shaka-player/dist/shaka-player.dash-es2021.js";
import { statusOf } from "./errors";

type Player = InstanceType<(typeof shakaTypes)["Player"]>;

/** The first rest after a failure, doubled with each failure in a row. */
export const firstRestMs = 10_000;
const longestRestMs = 300_000;
/** How long an edge may take to begin, and to go on, as long as others are left; and the last one. */
const patienceMs = { others: 3_000, last: 10_000 };
/** First pause before another edge is asked. */
const pauseMs = 100;
const probeMs = 3_000;

export type Ways = {
  now: () => number;
  /** Does an edge answer there? Any answer of it will do, but for a failure of its own. */
  probe: (address: string) => Promise<boolean>;
  /** Between 0 and 1. */
  chance: () => number;
};

/** `back`: it answered since, but has not delivered yet. */
type Rest = { until: number; failures: number; asked: boolean; back: boolean };

/** What is known of edges: the same for all that plays on this page. */
export class Health {
  private readonly resting = new Map<string, Rest>();

  constructor(private readonly ways: Ways = browser) {}

  isWell(edge: string): boolean {
    return this.resting.get(edge)?.back ?? true;
  }

  /** When it may be asked again; 0 for those that are well. */
  until(edge: string): number {
    return this.resting.get(edge)?.until ?? 0;
  }

  failed(edge: string) {
    const known = this.resting.get(edge);
    const now = this.ways.now();
    // Requests under way at the same time fail together, and count once.
    if (known && !known.back && now < known.until) return;
    const failures = (known?.failures ?? 0) + 1;
    // Viewers that it lost together do not come back together.
    const rest = Math.min(longestRestMs, firstRestMs * 2 ** (failures - 1)) * (1 + this.ways.chance() / 2);
    this.resting.set(edge, { until: now + rest, failures, asked: false, back: false });
  }

  worked(edge: string) {
    this.resting.delete(edge);
  }

  /** Asks an edge that has rested whether it is back. */
  ask(edge: string, path: string) {
    const known = this.resting.get(edge);
    if (!known || known.asked || this.ways.now() < known.until) return;
    known.asked = true;
    void this.ways
      .probe(edge + path)
      .catch(() => false)
      .then((answers) => {
        if (answers) known.back = true;
        else this.failed(edge);
      });
  }
}

const browser: Ways = {
  now: () => performance.now(),
  async probe(address) {
    const options = { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(probeMs) } as const;
    return (await fetch(address, { ...options, credentials: "omit", priority: "low" })).status < 500;
  },
  chance: Math.random,
};

const shared = new Health();

export class Edges {
  private readonly bases: readonly string[];
  private used: string | null = null;

  /** `bases`: as the server told them, in the order in which they are to be tried; none: where the page came from. */
  constructor(
    bases: readonly string[] = [],
    private readonly health = shared,
    private readonly here = location.origin,
  ) {
    this.bases = bases.map((base) => new URL(base, here).href.replace(/\/+$/, ""));
  }

  get count(): number {
    return this.bases.length;
  }

  /** The edge that answered last, as people know it; `null` where there are none. */
  get current(): string | null {
    const edge = this.used ?? this.bases[0];
    return edge ? new URL(edge).host : null;
  }

  /** Where to ask, in this order. Of what is no media there is one address. */
  addresses(address: string): string[] {
    const path = this.path(address);
    if (path === null || this.bases.length === 0) return [new URL(address, this.here).href];
    const well = this.bases.filter((edge) => this.health.isWell(edge));
    const resting = this.bases.filter((edge) => !this.health.isWell(edge));
    for (const edge of resting) this.health.ask(edge, path.replace(/\?.*$/, ""));
    // When all failed, the one whose failure is longest ago is the best guess.
    resting.sort((a, b) => this.health.until(a) - this.health.until(b));
    return [...well, ...resting].map((edge) => edge + path);
  }

  /** The edge there did not deliver: says whether another one is left that is well. */
  failed(address: string): boolean {
    const edge = this.edge(address);
    if (edge === null) return false;
    this.health.failed(edge);
    return this.bases.some((one) => this.health.isWell(one));
  }

  worked(address: string) {
    const edge = this.edge(address);
    if (edge === null) return;
    this.used = edge;
    this.health.worked(edge);
  }

  private edge(address: string): string | null {
    return this.bases.find((base) => address.startsWith(`${base}/media/`)) ?? null;
  }

  /** Path and query of media, at whichever edge or none; `null` for everything else. */
  private path(address: string): string | null {
    const whole = new URL(address, this.here).href;
    const base = [...this.bases, this.here].find((one) => whole.startsWith(`${one}/media/`));
    return base === undefined ? null : whole.slice(base.length);
  }
}

/** Fetches a text from the first edge that delivers it. */
export async function fetchFrom(edges: Edges, url: string, signal: AbortSignal): Promise<Response | null> {
  const addresses = edges.addresses(url);
  for (const address of addresses) {
    const late = addresses.length > 1 ? AbortSignal.any([signal, AbortSignal.timeout(patienceMs.last)]) : signal;
    const answer = await fetch(address, { signal: late }).catch(() => null);
    if (signal.aborted) return null;
    if (answer && answer.status < 500) return answer;
    edges.failed(address);
  }
  return null;
}

/** Lets a player ask the edges of whatever it plays at the moment. */
export function askEdges(player: Player, edges: () => Edges) {
  const engine = player.getNetworkingEngine();
  if (!engine) return;
  engine.registerRequestFilter((_, request) => {
    // The same request passes here before each attempt: the order is that of the first.
    if (request.attempt === 0) request.uris = request.uris.flatMap((uri) => edges().addresses(uri));
    if (edges().count < 2) return;
    const patience = request.attempt < request.uris.length - 1 ? patienceMs.others : patienceMs.last;
    request.retryParameters = { ...request.retryParameters, connectionTimeout: patience, stallTimeout: patience };
  });
  engine.registerResponseFilter((_, response) => edges().worked(response.originalUri));
  engine.addEventListener("retry", (event) => {
    const { error } = event as Event & { error: { data?: unknown[] } };
    const status = statusOf(error);
    // Who may not here may not elsewhere.
    if (status === 401 || status === 403) event.preventDefault();
    else if ((status === 0 || status >= 500) && typeof error.data?.[0] === "string") edges().failed(error.data[0]);
  });
}

/** How often, and with which first pause, a player asks for what these edges have. */
export function attempts(edges: Edges) {
  if (edges.count < 2) return {};
  const retryParameters = { maxAttempts: edges.count + 2, baseDelay: pauseMs };
  return { manifest: { retryParameters }, streaming: { retryParameters } };
}
