// The field for a moment of a title.
import "./trim.css";
import { useState } from "react";
import { Button, Field } from "../../../ui/basics";
import { exactClock, readClock } from "./cuts";

type TimeProps = {
  label: string;
  value: number;
  onValue: (ms: number) => void;
  onHere?: (() => number) | undefined;
};

/** A moment of a title as text, and a button that takes it from where a preview stands. */
export function Time({ label, value, onValue, onHere }: TimeProps) {
  const [text, setText] = useState<string>();
  const read = text === undefined ? value : readClock(text);
  const settle = () => {
    if (text !== undefined && read !== null) onValue(read);
    setText(undefined);
  };
  return (
    <div className="trim-time">
      <Field
        label={label}
        value={text ?? exactClock(value)}
        inputMode="decimal"
        wrong={read === null ? "Minutes, seconds, thousandths: 1:02.345" : undefined}
        onChange={(event) => setText(event.target.value)}
        onBlur={settle}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          settle();
        }}
      />
      {onHere && (
        <Button
          size="small"
          onClick={() => onValue(Math.round(onHere()))}
          aria-label={`${label}: where the preview stands`}
        >
          Here
        </Button>
      )}
    </div>
  );
}
