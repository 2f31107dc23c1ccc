// The notice that a title was made of a file that its owner had uploaded before, with what to do about it.
import { Link } from "wouter";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { queryClient, updateVideo, useVideo } from "../../api/queries";
import type { Video } from "../../api/types";
import { Button, Notice } from "../../ui/basics";
import { toast } from "../../ui/toast";
import { remove } from "./actions";

export function Duplicate({ video, onDeleted }: { video: Video; onDeleted?: () => void }) {
  if (!video.duplicate_of || video.deleted_at !== null) return null;
  return <Shown video={video} of={video.duplicate_of} onDeleted={onDeleted} />;
}

function Shown({ video, of, onDeleted }: { video: Video; of: string; onDeleted: (() => void) | undefined }) {
  const { data: earlier } = useVideo(of);
  const keep = async () => {
    try {
      await api.keepDuplicate(video.id);
      updateVideo({ ...video, duplicate_of: null });
      void queryClient.invalidateQueries({ queryKey: ["video", video.id] });
    } catch (error) {
      toast(inWords(error));
    }
  };
  return (
    <Notice tone="accent">
      <p>
        You already uploaded this file as{" "}
        <Link href={`/studio/videos/${of}`} className="link">
          {earlier?.title ?? "another title"}
        </Link>
        {earlier?.deleted_at ? ", which is in the trash" : ""}.
      </p>
      <div className="line" style={{ marginTop: 8 }}>
        <Button size="small" onClick={() => void keep()}>
          Keep both
        </Button>
        <Button size="small" look="danger" onClick={() => void remove(video).then((done) => done && onDeleted?.())}>
          Delete this one
        </Button>
      </div>
    </Notice>
  );
}
