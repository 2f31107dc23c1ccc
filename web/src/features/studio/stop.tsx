// The question before the work on a title is stopped, asked where viewers would notice.
import type { Video } from "../../api/types";
import { Confirm } from "../../ui/overlay";
import { cancelWork } from "./actions";

/** Stops at once what nobody can watch yet; of a title that plays already it asks first. */
export function stopWork(video: Video, ask: (video: Video) => void) {
  if (video.state === "ready") ask(video);
  else void cancelWork(video);
}

export function StopQuestion({ video, onDone }: { video: Video | null; onDone: () => void }) {
  return (
    <Confirm
      open={video !== null}
      title="Take it off the air?"
      yes="Stop and take it off"
      no="Go on"
      danger
      onAnswer={(yes) => {
        if (yes && video) void cancelWork(video);
        onDone();
      }}
    >
      “{video?.title}” can be watched already while the rest of it is made. If you stop now, nobody can watch it any
      more, not even the part that is there. “Try again” makes it anew from your upload.
    </Confirm>
  );
}
