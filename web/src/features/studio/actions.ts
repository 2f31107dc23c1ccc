// What a creator does to a title, with its words and its undo.
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { listsChanged, updateVideo } from "../../api/queries";
import type { Video } from "../../api/types";
import { toast } from "../../ui/toast";

async function attempt(what: string, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    listsChanged();
    return true;
  } catch (error) {
    toast(`${what} ${inWords(error)}`);
    return false;
  }
}

export const restore = (video: Video) =>
  attempt("It could not be restored.", async () => {
    updateVideo(await api.restoreVideo(video.id));
    toast(`“${video.title}” is back in the library.`);
  });

export const remove = (video: Video) =>
  attempt("It could not be deleted.", async () => {
    updateVideo(await api.deleteVideo(video.id));
    toast(`“${video.title}” is in the trash.`, { label: "Undo", run: () => void restore(video) });
  });

export const removeForever = (video: Video) =>
  attempt("It could not be deleted.", async () => {
    await api.deleteForever(video.id);
    toast(`“${video.title}” is gone for good.`);
  });

export const cancelWork = (video: Video) =>
  attempt("It could not be cancelled.", async () => {
    updateVideo(await api.cancelVideo(video.id));
  });

export const retryWork = (video: Video) =>
  attempt("It could not be started again.", async () => {
    updateVideo(await api.retryVideo(video.id));
  });
