// The edges: how they stand, what they are to bring near, and taking things out of them.
import "./control.css";
import "./farm.css";
import "./edges.css";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Edge, Edges } from "../../api/types";
import { bitrate, bytes } from "../../lib/format";
import { Bar, Button, Failure, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Bringing, PurgeDialog } from "./edges-acts";
import { share } from "./measure";
import { Part, Tile } from "./parts";
import { ControlTabs } from "./tabs";
import { Trend } from "./trend";

const EVERY_MS = 2000;

export default function EdgesPage() {
  useTitle("Edges");
  const [purging, setPurging] = useState(false);
  const query = useQuery({ queryKey: keys.edges, queryFn: api.edges, refetchInterval: EVERY_MS });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Edges</h1>
        <ControlTabs />
        <Button className="push" icon="trash" onClick={() => setPurging(true)}>
          Purge…
        </Button>
      </div>
      {query.isPending ? (
        <Waits />
      ) : query.data ? (
        <>
          {query.isError && (
            <Notice tone="bad">What you see is from before: {inWords(query.error)} It is asked again by itself.</Notice>
          )}
          <Whole edges={query.data} />
        </>
      ) : (
        <Failure what="The edges could not be loaded" error={query.error} retry={() => void query.refetch()} />
      )}
      <PurgeDialog open={purging} onClose={() => setPurging(false)} />
    </div>
  );
}

function Whole({ edges: { edges, warmings } }: { edges: Edges }) {
  return (
    <>
      <Figures edges={edges} />
      <div className="control">
        <Part title="Edges" wide>
          {edges.length === 0 ? (
            <Notice tone="bad">
              No edge was heard of. Edges tell of themselves over the bus: start a process with the role “edge” and the
              same <code>bus.url</code>.
            </Notice>
          ) : (
            <ul className="farmhands">
              {edges.map((edge) => (
                <Card key={edge.id} edge={edge} />
              ))}
            </ul>
          )}
        </Part>
        <Bringing warmings={warmings} />
      </div>
    </>
  );
}

function Figures({ edges }: { edges: readonly Edge[] }) {
  const here = edges.filter((edge) => !edge.silent);
  const sum = (of: (edge: Edge) => number) => here.reduce((all, edge) => all + of(edge), 0);
  const asked = sum((edge) => (edge.now.hit_ratio === null ? 0 : edge.now.requests_per_second));
  const hit = sum((edge) => (edge.now.hit_ratio ?? 0) * edge.now.requests_per_second);
  const [out, into] = [sum((edge) => edge.now.out_bits_per_second), sum((edge) => edge.now.in_bits_per_second)];
  const silent = edges.length - here.length;
  return (
    <dl className="tiles">
      <Tile
        name="Edges"
        figure={String(here.length)}
        tone={here.length === 0 || silent > 0 ? "bad" : undefined}
        note={silent === 0 ? "all are heard of" : `${silent} silent`}
      />
      <Tile
        name="Hit ratio"
        figure={asked === 0 ? "–" : share(hit / asked)}
        note={asked === 0 ? "nobody asks just now" : "of requests, just now"}
      />
      <Tile
        name="To viewers"
        figure={bitrate(out)}
        note={`${sum((edge) => edge.now.requests_per_second).toFixed(0)} requests a second`}
      />
      <Tile
        name="From origins"
        figure={bitrate(into)}
        note={out > into && out > 0 ? `${share(1 - into / out)} spared` : "nothing spared just now"}
      />
      <Tile
        name="Connections"
        figure={sum((edge) => edge.connections).toLocaleString("en")}
        note="of viewers, open now"
      />
    </dl>
  );
}

function standing(edge: Edge): { word: string; tone: string } {
  if (edge.draining) return { word: "Stopping", tone: "" };
  if (edge.silent) return { word: "Silent", tone: "bad" };
  if (edge.upstreams.length > 0 && !edge.upstreams.some(({ up }) => up)) return { word: "Cut off", tone: "bad" };
  return edge.now.requests_per_second > 0 ? { word: "Serving", tone: "busy" } : { word: "Idle", tone: "" };
}

function Card({ edge }: { edge: Edge }) {
  const { word, tone } = standing(edge);
  const failed = edge.results.find(({ result }) => result === "failed")?.count ?? 0;
  return (
    <li className="farmhand">
      <div className="line">
        <h3 className="name" title={edge.name}>
          {edge.name}
        </h3>
        <span className={`pill push ${tone}`}>{word}</span>
      </div>
      <p className="small muted">
        Kinora {edge.version}, started <When at={edge.started_at} />
        {edge.silent && (
          <>
            <br />
            last heard of <When at={edge.seen_at} />
          </>
        )}
      </p>
      <dl className="edge-facts">
        <Fact name="Hit ratio" value={share(edge.now.hit_ratio)} />
        <Fact name="To viewers" value={bitrate(edge.now.out_bits_per_second)} />
        <Fact name="From origin" value={bitrate(edge.now.in_bits_per_second)} />
        <Fact name="Connections" value={edge.connections.toLocaleString("en")} />
      </dl>
      <Trend
        values={edge.trend.map((point) => Math.round(point.out_bits_per_second / 1000))}
        label={`${edge.name}: kilobits a second to viewers, ten minutes`}
      />
      <Held name="Memory" of={edge} fill={edge.memory} />
      <Held name="Disk" of={edge} fill={edge.disk} />
      {edge.upstreams.length > 0 && (
        <ul className="edge-upstreams" aria-label={`${edge.name} asks`}>
          {edge.upstreams.map(({ address, up }) => (
            <li key={address} className="small">
              <span className="muted">{up ? "asks" : "left out"}</span> <code>{address}</code>
              {!up && <span className="pill bad">does not answer</span>}
            </li>
          ))}
        </ul>
      )}
      {failed > 0 && (
        <p className="small bad">
          {failed.toLocaleString("en")} {failed === 1 ? "request" : "requests"} failed since its start
        </p>
      )}
      {edge.warming.length > 0 && (
        <ul className="edge-upstreams" aria-label={`${edge.name} brings near`}>
          {edge.warming.slice(0, 4).map((one, at) => (
            <li key={at} className="stack share small">
              <span>
                {one.title}{" "}
                <span className="muted">
                  {one.state === "waiting"
                    ? "waits for its hours"
                    : one.state === "done"
                      ? `near, ${bytes(one.bytes)}`
                      : `${one.done.toLocaleString("en")} of ${one.total.toLocaleString("en")}, ${bytes(one.bytes)}`}
                  {one.failed > 2 && `, ${one.failed} not to be had`}
                </span>
              </span>
              {one.state === "running" && (
                <Bar
                  value={one.total > 0 ? (100 * (one.done + one.failed)) / one.total : 0}
                  label={`${one.title}: brought near`}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Held({ name, of, fill }: { name: string; of: Edge; fill: Edge["memory"] }) {
  return (
    <div className="stack share">
      <Bar value={fill.room > 0 ? (100 * fill.bytes) / fill.room : 0} label={`${of.name}: ${name} in use`} />
      <span className="small muted">
        {name} {bytes(fill.bytes)} of {bytes(fill.room)}, {fill.objects.toLocaleString("en")} held
        {fill.evicted > 0 && `, ${fill.evicted.toLocaleString("en")} made room`}
      </span>
    </div>
  );
}

function Waits() {
  return (
    <div className="stack" role="status" aria-label="Loading">
      <div className="tiles">
        {[1, 2, 3, 4, 5].map((tile) => (
          <Skeleton key={tile} height="104px" />
        ))}
      </div>
      <Skeleton height="320px" />
      <Skeleton height="160px" />
    </div>
  );
}
