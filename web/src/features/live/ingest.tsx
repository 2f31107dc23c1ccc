// Where an encoder sends the event to: addresses, keys, and the way there in OBS, step by step.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import * as api from "../../api/live";
import { inWords } from "../../api/problem";
import { keys, queryClient, useMe } from "../../api/queries";
import type { Ingest, LiveEvent } from "../../api/types";
import { Button, Failure, Notice, Skeleton } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Confirm } from "../../ui/overlay";
import { Segments } from "../../ui/segments";
import { toast } from "../../ui/toast";

type Protocol = Ingest["servers"][number]["protocol"];
type Slot = Ingest["keys"][number]["slot"];

const protocolWords: Record<Protocol, string> = { rtmps: "RTMPS (encrypted)", rtmp: "RTMP", srt: "SRT" };

export function IngestPanel({ event, folded }: { event: LiveEvent; folded: boolean }) {
  const me = useMe();
  const mine = me?.id === event.video.owner.id;
  const query = useQuery({ queryKey: keys.ingest(event.id), queryFn: () => api.ingest(event.id), enabled: mine });
  const title = "Connect your encoder";
  if (!mine)
    return (
      <section className="panel" aria-label={title}>
        <h2>{title}</h2>
        <p className="muted">Only {event.video.owner.name}, whose event this is, can see its keys.</p>
      </section>
    );
  const inner = query.isPending ? (
    <Skeleton height="240px" />
  ) : query.isError ? (
    <Failure what="The keys could not be loaded" error={query.error} retry={() => void query.refetch()} />
  ) : (
    <Connect event={event} ingest={query.data} />
  );
  return (
    <section className="panel" aria-label={title}>
      {folded ? (
        <details className="live-fold">
          <summary>
            <h2>Addresses and keys</h2>
          </summary>
          <div className="stack">{inner}</div>
        </details>
      ) : (
        <>
          <h2>{title}</h2>
          {inner}
        </>
      )}
    </section>
  );
}

function Connect({ event, ingest }: { event: LiveEvent; ingest: Ingest }) {
  const [chosen, setChosen] = useState<Protocol | null>(null);
  const [slot, setSlot] = useState<Slot>("primary");
  const server = ingest.servers.find(({ protocol }) => protocol === chosen) ?? ingest.servers[0];
  const key = ingest.keys.find((one) => one.slot === slot)?.key ?? "";
  if (!server)
    return (
      <>
        <Notice>
          This site takes no live streams yet. An administrator can switch that on with <code>live.rtmp.listen</code>,
          or name the address in <code>app.live.rtmp_url</code>.
        </Notice>
        <Secret label="Stream key" value={key} />
        <Rotate event={event} />
      </>
    );
  const srt = server.protocol === "srt";
  return (
    <>
      <div className="line live-choices">
        {ingest.servers.length > 1 && (
          <Segments
            label="How to send"
            value={server.protocol}
            onValue={setChosen}
            options={ingest.servers.map(({ protocol }) => ({ value: protocol, label: protocolWords[protocol] }))}
          />
        )}
        <Segments
          label="Which encoder"
          value={slot}
          onValue={setSlot}
          options={[
            { value: "primary", label: "Main" },
            { value: "backup", label: "Backup" },
          ]}
        />
      </div>
      {slot === "backup" && (
        <p className="muted small">
          A second encoder with this key takes over by itself when the main one is lost, and gives back when it returns.
        </p>
      )}
      <ol className="live-steps">
        <Step title="Open the settings of OBS, and there Stream">
          Choose the service <b>Custom…</b>
        </Step>
        {srt ? (
          <Step title="Enter the server, and leave the stream key empty">
            <Secret label="Server" value={`${server.url}?streamid=${key}`} shown={`${server.url}?streamid=`} />
          </Step>
        ) : (
          <>
            <Step title="Enter the server">
              <Copied label="Server" value={server.url} />
            </Step>
            <Step title="Enter the stream key">
              <Secret label="Stream key" value={key} />
            </Step>
          </>
        )}
        <Step title="Check the output">
          <dl className="live-recommended">
            <dt>Encoder</dt>
            <dd>x264, or your graphics card’s H.264</dd>
            <dt>Rate control</dt>
            <dd>CBR</dd>
            <dt>Bitrate</dt>
            <dd>6000 kb/s for 1080p, 3500 for 720p, 160 for sound</dd>
            <dt>Key-frame interval</dt>
            <dd>2 s</dd>
            <dt>B-frames</dt>
            <dd>{event.latency === "low" ? "0 to 2" : "2"}</dd>
          </dl>
        </Step>
        <Step title="Start streaming">The event is live as soon as your picture arrives here.</Step>
      </ol>
      <Rotate event={event} />
    </>
  );
}

function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li>
      <b>{title}</b>
      <div>{children}</div>
    </li>
  );
}

const copy = (label: string, value: string) =>
  void navigator.clipboard.writeText(value).then(
    () => toast(`${label} copied.`),
    () => toast("The browser did not allow copying."),
  );

function Copied({ label, value }: { label: string; value: string }) {
  return (
    <div className="live-value">
      <code>{value}</code>
      <Button size="small" icon="copy" aria-label={`Copy: ${label}`} onClick={() => copy(label, value)}>
        Copy
      </Button>
    </div>
  );
}

/** Hidden until asked for: somebody may be looking at the screen. `shown` is the part that is no secret. */
function Secret({ label, value, shown = "" }: { label: string; value: string; shown?: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="live-value">
      <code>{open ? value : `${shown}${"•".repeat(16)}`}</code>
      <Button
        size="small"
        icon="eye"
        aria-pressed={open}
        aria-label={`${open ? "Hide" : "Show"}: ${label}`}
        onClick={() => setOpen(!open)}
      >
        {open ? "Hide" : "Show"}
      </Button>
      <Button size="small" icon="copy" aria-label={`Copy: ${label}`} onClick={() => copy(label, value)}>
        Copy
      </Button>
    </div>
  );
}

function Rotate({ event }: { event: LiveEvent }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const rotate = async () => {
    setBusy(true);
    try {
      queryClient.setQueryData(keys.ingest(event.id), await api.rotateKeys(event.id));
      toast("The keys are new. Enter them into your encoder.");
    } catch (error) {
      toast(`The keys could not be changed. ${inWords(error)}`);
    }
    setBusy(false);
  };
  return (
    <div className="line live-rotate">
      <Icon name="key" size={16} />
      <span className="muted small">Whoever has a key can send in your name. Did somebody else see one?</span>
      <Button size="small" className="push" busy={busy} onClick={() => setAsked(true)}>
        Change the keys…
      </Button>
      <Confirm
        open={asked}
        title="Change the keys?"
        yes="Change the keys"
        danger={event.connected}
        onAnswer={(yes) => {
          setAsked(false);
          if (yes) void rotate();
        }}
      >
        The present keys, of the main and of the backup encoder, stop working.{" "}
        {event.connected
          ? "The encoder that is connected now is cut off until you enter the new key."
          : "Encoders need the new ones."}
      </Confirm>
    </div>
  );
}
