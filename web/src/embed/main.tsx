// Entry of the embedded player: only what it needs.
import "@fontsource-variable/inter/wght.css";
import "../styles/layers.css";
import "../styles/tokens.css";
import "../styles/base.css";
import "../ui/ui.css";
import "./embed.css";
import { createRoot } from "react-dom/client";
import { Embed } from "./embed";
import { readOptions } from "./options";

document.documentElement.dataset.theme = "dark";
const options = readOptions(location.pathname, location.search);
const root = document.getElementById("root");
if (root) createRoot(root).render(<Embed options={options} />);
