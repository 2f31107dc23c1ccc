// An encoder that nobody here wrote: ffmpeg.
import { type ChildProcess, spawn } from "node:child_process";
import { clip } from "./support";

/** Sends the clip, over and over, as an encoder sends its picture. */
export function send(server: string, key: string): ChildProcess {
  const video = "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -r 24 -g 48 -b:v 900k";
  const args = `-v error -re -stream_loop -1 -i ${clip} ${video} -c:a aac -ac 2 -b:a 96k -f flv ${server}/${key}`;
  return spawn("ffmpeg", args.split(" "), { stdio: "ignore" });
}
