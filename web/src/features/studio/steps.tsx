// The workflow of a title, step by step, live.
import type { Step } from "../../api/types";
import { percent } from "../../lib/format";
import { Icon } from "../../ui/icon";

const words: Record<string, string> = {
  upload: "Upload",
  probe: "Look at the file",
  encode: "Encode the picture",
  audio: "Encode the sound",
  pictures: "Make pictures",
  publish: "Publish",
  formats: "Add further formats",
};
const said: Record<Step["state"], string> = {
  waiting: "waiting",
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol className="steps" aria-label="Steps">
      {steps.map((step) => (
        <li key={step.name} data-state={step.state}>
          <span className="mark" aria-hidden="true">
            {step.state === "done" ? (
              <Icon name="check" size={16} />
            ) : step.state === "failed" ? (
              <Icon name="warning" size={16} />
            ) : step.state === "cancelled" ? (
              <Icon name="close" size={16} />
            ) : step.state === "running" ? (
              <span className="spinner" />
            ) : (
              <i />
            )}
          </span>
          <span>
            {words[step.name] ?? step.name}
            <span className="sr">, {said[step.state]}</span>
            {/* Why a step failed stands above the steps, as the title's own error. */}
            {step.message && step.state !== "failed" && <small>{step.message}</small>}
          </span>
          {step.state === "running" && step.total > 0 && <b>{Math.floor(percent(step.done, step.total))} %</b>}
        </li>
      ))}
    </ol>
  );
}
