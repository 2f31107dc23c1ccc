// Every component in its states, in development builds only.
import "../studio/studio.css";
import { useState } from "react";
import type { Step, Video } from "../../api/types";
import { CaptionStyleForm } from "../../player/caption-style";
import { Area, Avatar, Bar, Button, Choices, Empty, Failure, Field, Notice, Skeleton, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { Confirm, Dialog, Menu } from "../../ui/overlay";
import { Row } from "../../ui/row";
import { Segments, Toggle } from "../../ui/segments";
import { toast } from "../../ui/toast";
import { visibilities } from "../studio/state";
import { Steps } from "../studio/steps";

const at = "2026-01-01T00:00:00Z";
const steps: Step[] = [
  { name: "upload", state: "done", done: 1, total: 1, message: "", updated_at: at },
  { name: "encode", state: "running", done: 3, total: 8, message: "Chunk 3 of 8", updated_at: at },
  { name: "audio", state: "failed", done: 0, total: 1, message: "The second audio track is damaged.", updated_at: at },
  { name: "publish", state: "waiting", done: 0, total: 0, message: "", updated_at: at },
];

const plain: Video = {
  id: "plain",
  title: "A title with its usual words",
  description: "",
  attribution: "",
  kind: "movie",
  genres: ["comedy"],
  tags: [],
  cast: [],
  directors: [],
  language: "en",
  release_year: 2026,
  maturity_rating: null,
  visibility: "public",
  publish_at: null,
  available_from: null,
  available_until: null,
  countries: null,
  state: "processing",
  complete: true,
  live: false,
  error: null,
  duration_ms: 5_400_000,
  width: 1920,
  height: 1080,
  owner: { id: "ada", name: "Ada Lovelace" },
  created_at: at,
  published_at: at,
  updated_at: at,
  deleted_at: null,
  revision: 1,
  poster_url: null,
  artwork: {},
  purge_at: null,
  duplicate_of: null,
  can_manage: false,
  page_url: "/watch/plain",
};
const samples: Video[] = [
  plain,
  { ...plain, id: "rated", title: "Rated", maturity_rating: "PG-13" },
  { ...plain, id: "begun", title: "Begun", progress: { position_ms: 2_000_000, duration_ms: 5_400_000 } },
  { ...plain, id: "listed", title: "On my list", in_watchlist: true },
  { ...plain, id: "long", title: "A title whose name is so long that it needs a second line and then some more of it" },
  { ...plain, id: "short", title: "Without a length", duration_ms: null },
];

export default function GalleryPage() {
  useTitle("Gallery");
  const [dialog, setDialog] = useState(false);
  const [confirm, setConfirm] = useState(false);
  const [choice, setChoice] = useState<"public" | "private">("public");
  const [segment, setSegment] = useState<"near" | "far">("near");
  const [on, setOn] = useState(true);
  const [text, setText] = useState("Several lines\nof text");
  return (
    <div className="page">
      <h1>Components</h1>
      <section className="panel" aria-label="Buttons">
        <h2>Buttons</h2>
        <div className="line">
          <Button>Plain</Button>
          <Button look="primary" icon="play">
            Primary
          </Button>
          <Button look="danger" icon="trash">
            Danger
          </Button>
          <Button look="quiet">Quiet</Button>
          <Button size="small">Small</Button>
          <Button size="large" look="primary">
            Large
          </Button>
          <Button busy>Busy</Button>
          <Button disabled>Disabled</Button>
          <Button icon="more" aria-label="Icon only" />
        </div>
      </section>
      <section className="panel" aria-label="Fields">
        <h2>Fields</h2>
        <div className="grid">
          <Field label="Name" hint="A hint below" placeholder="Placeholder" />
          <Field label="Wrong" wrong="This is taken already." defaultValue="kinora" />
          <Area label="Description" value={text} onValue={setText} />
          <Choices
            legend="Visibility"
            value={choice}
            onValue={setChoice}
            options={(["public", "private"] as const).map((value) => ({ value, ...visibilities[value] }))}
          />
        </div>
      </section>
      <section className="panel" aria-label="Choices">
        <h2>Choices, switches, captions</h2>
        <Segments
          label="Segments"
          value={segment}
          onValue={setSegment}
          options={[
            { value: "near", label: "Near by" },
            { value: "far", label: "Across the room" },
          ]}
        />
        <Toggle label="A switch" hint="What it means." on={on} onValue={setOn} />
        <Toggle label="A switch that is off" on={!on} onValue={(now) => setOn(!now)} />
        <CaptionStyleForm />
      </section>
      <section className="panel" aria-label="Overlays">
        <h2>Menu, dialog, toast</h2>
        <div className="line">
          <Menu
            trigger={<Button icon="down">Menu</Button>}
            align="start"
            items={[
              { label: "Edit", icon: "edit", onSelect: () => toast("Edit") },
              "line",
              {
                label: "Delete",
                icon: "trash",
                danger: true,
                onSelect: () => toast("Deleted", { label: "Undo", run: () => toast("Back") }),
              },
            ]}
          />
          <Button onClick={() => setDialog(true)}>Dialog</Button>
          <Button onClick={() => setConfirm(true)}>Question</Button>
          <Button onClick={() => toast("Saved.")}>Toast</Button>
        </div>
        <Dialog open={dialog} onClose={() => setDialog(false)} title="Dialog" description="What it is about.">
          <Field label="Name" />
        </Dialog>
        <Confirm open={confirm} title="Leave?" yes="Leave" danger onAnswer={() => setConfirm(false)}>
          Changes are lost.
        </Confirm>
      </section>
      <section className="panel" aria-label="Progress">
        <h2>Progress and states</h2>
        <Bar value={42} label="Known" />
        <Bar value={null} label="Unknown" />
        <div className="line">
          <span className="pill">Cancelled</span>
          <span className="pill good">Ready</span>
          <span className="pill busy">Encoding 42 %</span>
          <span className="pill bad">Failed</span>
          <Avatar name="Ada Lovelace" />
          <span className="spinner" />
          <kbd>K</kbd>
        </div>
        <Notice>Plain notice</Notice>
        <Notice tone="accent">Accent notice</Notice>
        <Notice tone="bad">Something failed, and why.</Notice>
        <Steps steps={steps} />
      </section>
      <Row title="Cards in their states" href="/">
        {samples.map((video) => (
          <li key={video.id}>
            <Card video={video} />
          </li>
        ))}
      </Row>
      <Row title="A row, loading">
        {[1, 2, 3, 4, 5, 6, 7].map((card) => (
          <li key={card}>
            <CardSkeleton />
          </li>
        ))}
      </Row>
      <Skeleton height="48px" />
      <Empty icon="film" title="Nothing here" actions={<Button look="primary">Do this</Button>}>
        What to do about it.
      </Empty>
      <Failure
        what="It failed"
        error={new Error("The server cannot be reached.")}
        retry={() => toast("Trying again")}
      />
      <div className="line">
        {(
          [
            "search",
            "home",
            "upload",
            "studio",
            "history",
            "user",
            "edit",
            "trash",
            "retry",
            "lock",
            "link",
            "globe",
            "sun",
            "moon",
            "volume",
            "quiet",
            "muted",
            "full",
            "pip",
            "gear",
            "captions",
            "speed",
            "audio",
            "stats",
            "keyboard",
            "copy",
            "out",
            "key",
            "film",
          ] as const
        ).map((name) => (
          <Icon key={name} name={name} size={24} />
        ))}
      </div>
    </div>
  );
}
