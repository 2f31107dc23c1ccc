// Registers the service worker once the page is at rest, and tells when a new version of the app waits.
import { toast } from "../ui/toast";

export function followWorker() {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // A chunk of an app that the server has replaced: the new one starts.
  addEventListener("vite:preloadError", () => location.reload());
  const { serviceWorker } = navigator;
  let asked = false;
  serviceWorker.addEventListener("controllerchange", () => asked && location.reload());
  const offer = (waiting: ServiceWorker) =>
    toast("A new version of Kinora is ready.", {
      label: "Reload",
      run: () => {
        asked = true;
        waiting.postMessage("take over");
      },
    });
  const register = async () => {
    const registration = await serviceWorker.register("/sw.js");
    // Only where an older version runs is a waiting one news.
    if (registration.waiting && serviceWorker.controller) offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const fresh = registration.installing;
      fresh?.addEventListener("statechange", () => {
        if (fresh.state === "installed" && serviceWorker.controller) offer(fresh);
      });
    });
    // Tabs stay open for days.
    setInterval(() => !document.hidden && void registration.update().catch(() => {}), 3_600_000);
  };
  const rested = () => setTimeout(() => void register().catch(() => {}), 3000);
  if (document.readyState === "complete") rested();
  else addEventListener("load", rested, { once: true });
}
