// Calls about webhooks: made and looked after in the studio.
import { body, client, nothing, path } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Webhook = Schemas["Webhook"];
export type Delivery = Schemas["Delivery"];
export type DeliveryDetails = Schemas["DeliveryDetails"];
export type EventType = Schemas["EventType"];

const one = (id: string, message: string) => ({ path: { id, message } });

export const webhooks = (cursor: string | null) =>
  body(client.GET("/api/v1/webhooks", { params: { query: { cursor: cursor ?? undefined, limit: 24 } } }));
export const webhook = (id: string) => body(client.GET("/api/v1/webhooks/{id}", { params: path(id) }));
export const createWebhook = (form: Schemas["NewWebhookBody"]) =>
  body(client.POST("/api/v1/webhooks", { body: form, params: {} }));
export const editWebhook = (id: string, revision: number, form: Schemas["WebhookBody"]) =>
  body(
    client.PATCH("/api/v1/webhooks/{id}", {
      params: { ...path(id), header: { "If-Match": `"r${revision}"` } },
      body: form,
    }),
  );
export const deleteWebhook = (id: string) => nothing(client.DELETE("/api/v1/webhooks/{id}", { params: path(id) }));
export const rotateSecret = (id: string) => body(client.POST("/api/v1/webhooks/{id}/secret", { params: path(id) }));
export const testWebhook = (id: string) => body(client.POST("/api/v1/webhooks/{id}/test", { params: path(id) }));
export const deliveries = (id: string, cursor: string | null) =>
  body(
    client.GET("/api/v1/webhooks/{id}/deliveries", {
      params: { ...path(id), query: { cursor: cursor ?? undefined, limit: 24 } },
    }),
  );
export const delivery = (id: string, message: string) =>
  body(client.GET("/api/v1/webhooks/{id}/deliveries/{message}", { params: one(id, message) }));
export const replayDelivery = (id: string, message: string) =>
  body(client.POST("/api/v1/webhooks/{id}/deliveries/{message}/replay", { params: one(id, message) }));
export const replaySince = (id: string, since: string) =>
  body(client.POST("/api/v1/webhooks/{id}/replay", { params: path(id), body: { since } }));
