// Entry: starts what the address needs at once, then draws the app.
import "./styles/layers.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./ui/ui.css";
import "./shell/shell.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { followFont } from "./lib/font";
import { followLayout } from "./lib/preferences";
import { followArrows } from "./lib/spatial";
import { followTheme } from "./lib/theme";
import { warmWatch } from "./player/warm";
import { followWorker } from "./shell/worker";

const watching = /^\/watch\/([^/]+)$/.exec(location.pathname);
if (watching?.[1]) warmWatch(decodeURIComponent(watching[1]));

followTheme();
followFont();
followLayout();
followArrows();
followWorker();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
