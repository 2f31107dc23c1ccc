// Every page, for the accessibility check and the photographs.
import type { Page } from "playwright/test";
import { videoId } from "./support";

export type Shot = { name: string; path: () => string; ready: (page: Page) => Promise<void>; anonymous?: boolean };

const heading = (name: string | RegExp) => (page: Page) => page.getByRole("heading", { name, level: 1 }).waitFor();

export const pages: Shot[] = [
  { name: "home", path: () => "/", ready: (page) => page.locator(".card .poster img").first().waitFor() },
  {
    name: "home-anonymous",
    path: () => "/",
    ready: (page) => page.locator(".card .poster img").first().waitFor(),
    anonymous: true,
  },
  { name: "title", path: () => `/title/${videoId()}`, ready: heading(/buck/i) },
  { name: "list", path: () => "/list", ready: heading("My list") },
  { name: "watch", path: () => `/watch/${videoId()}`, ready: heading(/buck/i) },
  { name: "search", path: () => "/search?q=buck", ready: (page) => page.locator(".card").first().waitFor() },
  { name: "search-none", path: () => "/search?q=zzzqq", ready: heading(/zzzqq/) },
  { name: "history", path: () => "/history", ready: heading("History") },
  { name: "studio", path: () => "/studio", ready: (page) => page.locator(".titles .name").first().waitFor() },
  { name: "trash", path: () => "/studio?view=trash", ready: heading("Studio") },
  { name: "upload", path: () => "/studio/upload", ready: heading("Upload") },
  {
    name: "editor",
    path: () => `/studio/videos/${videoId()}`,
    ready: (page) => page.getByRole("textbox", { name: "Tags" }).waitFor(),
  },
  {
    name: "editor-availability",
    path: () => `/studio/videos/${videoId()}?tab=availability`,
    ready: (page) => page.getByRole("heading", { name: "Where it plays" }).waitFor(),
  },
  {
    name: "editor-artwork",
    path: () => `/studio/videos/${videoId()}?tab=artwork`,
    ready: (page) => page.locator(".posters img").first().waitFor(),
  },
  {
    name: "editor-source",
    path: () => `/studio/videos/${videoId()}?tab=source`,
    ready: (page) => page.getByRole("heading", { name: "Renditions" }).waitFor(),
  },
  {
    name: "editor-history",
    path: () => `/studio/videos/${videoId()}?tab=history`,
    ready: (page) => page.getByRole("heading", { name: "History" }).waitFor(),
  },
  {
    name: "control",
    path: () => "/control",
    ready: async (page) => {
      await page.getByRole("heading", { name: "Workers" }).waitFor();
      await page.getByText("None. A job lands here").waitFor();
    },
  },
  {
    name: "control-users",
    path: () => "/control/users",
    ready: (page) => page.locator(".people .who").first().waitFor(),
  },
  {
    name: "control-quality",
    path: () => "/control/quality?window=24h",
    ready: (page) => page.getByRole("heading", { name: "By title" }).waitFor(),
  },
  {
    name: "control-edges",
    path: () => "/control/edges",
    ready: (page) => page.locator(".farmhand .pill").first().waitFor(),
  },
  {
    name: "control-farm",
    path: () => "/control/farm?hours=24",
    ready: (page) => page.locator(".timechart [data-bar]").first().waitFor(),
  },
  {
    name: "control-profiles",
    path: () => "/control/profiles",
    ready: (page) => page.locator(".takes").first().waitFor(),
  },
  {
    name: "control-profile-new",
    path: () => "/control/profiles/+new",
    ready: (page) => page.locator(".takes").first().waitFor(),
  },
  { name: "live", path: () => "/studio/live", ready: heading("Live") },
  {
    name: "live-new",
    path: () => "/studio/live/new",
    ready: (page) => page.getByRole("button", { name: "Create event" }).waitFor(),
  },
  { name: "webhooks", path: () => "/studio/webhooks", ready: heading("Webhooks") },
  { name: "docs", path: () => "/docs", ready: heading("Getting started"), anonymous: true },
  { name: "docs-webhooks", path: () => "/docs/webhooks", ready: heading("Webhooks"), anonymous: true },
  {
    name: "docs-api",
    path: () => "/docs/api",
    ready: (page) => page.getByText("/api/v1/instance").waitFor(),
    anonymous: true,
  },
  {
    name: "embed",
    path: () => `/embed/${videoId()}`,
    ready: (page) => page.getByRole("button", { name: /^Play/ }).waitFor(),
    anonymous: true,
  },
  { name: "account", path: () => "/account", ready: heading("Account") },
  { name: "not-found", path: () => "/nowhere", ready: (page) => page.getByText("This page does not exist").waitFor() },
  { name: "sign-in", path: () => "/signin", ready: heading("Sign in"), anonymous: true },
];
