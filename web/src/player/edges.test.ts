// Which edge is asked, and when one that failed is asked again.
import { expect, test, vi } from "vitest";
import { askEdges, attempts, Edges, fetchFrom, firstRestMs, Health } from "./edges";

const here = "https://video.example";
const [one, two, three] = ["https://e1.example", "https://e2.example:8443", "https://e3.example/kinora"] as const;
const media = "/media/tok.en/0191/v1/3.m4s";

function world(bases: readonly string[] = [one, two, three]) {
  const clock = { now: 0, answers: true, chance: 0, probed: [] as string[] };
  const health = new Health({
    now: () => clock.now,
    probe: async (address) => {
      clock.probed.push(address);
      return clock.answers;
    },
    chance: () => clock.chance,
  });
  return { clock, health, edges: new Edges(bases, health, here) };
}
const settled = () => new Promise((settle) => setTimeout(settle));

test("media are asked for at every edge in turn, everything else where it is", () => {
  const { edges } = world();
  const all = [one, two, three].map((edge) => `${edge}${media}?CMCD=x`);
  expect(edges.addresses(`${media}?CMCD=x`)).toEqual(all);
  expect(edges.addresses(`${here}${media}?CMCD=x`)).toEqual(all);
  // What a manifest of an edge names is not bound to that edge.
  for (const address of all) expect(edges.addresses(address)).toEqual(all);
  for (const other of [`${here}/api/v1/beats`, `https://elsewhere.example${media}`, `${one}/mediation/x`])
    expect(edges.addresses(other)).toEqual([other]);
});

test("without edges media come from where the page came from", () => {
  const { edges } = world([]);
  expect(edges.addresses(media)).toEqual([`${here}${media}`]);
  expect(edges.current).toBe(null);
  expect(attempts(edges)).toEqual({});
});

test("an edge that failed comes last, and the one that works stays first", () => {
  const { edges, clock } = world();
  expect(edges.current).toBe("e1.example");
  expect(edges.failed(one + media)).toBe(true);
  expect(edges.addresses(media)).toEqual([two + media, three + media, one + media]);
  edges.worked(two + media);
  expect(edges.current).toBe("e2.example:8443");
  clock.now = firstRestMs - 1;
  expect(edges.addresses(media)[0]).toBe(two + media);
  expect(clock.probed).toEqual([]);
});

test("with all of them resting, the first that may be asked again is asked", () => {
  const { edges, clock } = world();
  edges.failed(two + media);
  clock.now += 5;
  edges.failed(one + media);
  clock.now += 5;
  expect(edges.failed(three + media)).toBe(false);
  expect(edges.addresses(media)).toEqual([two + media, one + media, three + media]);
});

test("a rested edge is asked behind the viewer's back, and is first again when it answers", async () => {
  const { edges, clock } = world();
  edges.failed(one + media);
  edges.worked(two + media);
  clock.now = firstRestMs;
  expect(edges.addresses(`${media}?CMCD=x`)[0]).toBe(`${two}${media}?CMCD=x`);
  edges.addresses(media);
  expect(clock.probed).toEqual([one + media]);
  await settled();
  expect(edges.addresses(media)[0]).toBe(one + media);
});

test("each failure in a row doubles the rest, requests that fail together count once", async () => {
  const { edges, clock, health } = world();
  for (let i = 0; i < 5; i++) edges.failed(one + media);
  expect(health.until(one)).toBe(firstRestMs);
  clock.answers = false;
  for (const rest of [2, 4, 8, 16, 30, 30]) {
    clock.now = health.until(one);
    edges.addresses(media);
    await settled();
    expect(health.until(one) - clock.now).toBe(rest * firstRestMs);
  }
});

test("who answers and does not deliver rests longer; who delivers starts anew", async () => {
  const { edges, clock, health } = world();
  edges.failed(one + media);
  clock.now = health.until(one);
  edges.addresses(media);
  await settled();
  edges.failed(one + media);
  expect(health.until(one) - clock.now).toBe(2 * firstRestMs);
  edges.worked(one + media);
  expect(edges.addresses(media)[0]).toBe(one + media);
  edges.failed(one + media);
  expect(health.until(one) - clock.now).toBe(firstRestMs);
});

test("viewers do not come back all at once", () => {
  const { edges, clock, health } = world();
  clock.chance = 1;
  edges.failed(one + media);
  expect(health.until(one)).toBe(1.5 * firstRestMs);
});

type Filter = (type: number, request: Asked) => void;
type Asked = {
  uris: string[];
  attempt: number;
  retryParameters: { connectionTimeout: number; stallTimeout: number; timeout: number };
};

function player() {
  const filters: { ask?: Filter; answer?: (type: number, response: { originalUri: string }) => void } = {};
  const engine = Object.assign(new EventTarget(), {
    registerRequestFilter: (filter: Filter) => (filters.ask = filter),
    registerResponseFilter: (filter: NonNullable<typeof filters.answer>) => (filters.answer = filter),
  });
  const retry = (uri: string, status: number) => {
    const error = status
      ? { code: 1001, category: 1, data: [uri, status] }
      : { code: 1003, category: 1, data: [uri, 1] };
    const event = Object.assign(new Event("retry", { cancelable: true }), { error });
    engine.dispatchEvent(event);
    return !event.defaultPrevented;
  };
  return { shaka: { getNetworkingEngine: () => engine } as never, filters, retry };
}

test("the player's requests name all edges, wait shortly for all but the last, and tell how it went", () => {
  const { edges } = world();
  const { shaka, filters, retry } = player();
  askEdges(shaka, () => edges);
  const asked = (attempt: number, uris = [here + media]): Asked => {
    const request = { uris, attempt, retryParameters: { connectionTimeout: 1, stallTimeout: 1, timeout: 20_000 } };
    filters.ask?.(1, request);
    return request;
  };
  const first = asked(0);
  expect(first.uris).toEqual([one, two, three].map((edge) => edge + media));
  expect(first.retryParameters).toEqual({ connectionTimeout: 3000, stallTimeout: 3000, timeout: 20_000 });
  expect(asked(1, first.uris).uris).toEqual(first.uris);
  expect(asked(2, first.uris).retryParameters.connectionTimeout).toBe(10_000);
  expect(retry(one + media, 0)).toBe(true);
  expect(asked(0).uris[0]).toBe(two + media);
  expect(retry(two + media, 502)).toBe(true);
  expect(asked(0).uris[0]).toBe(three + media);
  filters.answer?.(1, { originalUri: three + media });
  expect(edges.current).toBe("e3.example");
});

test("a refusal is no failure of the edge, and is final", () => {
  const { edges } = world();
  const { shaka, retry } = player();
  askEdges(shaka, () => edges);
  for (const status of [401, 403]) expect(retry(one + media, status)).toBe(false);
  for (const status of [404, 410]) expect(retry(one + media, status)).toBe(true);
  expect(edges.addresses(media)[0]).toBe(one + media);
});

test("a text is fetched from the first edge that delivers it", async () => {
  const { edges } = world();
  const fetched: string[] = [];
  vi.stubGlobal("fetch", async (address: string) => {
    fetched.push(address);
    if (address.startsWith(one)) throw new TypeError("no connection");
    return new Response("", { status: address.startsWith(two) ? 503 : 401 });
  });
  const answer = await fetchFrom(edges, "/media/t/p/storyboard.vtt", new AbortController().signal);
  vi.unstubAllGlobals();
  expect(answer?.status).toBe(401);
  expect(fetched).toEqual([one, two, three].map((edge) => `${edge}/media/t/p/storyboard.vtt`));
  expect(edges.addresses(media)[0]).toBe(three + media);
});
