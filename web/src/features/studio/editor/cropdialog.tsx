// Choosing the part of a picture that is shown: by mouse, touch and keyboard, beside what it will look like.
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { PictureKind } from "../../../api/types";
import { Button } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Dialog } from "../../../ui/overlay";
import { type Corner, largest, moved, type Rect, resized, type Size, zoomed } from "./crop";

export const shapes: Record<PictureKind, { label: string; ratio: number; use: string }> = {
  poster: { label: "Poster", ratio: 16 / 9, use: "On cards, and before it plays. 16:9." },
  portrait: { label: "Portrait", ratio: 2 / 3, use: "Upright, where space is narrow. 2:3." },
  banner: { label: "Banner", ratio: 21 / 9, use: "Behind the name of the title, edge to edge. 21:9." },
};

const corners: { id: Corner; name: string }[] = [
  { id: "nw", name: "Upper left" },
  { id: "ne", name: "Upper right" },
  { id: "sw", name: "Lower left" },
  { id: "se", name: "Lower right" },
];

export function CropDialog(props: {
  url: string;
  kind: PictureKind;
  title: string;
  onUse: (crop: Rect) => void;
  onClose: () => void;
}) {
  const { kind } = props;
  const { ratio, label } = shapes[kind];
  const [size, setSize] = useState<Size | null>(null);
  const [rect, setRect] = useState<Rect | null>(null);
  const [broken, setBroken] = useState(false);
  return (
    <Dialog open onClose={props.onClose} title={`Crop the ${label.toLowerCase()}`} description={shapes[kind].use}>
      {broken ? (
        <p role="alert">This file cannot be shown as a picture. Choose a JPEG, PNG, WebP or AVIF file.</p>
      ) : (
        <div className="crop-work">
          <div className="crop-stage">
            <img
              src={props.url}
              alt=""
              draggable={false}
              onError={() => setBroken(true)}
              onLoad={(event) => {
                const { naturalWidth: width, naturalHeight: height } = event.currentTarget;
                setSize({ width, height });
                setRect(largest({ width, height }, ratio));
              }}
            />
            {size && rect && <Frame size={size} rect={rect} ratio={ratio} onRect={setRect} />}
          </div>
          {size && rect && (
            <label className="crop-zoom">
              <Icon name="search" size={16} />
              <span className="sr">Zoom</span>
              <input
                type="range"
                min={1}
                max={5}
                step={0.01}
                value={largest(size, ratio).width / rect.width}
                aria-valuetext={`${(largest(size, ratio).width / rect.width).toFixed(1)} times`}
                onChange={(event) =>
                  setRect(zoomed(rect, largest(size, ratio).width / Number(event.target.value), size, ratio))
                }
              />
            </label>
          )}
          {rect && <Preview url={props.url} rect={rect} kind={kind} title={props.title} />}
        </div>
      )}
      <div className="actions">
        <Button look="quiet" onClick={props.onClose}>
          Cancel
        </Button>
        <Button look="primary" disabled={!rect || broken} onClick={() => rect && props.onUse(rect)}>
          Use it
        </Button>
      </div>
    </Dialog>
  );
}

const percent = (fraction: number) => `${fraction * 100}%`;

function Frame(props: { size: Size; rect: Rect; ratio: number; onRect: (rect: Rect) => void }) {
  const { size, rect, ratio, onRect } = props;
  const drag = useRef<{ x: number; y: number; rect: Rect; corner: Corner | null } | null>(null);
  const begin = (event: PointerEvent<HTMLElement>, corner: Corner | null) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, y: event.clientY, rect, corner };
  };
  const go = (event: PointerEvent<HTMLElement>) => {
    const from = drag.current;
    const stage = event.currentTarget.closest(".crop-stage")?.getBoundingClientRect();
    if (!from || !stage) return;
    event.stopPropagation();
    const dx = (event.clientX - from.x) / stage.width;
    const dy = (event.clientY - from.y) / stage.height;
    onRect(from.corner ? resized(from.rect, from.corner, dx, size, ratio) : moved(from.rect, dx, dy));
  };
  const end = () => {
    drag.current = null;
  };
  const keys = (event: KeyboardEvent, corner: Corner | null) => {
    const step = event.shiftKey ? 0.05 : 0.01;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    const zoom = { "+": -1, "=": -1, "-": 1 }[event.key];
    if (zoom) onRect(zoomed(rect, rect.width + zoom * step * 2, size, ratio));
    else if (dx === undefined || dy === undefined) return;
    else if (corner) {
      const outward = dx || (corner.endsWith("w") === corner.startsWith("n") ? dy : -dy);
      onRect(resized(rect, corner, outward * step, size, ratio));
    } else onRect(moved(rect, dx * step, dy * step));
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="crop-frame"
      role="group"
      aria-roledescription="crop frame"
      aria-label={`The part that is shown. Arrow keys move it, plus and minus resize it. From left ${Math.round(rect.x * 100)} percent, from top ${Math.round(rect.y * 100)} percent, ${Math.round(rect.width * 100)} percent wide.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by arrow keys
      tabIndex={0}
      style={{ left: percent(rect.x), top: percent(rect.y), width: percent(rect.width), height: percent(rect.height) }}
      onPointerDown={(event) => begin(event, null)}
      onPointerMove={go}
      onPointerUp={end}
      onPointerCancel={end}
      onKeyDown={(event) => keys(event, null)}
    >
      {corners.map((corner) => (
        <button
          key={corner.id}
          type="button"
          className={`crop-corner ${corner.id}`}
          aria-label={`${corner.name} corner`}
          onPointerDown={(event) => begin(event, corner.id)}
          onPointerMove={go}
          onPointerUp={end}
          onPointerCancel={end}
          onKeyDown={(event) => keys(event, corner.id)}
        />
      ))}
    </div>
  );
}

/** The part as it will be shown: on a card, upright, or behind the title's name. */
function Preview({ url, rect, kind, title }: { url: string; rect: Rect; kind: PictureKind; title: string }) {
  return (
    <figure className={`crop-preview as-${kind}`}>
      <span className="crop-shown" style={{ aspectRatio: shapes[kind].ratio }}>
        <img
          src={url}
          alt=""
          draggable={false}
          style={{
            width: percent(1 / rect.width),
            height: percent(1 / rect.height),
            left: percent(-rect.x / rect.width),
            top: percent(-rect.y / rect.height),
          }}
        />
        {kind === "banner" && <b>{title}</b>}
      </span>
      <figcaption>{kind === "banner" ? "As the page's opening" : title}</figcaption>
    </figure>
  );
}
