// What webhooks are told of, and how they and their messages stand, in words.
import type { Delivery, EventType, Webhook } from "../../api/webhooks";

export const eventWords: Record<EventType, string> = {
  "title.playable": "A title can be played",
  "title.ready": "All renditions are ready",
  "title.failed": "A title could not be made",
  "title.published": "A title became public",
  "title.edited": "A title was edited",
  "title.deleted": "A title was deleted",
  "title.restored": "A title was restored",
  "event.started": "A live event began",
  "event.ended": "A live event ended",
  "webhook.test": "Test message",
};

/** Types that can be chosen; test messages always come. */
export const choices = (Object.keys(eventWords) as EventType[]).filter((event) => event !== "webhook.test");

type Standing = { text: string; look: "good" | "bad" | "wait" };

export function standing(webhook: Webhook): Standing {
  if (!webhook.enabled) return { text: webhook.disabled_reason ? "Switched off by us" : "Off", look: "bad" };
  if (webhook.failing_since) return { text: "Failing", look: "bad" };
  return { text: "On", look: "good" };
}

export function outcome(delivery: Delivery): Standing {
  if (delivery.state === "delivered") return { text: `Delivered · ${delivery.status}`, look: "good" };
  const why = delivery.status === null ? "no answer" : String(delivery.status);
  if (delivery.state === "failed") return { text: delivery.attempts > 0 ? `Failed · ${why}` : "Given up", look: "bad" };
  return { text: delivery.attempts > 0 ? `Trying again · ${why}` : "Waiting", look: "wait" };
}
