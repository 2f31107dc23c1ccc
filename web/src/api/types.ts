// The API's shapes by the names that the app uses, from the generated schema.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type User = Schemas["User"];
export type Role = User["role"];
export type Video = Schemas["Video"];
export type Visibility = Video["visibility"];
export type VideoState = Video["state"];
export type Step = Schemas["Step"];
export type Instance = Schemas["Instance"];
export type Session = Schemas["SessionAnswer"];
export type Page<T> = { items: T[]; next_cursor: string | null };
export type Playback = Schemas["Playback"];
export type StreamView = Schemas["StreamView"];
export type Rendition = Schemas["Rendition"];
export type Picture = Schemas["Picture"];
export type StudioPicture = Schemas["StudioPicture"];
export type PictureKind = StudioPicture["kind"];
export type Version = Schemas["Version"];
export type Trimmed = Schemas["Trimmed"];
export type Vocabulary = Schemas["Vocabulary"];
export type BulkAnswer = Schemas["BulkAnswer"];
export type Change = Schemas["Change"];
export type Home = Schemas["Home"];
export type UserSession = Schemas["Session"];
export type ApiToken = Schemas["ApiToken"];
export type Overview = Schemas["Overview"];
export type DeadJob = Schemas["DeadJob"];
export type Quality = Schemas["Quality"];
export type QualityFigures = Schemas["QualityFigures"];
export type QualityWindow = "5m" | "1h" | "24h";
export type Farm = Schemas["Farm"];
export type Worker = Schemas["Worker"];
export type Attempt = Schemas["JobAttempt"];
export type WaitingTitle = Schemas["WaitingTitle"];
export type Priority = Schemas["PriorityWord"];
export type Profile = Schemas["ProfileBody"];
export type ProfileVideo = Schemas["ProfileVideo"];
export type VideoCodec = Schemas["VideoCodecWord"];
export type AudioCodec = Schemas["AudioCodecWord"];
export type Effort = Schemas["EffortWord"];
export type StoredProfile = Schemas["StoredProfile"];
export type Profiles = Schemas["Profiles"];
export type Estimate = Schemas["Estimate"];
export type Scope = ApiToken["scopes"][number];

/** An unfinished upload (`GET /api/v1/me/uploads`, beside the tus protocol). */
export type OpenUpload = {
  id: string;
  video_id: string | null;
  filename: string;
  length: number;
  received: number;
  expires_at: string;
  url: string;
};
