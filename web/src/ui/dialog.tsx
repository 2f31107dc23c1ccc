// A dialog whose code comes when it is first opened: many never are.
import { type ComponentProps, lazy, Suspense, useState } from "react";
import type { Dialog } from "./overlay";

const Loaded = lazy(() => import("./overlay").then(({ Dialog }) => ({ default: Dialog })));

export function LateDialog(props: ComponentProps<typeof Dialog>) {
  const [wanted, setWanted] = useState(props.open);
  if (props.open && !wanted) setWanted(true);
  return (
    wanted && (
      <Suspense fallback={null}>
        <Loaded {...props} />
      </Suspense>
    )
  );
}
