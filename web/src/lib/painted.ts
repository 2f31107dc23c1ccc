// The moment when the page's first picture is on screen: what is large and not needed for it waits until then.

const frame = () => new Promise((settle) => requestAnimationFrame(() => setTimeout(settle)));

/** A hidden page paints nothing: nobody waits for it. */
export async function painted(): Promise<void> {
  if (document.hidden) return;
  await frame();
  await document
    .querySelector<HTMLImageElement>("#root main img")
    ?.decode()
    .catch(() => {});
  await frame();
}
