// Shaka Player's DASH build: the part of it that Kinora's own pages need.
import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";

export default shaka;
