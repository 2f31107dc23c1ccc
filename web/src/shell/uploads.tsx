// What is being uploaded, small, on every page but the upload page itself.
import { Link, useLocation } from "wouter";
import { percent } from "../lib/format";
import { useStore } from "../lib/store";
import { Bar } from "../ui/basics";
import { Icon } from "../ui/icon";
import { total } from "../upload/state";
import { uploads } from "../upload/transfer";

export function UploadDock() {
  const [path] = useLocation();
  const { count, sent, size } = total(useStore(uploads));
  if (count === 0 || path === "/studio/upload") return null;
  const part = percent(sent, size);
  return (
    <Link href="/studio/upload" className="dock">
      <span>
        <Icon name="upload" size={18} />
        Uploading {count === 1 ? "1 file" : `${count} files`}
        <span className="push">{Math.floor(part)} %</span>
      </span>
      <Bar value={part} label="Upload" />
    </Link>
  );
}
