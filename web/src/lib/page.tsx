// Pages whose code comes when it is needed.
import { type ComponentType, lazy, useState } from "react";

type Module<P> = { default: ComponentType<P> };

/** Once its code is there the page is drawn at once: `lazy` alone would show the fallback for a moment even then. */
export function page<P extends object = object>(fetched: () => Promise<Module<P>>) {
  let there: ComponentType<P> | null = null;
  const load = async () => {
    const module = await fetched();
    there = module.default;
    return module;
  };
  const Waited = lazy(load) as unknown as ComponentType<P>;
  function Page(props: P) {
    const [Shown] = useState(() => there ?? Waited);
    return <Shown {...props} />;
  }
  return Object.assign(Page, { load });
}
