// The page's own icons, drawn in a square of 24.
import type { ComponentChildren } from "preact";

const paths = {
  node: "M12 5a7 6.5 0 1 0 0 13 7 6.5 0 0 0 0-13zM12 9v5M9.5 11.5h5",
  crosshair: "M12 2v7M12 15v7M2 12h7M15 12h7",
  window: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  pan: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
  zoom: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21M10.5 7.5v6M7.5 10.5h6",
  brush: "M4 20c3 0 5-1 5-4l9-10 2 2-10 9M9 16c-2-1-5 0-5 4",
  fill: "M6 11l6-6 7 7-7 7zM4 20c0-2 2-4 2-4s2 2 2 4a2 2 0 0 1-4 0",
  cut: "M6 4l12 16M18 4L6 20M4 20a2 2 0 1 0 4 0 2 2 0 1 0-4 0M16 20a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  maximise: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  restore: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  help: "M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 2.2M12 17.5v.5",
  open: "M3 6h6l2 2h10v11H3z",
  close: "M5 5l14 14M19 5L5 19",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  /** Read by screen readers, and shown when the mouse rests on it. */
  readonly label: string;
  readonly onClick: () => void;
  readonly pressed?: boolean;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

/** A button whose meaning is drawn; `children` stand beside the icon. */
export function IconButton({ icon, label, onClick, pressed, class: name, children }: IconButtonProps) {
  return (
    <button
      type="button"
      class={name ?? "icon-button"}
      aria-label={label}
      title={label}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onClick}
    >
      <Icon name={icon} />
      {children}
    </button>
  );
}
