// Entry: starts what the address needs at once, then draws the app over the frame.
import "./styles/layers.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./ui/ui.css";
import "./shell/shell.css";
import "./player/frame.css";
import { startTransition } from "react";
import { createRoot } from "react-dom/client";
import { isNotYet } from "./api/early";
import { App } from "./app";
import { firstShown, within } from "./first";
import { followFont } from "./lib/font";
import { painted } from "./lib/painted";
import { followLayout } from "./lib/preferences";
import { followArrows } from "./lib/spatial";
import { followTheme } from "./lib/theme";
import { warmWatch } from "./player/warm";
import { followWorker } from "./shell/worker";

followTheme();
followFont();
followLayout();
followArrows();
followWorker();
const watching = /^\/watch\/([^/]+)$/.exec(location.pathname)?.[1];
// The picture is there, or takes so long that playback itself may be first.
if (watching && !isNotYet(watching)) void within(300, painted()).then(() => warmWatch(decodeURIComponent(watching)));
const root = document.getElementById("root");
// As a transition it is drawn in slices: a press in between does not wait for the whole page.
if (root) void firstShown(root).then(() => startTransition(() => createRoot(root).render(<App />)));
