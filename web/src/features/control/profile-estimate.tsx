// What a profile would take of a source, as bars: CPU time and bytes of each rung.
import { inWords } from "../../api/problem";
import type { Estimate } from "../../api/types";
import { bitrate, bytes } from "../../lib/format";
import { Button, Notice, Skeleton } from "../../ui/basics";
import { Segments } from "../../ui/segments";
import { Part } from "./parts";
import { codecName, cpuTime } from "./words";

const film = { frame_rate: 25, duration_seconds: 600 };
export const presets = {
  "720p": { label: "720p", source: { ...film, width: 1280, height: 720, hdr: false } },
  "1080p": { label: "1080p", source: { ...film, width: 1920, height: 1080, hdr: false } },
  "4k": { label: "4K HDR", source: { ...film, width: 3840, height: 2160, hdr: true } },
} as const;
export type Preset = keyof typeof presets;
const options = (Object.keys(presets) as Preset[]).map((value) => ({ value, label: presets[value].label }));

export function EstimatePart(props: {
  preset: Preset;
  onPreset: (preset: Preset) => void;
  estimate: Estimate | undefined;
  /** The profile cannot be used as it stands. */
  isWrong: boolean;
  error: unknown;
  retry: () => void;
}) {
  const { estimate, isWrong, error } = props;
  return (
    <Part title="What it takes">
      <Segments label="Ten minutes of film in" value={props.preset} options={options} onValue={props.onPreset} />
      {error ? (
        <Notice tone="bad">
          {inWords(error)}{" "}
          <Button size="small" icon="retry" onClick={props.retry}>
            Try again
          </Button>
        </Notice>
      ) : (
        isWrong && <Notice>Mend the fields that are marked; what is shown here is from before.</Notice>
      )}
      {estimate ? (
        <Picture estimate={estimate} isHdr={presets[props.preset].source.hdr} />
      ) : (
        !isWrong && <Skeleton height="320px" />
      )}
    </Part>
  );
}

function Picture({ estimate, isHdr }: { estimate: Estimate; isHdr: boolean }) {
  const rungs = estimate.codecs.flatMap((codec) => codec.rungs);
  const most = {
    bytes: Math.max(1, ...rungs.map((rung) => rung.max_bytes)),
    cpu: Math.max(0.001, ...rungs.map((rung) => rung.cpu_seconds)),
  };
  return (
    <>
      <dl className="totals">
        <div>
          <dt>CPU time</dt>
          <dd>{cpuTime(estimate.cpu_seconds)}</dd>
        </div>
        <div>
          <dt>Stored at most</dt>
          <dd>{bytes(estimate.max_bytes)}</dd>
        </div>
      </dl>
      {estimate.codecs.map((codec) => (
        <table
          className="takes"
          key={codec.codec}
          data-series={codec.codec === "h264" ? "chunk" : `chunk-${codec.codec}`}
        >
          <caption>
            <span className="line">
              <b>{codecName(codec.codec)}</b>
              {isHdr && <span className="small muted">{codec.hdr ? "keeps HDR" : "in standard range"}</span>}
              <span className="small muted push">
                {cpuTime(codec.cpu_seconds)}, {bytes(codec.max_bytes)}
              </span>
            </span>
          </caption>
          <thead className="sr">
            <tr>
              <th scope="col">Rung</th>
              <th scope="col">CPU time</th>
              <th scope="col">Bytes at most</th>
            </tr>
          </thead>
          <tbody>
            {codec.rungs.map((rung) => (
              <tr key={rung.label}>
                <th scope="row">
                  {rung.label}
                  <span className="small muted">{bitrate(rung.max_bps)}</span>
                </th>
                <td>
                  <i className="cpu" style={{ width: `${(rung.cpu_seconds / most.cpu) * 100}%` }} />
                  <span>{cpuTime(rung.cpu_seconds)}</span>
                </td>
                <td>
                  <i className="size" style={{ width: `${(rung.max_bytes / most.bytes) * 100}%` }} />
                  <span>{bytes(rung.max_bytes)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      <ul className="legend-list" aria-label="Bars">
        <li>
          <i className="swatch cpu" /> CPU time
        </li>
        <li>
          <i className="swatch size" /> bytes at the cap
        </li>
      </ul>
      <p className="clock-note">
        An estimate from picture sizes, at 25 pictures a second, without sound: grain and motion take more, slides take
        less. Files are nearly always smaller than their cap.
      </p>
    </>
  );
}
