// The title's pictures by kind: frames that were found, uploads and picked moments; what is chosen takes effect at once.
import "./artwork.css";
import { useQuery } from "@tanstack/react-query";
import { type DragEvent, useEffect, useRef, useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import { keys, listsChanged, queryClient } from "../../../api/queries";
import type { PictureKind, StudioPicture, Video } from "../../../api/types";
import { clock } from "../../../lib/format";
import { Bar, Button, Failure, Field, Skeleton } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Dialog, Menu } from "../../../ui/overlay";
import { blurOf, pictureAt, srcSetOf } from "../../../ui/picture";
import { toast } from "../../../ui/toast";
import type { Rect } from "./crop";
import { CropDialog, shapes } from "./cropdialog";
import { type Moment, MomentDialog } from "./moment";

const kinds: PictureKind[] = ["poster", "portrait", "banner"];
const accepted = "image/jpeg,image/png,image/webp,image/avif";
const maxBytes = 20 * 1024 * 1024;

type Source = { kind: PictureKind; url: string } & ({ file: File } | { at_ms: number });

export function Artwork({ video }: { video: Video }) {
  const list = useQuery({
    queryKey: [...keys.artwork(video.id), video.complete],
    queryFn: () => api.artwork(video.id),
    refetchInterval: (query) => (query.state.data?.some(isUnderWay) ? 700 : false),
  });
  const [source, setSource] = useState<Source | null>(null);
  const [picking, setPicking] = useState<PictureKind | null>(null);
  const [sending, setSending] = useState<{ kind: PictureKind; name: string; share: number } | null>(null);
  const under = list.data?.filter(isUnderWay).length ?? 0;
  // A picture that has just been made may be the chosen one.
  useEffect(() => {
    if (under === 0) changed(video.id);
  }, [under, video.id]);
  useEffect(() => () => void (source && URL.revokeObjectURL(source.url)), [source]);

  const take = (kind: PictureKind, file: File) => {
    if (file.size > maxBytes) toast(`“${file.name}” is larger than 20 MB.`);
    else setSource({ kind, file, url: URL.createObjectURL(file) });
  };
  const use = async (from: Source, crop: Rect) => {
    setSource(null);
    try {
      if ("file" in from) {
        setSending({ kind: from.kind, name: from.file.name, share: 0 });
        const progress = (share: number) => setSending({ kind: from.kind, name: from.file.name, share });
        await api.uploadArtwork(video.id, from.file, from.kind, crop, progress);
      } else await api.pickMoment(video.id, { kind: from.kind, at_ms: from.at_ms, crop });
    } catch (error) {
      toast(`The picture was not taken. ${inWords(error)}`);
    }
    setSending(null);
    await list.refetch();
  };
  if (list.isPending)
    return (
      <section className="panel" role="status" aria-label="Loading">
        <div className="posters">
          {[1, 2, 3, 4].map((one) => (
            <Skeleton key={one} ratio="16 / 9" />
          ))}
        </div>
      </section>
    );
  if (list.isError)
    return <Failure what="The pictures could not be loaded" error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      {kinds.map((kind) => (
        <KindPanel
          key={kind}
          kind={kind}
          video={video}
          pictures={list.data.filter((one) => one.kind === kind)}
          sending={sending?.kind === kind ? sending : null}
          onFile={(file) => take(kind, file)}
          onMoment={() => setPicking(kind)}
        />
      ))}
      {picking && (
        <MomentDialog
          video={video}
          onClose={() => setPicking(null)}
          onPick={({ at_ms, still }: Moment) => {
            setSource({ kind: picking, at_ms, url: URL.createObjectURL(still) });
            setPicking(null);
          }}
        />
      )}
      {source && (
        <CropDialog
          url={source.url}
          kind={source.kind}
          title={video.title}
          onClose={() => setSource(null)}
          onUse={(crop) => void use(source, crop)}
        />
      )}
    </>
  );
}

const isUnderWay = (one: StudioPicture) => one.state === "making" || one.state === "arriving";

function changed(id: string) {
  void queryClient.invalidateQueries({ queryKey: keys.video(id), exact: true });
  void queryClient.invalidateQueries({ queryKey: keys.artwork(id) });
  listsChanged();
}

async function attempt(id: string, what: string, act: () => Promise<unknown>) {
  try {
    await act();
  } catch (error) {
    toast(`${what} ${inWords(error)}`);
  }
  changed(id);
}

function KindPanel(props: {
  kind: PictureKind;
  video: Video;
  pictures: StudioPicture[];
  sending: { name: string; share: number } | null;
  onFile: (file: File) => void;
  onMoment: () => void;
}) {
  const { kind, video, pictures, sending } = props;
  const { label, use } = shapes[kind];
  const [over, setOver] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const withFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const on = (act: (event: DragEvent) => void) => (event: DragEvent) => {
    if (!withFiles(event)) return;
    event.preventDefault();
    // The studio takes films that are dropped anywhere else.
    event.stopPropagation();
    act(event);
  };
  const drop = on((event) => {
    setOver(0);
    const file = event.dataTransfer.files[0];
    if (file) props.onFile(file);
  });
  return (
    <section
      className={`panel art-panel ${over > 0 ? "over" : ""}`}
      aria-labelledby={`art-${kind}`}
      onDragEnter={on(() => setOver((n) => n + 1))}
      onDragOver={on(() => {})}
      onDragLeave={on(() => setOver((n) => Math.max(0, n - 1)))}
      onDrop={drop}
    >
      <header className="art-head">
        <div>
          <h2 id={`art-${kind}`}>{label}</h2>
          <p className="muted small">{use}</p>
        </div>
        <div className="line push">
          {video.state === "ready" && (
            <Button size="small" icon="film" onClick={props.onMoment} aria-label={`Use a moment as ${kind}`}>
              Use a moment
            </Button>
          )}
          <Button
            size="small"
            icon="upload"
            onClick={() => input.current?.click()}
            aria-label={`Upload a ${kind}`}
            busy={sending !== null}
          >
            Upload
          </Button>
          <input
            ref={input}
            type="file"
            hidden
            accept={accepted}
            aria-label={`Picture file for the ${kind}`}
            onChange={(event) => {
              const file = event.target.files?.[0];
              event.target.value = "";
              if (file) props.onFile(file);
            }}
          />
        </div>
      </header>
      {sending && (
        <div className="art-sending">
          <span className="small">Sending {sending.name}</span>
          <Bar value={sending.share * 100} label={`Sending ${sending.name}`} />
        </div>
      )}
      {pictures.length === 0 ? (
        <p className="muted small art-none">
          {kind === "poster" && video.state !== "ready"
            ? "Pictures appear here when the video has been looked through."
            : "None yet. Upload one, drop a file here, or use a moment of the video."}
        </p>
      ) : (
        <div className={`posters art-${kind}`} role="radiogroup" aria-labelledby={`art-${kind}`}>
          {pictures.map((one) => (
            <One key={one.id} one={one} video={video} />
          ))}
        </div>
      )}
    </section>
  );
}

function nameOf(one: StudioPicture): string {
  if (one.alt) return one.alt;
  return typeof one.at_ms === "number" ? `Frame at ${clock(one.at_ms)}` : "Uploaded picture";
}

function One({ one, video }: { one: StudioPicture; video: Video }) {
  const [describing, setDescribing] = useState(false);
  const name = nameOf(one);
  const choose = () =>
    void attempt(video.id, "It could not be chosen.", () => api.editArtwork(video.id, one.id, { chosen: true }));
  const undelete = () =>
    void attempt(video.id, "It could not be restored.", () => api.restoreArtwork(video.id, one.id));
  const remove = () =>
    void attempt(video.id, "It could not be deleted.", async () => {
      await api.deleteArtwork(video.id, one.id);
      toast("The picture was deleted.", { label: "Undo", run: undelete });
    });
  const unchoose = () =>
    void attempt(video.id, "It could not be changed.", () => api.editArtwork(video.id, one.id, { chosen: false }));
  return (
    <div className="art-one">
      {one.url ? (
        <label className="poster-choice">
          <input type="radio" name={`art-${one.kind}`} className="sr" checked={one.chosen} onChange={choose} />
          <span className="poster" style={{ aspectRatio: shapes[one.kind].ratio }}>
            <img
              src={pictureAt(one.url, 320)}
              srcSet={srcSetOf({ url: one.url, width: one.width }, 640)}
              sizes="200px"
              style={blurOf(one)}
              alt={name}
              loading="lazy"
            />
            {typeof one.at_ms === "number" && <span className="length">{clock(one.at_ms)}</span>}
            {one.chosen && (
              <span className="art-mark">
                <Icon name="check" size={16} />
              </span>
            )}
          </span>
        </label>
      ) : one.state === "failed" ? (
        <div className="art-failed" style={{ aspectRatio: shapes[one.kind].ratio }} role="alert">
          <Icon name="warning" size={20} />
          <span>{one.error}</span>
        </div>
      ) : (
        <div className="art-making" style={{ aspectRatio: shapes[one.kind].ratio }} role="status">
          <span className="spinner" aria-hidden="true" />
          <span>Being made…</span>
        </div>
      )}
      <Menu
        trigger={<Button look="quiet" icon="more" className="art-more" aria-label={`More for ${name}`} />}
        items={[
          one.state === "ready" && { label: "Describe…", icon: "edit", onSelect: () => setDescribing(true) },
          one.chosen && one.kind !== "poster" && { label: "Show none", icon: "close", onSelect: unchoose },
          { label: "Delete", icon: "trash", danger: true, onSelect: remove },
        ]}
      />
      {describing && <Describe one={one} video={video} onClose={() => setDescribing(false)} />}
    </div>
  );
}

/** The text that stands for a picture where it cannot be seen. */
function Describe({ one, video, onClose }: { one: StudioPicture; video: Video; onClose: () => void }) {
  const [alt, setAlt] = useState(one.alt);
  const save = () => {
    onClose();
    void attempt(video.id, "It could not be saved.", () => api.editArtwork(video.id, one.id, { alt }));
  };
  return (
    <Dialog open onClose={onClose} title="Describe the picture" description="Read to those who do not see it.">
      {one.url && <img className="art-described" src={pictureAt(one.url, 640)} alt="" />}
      <Field
        label="What it shows"
        maxLength={300}
        value={alt}
        onChange={(event) => setAlt(event.target.value)}
        onKeyDown={(event) => {
          // The dialog lies within the editor's form.
          if (event.key !== "Enter") return;
          event.preventDefault();
          save();
        }}
      />
      <div className="actions">
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="primary" onClick={save}>
          Save
        </Button>
      </div>
    </Dialog>
  );
}
