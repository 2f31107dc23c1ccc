// Shaka Player's HLS build, for live events.
import shaka from "shaka-player/dist/shaka-player.hls-es2021.js";

export default shaka;
