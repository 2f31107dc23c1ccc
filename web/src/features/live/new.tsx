// A new live event.
import "../studio/studio.css";
import "./live.css";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { createEvent } from "../../api/live";
import { keys, listsChanged, queryClient } from "../../api/queries";
import { soon } from "../../lib/instant";
import { useTitle } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { blank, EventForm } from "./form";

export default function NewEventPage() {
  useTitle("New event");
  const [, navigate] = useLocation();
  const [from] = useState(() => ({ ...blank, starts_at: soon() }));
  return (
    <div className="page narrow">
      <div className="page-head">
        <Link href="/studio/live" className="btn quiet icon" aria-label="Back to your events">
          <Icon name="left" />
        </Link>
        <h1>New event</h1>
      </div>
      <EventForm
        from={from}
        state="upcoming"
        save="Create event"
        onSave={async (draft) => {
          const event = await createEvent(draft);
          queryClient.setQueryData(keys.event(event.id), event);
          listsChanged();
          navigate(`/studio/live/${event.id}`);
        }}
      />
    </div>
  );
}
