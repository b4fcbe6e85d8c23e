import { isBelow } from '../../support/places.ts';

/** A folder of this machine and its path in the container. */
export interface Mount {
  source: string;
  target: string;
}

/** Returns the folders that lie in no other one. Pure. */
export function outermostFolders(folders: readonly string[]): string[] {
  const distinct = [...new Set(folders)].sort((a, b) => a.length - b.length);
  return distinct.filter((folder) => !distinct.some((other) => isBelow(folder, other)));
}

/** Mounts a folder under its own path; on Windows `C:\app` becomes `/c/app`. */
export function mountOf(folder: string, platform: NodeJS.Platform): Mount {
  const drive = platform === 'win32' ? /^([A-Za-z]):[\\/]?(.*)$/.exec(folder) : null;
  if (!drive) return { source: folder, target: folder };
  return {
    source: folder,
    target: `/${drive[1]?.toLowerCase()}/${drive[2]?.replaceAll('\\', '/')}`.replace(/\/$/, ''),
  };
}

/** The value of `--mount`, which engines read as a line of CSV. */
export function mountOption({ source, target }: Mount): string {
  return ['type=bind', `source=${source}`, `target=${target}`].map(csvField).join(',');
}

/** The value of `--mount` for a volume of the engine. */
export function volumeOption({ source, target }: Mount): string {
  return ['type=volume', `source=${source}`, `target=${target}`].map(csvField).join(',');
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Translates paths below the mounts in a text (argument, variable) to the container's paths. */
export function translatePaths(text: string, mounts: readonly Mount[]): string {
  let translated = text;
  for (const { source, target } of mounts) {
    if (source === target || !translated.includes(source)) continue;
    translated = translated
      .split(source)
      .map((part, index) => (index === 0 ? part : part.replace(/^[^;"'\s]*/, (rest) => rest.replaceAll('\\', '/'))))
      .join(target);
  }
  return translated;
}
