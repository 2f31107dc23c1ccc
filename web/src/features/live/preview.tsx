// What viewers see of a live event, on its creator's page. It begins when asked: it takes bandwidth, and has sound.
import { useEffect, useState } from "react";
import { look } from "../../api/calls";
import type { LiveEvent } from "../../api/types";
import { Player } from "../../player/player";
import { PlayerSession } from "../../player/session";
import { Button } from "../../ui/basics";
import { Poster } from "../../ui/poster";

export function Preview({ event }: { event: LiveEvent }) {
  const [session, setSession] = useState<PlayerSession | null>(null);
  useEffect(() => () => session?.close(), [session]);
  return (
    <section className="live-preview" aria-label="Preview">
      {session ? (
        <Player session={session} title={event.video.title} artist={event.video.owner.name} poster={null} />
      ) : (
        <>
          <Poster video={{ ...event.video, duration_ms: null }} sizes="(max-width: 900px) 96vw, 880px" />
          <Button
            icon="play"
            size="large"
            onClick={() => setSession(new PlayerSession(() => look(event.id), { live: true }))}
          >
            Show what viewers see
          </Button>
        </>
      )}
    </section>
  );
}
