// A button that opens the browser's dialog for files, or for a folder.
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons.js";

interface FileButtonProps {
  readonly id: string;
  readonly label: string;
  readonly onChoose: (files: FileList | null) => void;
  readonly isFolder?: boolean;
  /** The endings that the dialog offers. */
  readonly accept?: string;
  readonly icon?: IconName;
}

export function FileButton({ id, label, onChoose, isFolder = false, accept, icon }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current !== null) input.current.webkitdirectory = isFolder;
  }, [isFolder]);
  return (
    <>
      <input
        ref={input}
        type="file"
        id={id}
        hidden
        multiple
        aria-label={label}
        {...(accept === undefined ? {} : { accept })}
        onChange={({ currentTarget }) => {
          onChoose(currentTarget.files);
          // So that the same file can be chosen again.
          currentTarget.value = "";
        }}
      />
      <button type="button" class="button" onClick={() => input.current?.click()}>
        {icon !== undefined && <Icon name={icon} />}
        {label}
      </button>
    </>
  );
}
