// Files may be dropped anywhere on a studio page.
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";
import { addFiles } from "../../upload/transfer";

export function takeFiles(files: Iterable<File>) {
  for (const refusal of addFiles(files)) toast(refusal);
}

export function DropAnywhere() {
  const [over, setOver] = useState(false);
  const [, navigate] = useLocation();
  useEffect(() => {
    const stop = new AbortController();
    let depth = 0;
    const withFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      addEventListener(
        name,
        (event) => {
          if (!withFiles(event)) return;
          event.preventDefault();
          act(event);
        },
        stop,
      );
    on("dragenter", () => setOver(++depth > 0));
    on("dragover", (event) => {
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    });
    on("dragleave", () => setOver(--depth > 0));
    on("drop", (event) => {
      depth = 0;
      setOver(false);
      takeFiles(event.dataTransfer?.files ?? []);
      navigate("/studio/upload");
    });
    return () => stop.abort();
  }, [navigate]);
  return over ? (
    <div className="drop-over" aria-hidden="true">
      <div>
        <Icon name="upload" size={48} />
        Drop to upload
      </div>
    </div>
  ) : null;
}
