// The captions' look: choices with a preview, kept on this device.
import "./caption-style.css";
import { type CSSProperties, useId } from "react";
import { type CaptionStyle, plainStyle, prefer, preferences } from "../lib/preferences";
import { useStore } from "../lib/store";
import { Button } from "../ui/basics";
import { Segments } from "../ui/segments";
import { captionProperties, colours, edges, fonts, opacities, sizes } from "./captions";

export function CaptionStyleForm() {
  const { style } = useStore(preferences);
  const change = (part: Partial<CaptionStyle>) => prefer({ style: { ...preferences.get().style, ...part } });
  return (
    <div className="caption-style">
      <div className="caption-preview" style={captionProperties(style) as CSSProperties} aria-hidden="true">
        <span className="cue">This is how captions look.</span>
      </div>
      <Segments
        label="Font"
        value={style.font}
        onValue={(font) => change({ font })}
        options={(Object.keys(fonts) as CaptionStyle["font"][]).map((value) => ({ value, label: fonts[value].label }))}
      />
      <Segments
        label="Size"
        value={String(style.size)}
        onValue={(size) => change({ size: Number(size) as CaptionStyle["size"] })}
        options={sizes.map((size) => ({ value: String(size), label: `${size} %` }))}
      />
      <Swatches label="Text" value={style.colour} onValue={(colour) => change({ colour })} />
      <Swatches label="Background" value={style.background} onValue={(background) => change({ background })} />
      <Segments
        label="Background opacity"
        value={String(style.opacity)}
        onValue={(opacity) => change({ opacity: Number(opacity) as CaptionStyle["opacity"] })}
        options={opacities.map((opacity) => ({ value: String(opacity), label: `${opacity} %` }))}
      />
      <Segments
        label="Edge"
        value={style.edge}
        onValue={(edge) => change({ edge })}
        options={(Object.keys(edges) as CaptionStyle["edge"][]).map((value) => ({ value, label: edges[value].label }))}
      />
      <div className="actions">
        <Button look="quiet" icon="retry" onClick={() => prefer({ style: plainStyle })}>
          As usual
        </Button>
      </div>
    </div>
  );
}

function Swatches(props: { label: string; value: string; onValue: (value: string) => void }) {
  const name = useId();
  return (
    <fieldset className="swatches">
      <legend className="legend">{props.label}</legend>
      {colours.map(([colour, label]) => (
        <label key={colour} title={label}>
          <input
            type="radio"
            className="sr"
            name={name}
            aria-label={label}
            checked={props.value === colour}
            onChange={() => props.onValue(colour)}
          />
          <span style={{ background: colour }} />
        </label>
      ))}
    </fieldset>
  );
}
