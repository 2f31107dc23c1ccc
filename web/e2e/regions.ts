// Regions for tests: one origin and some edges, each a process of its own, each edge at the end of a line with a rate and a
// delay, which can break in two ways.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const program = process.env.KINORA_BIN ?? "";
const local = "127.0.0.1";
const run = promisify(execFile);
const sleep = (ms: number) => new Promise<void>((wake) => setTimeout(wake, ms));

type Shape = { bitsPerSecond: number; roundTripMs: number };

/** A TCP proxy that shapes what passes. */
export class Line {
  port = 0;
  /** `silent`: nothing passes any more, and nobody is told. */
  private state: "up" | "reset" | "silent" = "up";
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private freeAt = 0;

  /** `target`: the port behind it. */
  constructor(
    readonly target: number,
    private readonly shape: Shape,
  ) {
    this.server = createServer((near) => this.join(near));
  }

  async open() {
    await new Promise<void>((ready) => this.server.listen(this.port, local, ready));
    this.port = (this.server.address() as { port: number }).port;
    this.state = "up";
  }

  /** Connections are reset, and new ones refused. */
  async reset() {
    this.state = "reset";
    await this.hangUp();
  }

  silence() {
    this.state = "silent";
  }

  async restore() {
    if (this.state === "silent") await this.hangUp();
    if (this.state !== "up") await this.open();
  }

  async close() {
    if (this.server.listening) await this.hangUp();
  }

  private async hangUp() {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.sockets.clear();
    await closed;
  }

  private join(near: Socket) {
    this.keep(near);
    if (this.state !== "up") return;
    const far = connect(this.target, local);
    this.keep(far);
    this.pass(near, far, false);
    this.pass(far, near, true);
  }

  private keep(socket: Socket) {
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.sockets.delete(socket));
  }

  /** Pieces in their order, each when the line has had the time for it and half a round trip later. */
  private pass(from: Socket, to: Socket, narrow: boolean) {
    let order = Promise.resolve();
    const later = (due: number, act: () => void) => {
      order = order.then(async () => {
        await sleep(due - Date.now() + this.shape.roundTripMs / 2);
        if (this.state === "up") act();
      });
    };
    from.on("data", (piece) => {
      const now = Date.now();
      if (narrow) this.freeAt = Math.max(this.freeAt, now) + (piece.length * 8000) / this.shape.bitsPerSecond;
      const due = narrow ? this.freeAt : now;
      if (due - now > 20) {
        from.pause();
        setTimeout(() => from.resume(), due - now);
      }
      later(due, () => to.write(piece));
    });
    from.on("end", () => later(0, () => to.end()));
    from.on("close", (broken) => broken && later(0, () => to.destroy()));
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, local, ready));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

/** Its settings come from here alone. */
function environment(settings: Record<string, string>) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("KINORA_"));
  return { ...Object.fromEntries(own), ...settings } as NodeJS.ProcessEnv;
}

export class Role {
  readonly data: string;
  readonly url: string;
  private readonly log: string;
  private readonly process: ChildProcess;

  constructor(
    work: string,
    name: string,
    readonly port: number,
    roles: string,
    settings: Record<string, string>,
  ) {
    this.data = join(work, name);
    this.url = `http://${local}:${port}`;
    this.log = join(work, `${name}.log`);
    const out = openSync(this.log, "a");
    const flags = ["serve", "--data", this.data, "--listen", `${local}:${port}`, "--roles", roles];
    this.process = spawn(program, flags, { stdio: ["ignore", out, out], env: environment(settings) });
  }

  async ready() {
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      if (this.process.exitCode !== null) break;
      await sleep(100);
    }
    throw new Error(`${this.url} is not ready:\n${readFileSync(this.log, "utf8").slice(-2000)}`);
  }

  async end(signal: NodeJS.Signals) {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill(signal);
    const late = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
    await gone;
    clearTimeout(late);
  }
}

/** An origin with everything that pages need, edges in front of it, and a public title of so many seconds. */
export class Regions {
  title = "";
  readonly lines: Line[] = [];
  readonly edges: Role[] = [];
  origin!: Role;
  private readonly work = mkdtempSync(join(tmpdir(), "kinora-regions-"));

  async start(shapes: readonly Shape[], seconds: number) {
    const port = await freePort();
    for (const shape of shapes) {
      const line = new Line(await freePort(), shape);
      await line.open();
      this.lines.push(line);
    }
    const edges = this.lines.map((line) => `http://${local}:${line.port}`);
    this.origin = new Role(this.work, "origin", port, "api,worker,origin", {
      KINORA_APP__EDGES: JSON.stringify(edges),
      KINORA_ENCODING__HARDWARE: "off",
    });
    await this.origin.ready();
    for (const [at, line] of this.lines.entries())
      this.edges.push(
        new Role(this.work, `edge-${at + 1}`, line.target, "edge", {
          KINORA_BLOB__URL: `file:${join(this.origin.data, "blobs")}`,
          KINORA_EDGE__UPSTREAMS: JSON.stringify([this.origin.url]),
        }),
      );
    await Promise.all(this.edges.map((edge) => edge.ready()));
    await this.publish(seconds);
  }

  private async publish(seconds: number) {
    const film = join(this.work, "film.mp4");
    const picture = ["-f", "lavfi", "-i", `testsrc2=size=640x360:rate=25:duration=${seconds}`];
    const sound = ["-f", "lavfi", "-i", `sine=duration=${seconds}`];
    const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"];
    await run("ffmpeg", ["-v", "error", ...picture, ...sound, ...codecs, film]);
    const kinora = async (flags: string[], settings: Record<string, string>) =>
      (await run(program, flags, { env: environment(settings), timeout: 300_000 })).stdout;
    // Without an administrator every page is the one that makes one.
    const admin = { name: "Ada", email: "ada@example.org", password: "correct horse battery staple" };
    await this.post("/api/v1/setup", admin);
    const told = await kinora(["admin", "token", "--data", this.origin.data], {});
    const token = told.trim().split("\n").at(-1) ?? "";
    const settings = { KINORA_SERVER: this.origin.url, KINORA_TOKEN: token };
    const uploaded = await kinora(
      ["upload", film, "--title", "Far away", "--visibility", "public", "--wait", "--json"],
      settings,
    );
    this.title = JSON.parse(uploaded).id;
  }

  private async post(path: string, body: object) {
    const headers = { origin: this.origin.url, "content-type": "application/json" };
    const answer = await fetch(this.origin.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Fetches all of the title through an edge, as a browser would. */
  async warm(edge: Role) {
    const { hls_url, dash_url } = await this.post(`/api/v1/videos/${this.title}/playback`, {});
    const get = async (address: string) => {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
      return answer;
    };
    const addresses = [new URL(hls_url, edge.url).href];
    for (const address of addresses) {
      const text = address.endsWith(".m3u8") ? await (await get(address)).text() : "";
      if (!text) await (await get(address)).arrayBuffer();
      const named = [...text.matchAll(/^[^#\s].*$|URI="([^"]+)"/gm)].map(([line, quoted]) => quoted ?? line);
      for (const one of named) {
        const whole = new URL(one, address).href;
        if (!addresses.includes(whole)) addresses.push(whole);
      }
    }
    await (await get(new URL(dash_url, edge.url).href)).arrayBuffer();
  }

  async stop() {
    await Promise.all(this.lines.map((line) => line.close()));
    await Promise.all([...this.edges, ...(this.origin ? [this.origin] : [])].map((role) => role.end("SIGTERM")));
    rmSync(this.work, { recursive: true, force: true });
  }
}
