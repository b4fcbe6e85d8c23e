import { readdirSync, readlinkSync } from 'node:fs';
import * as path from 'node:path';
import { isMissing } from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';

/** Returns the target of a link, absolute; undefined if it is no link, or does not exist. */
export function linkTarget(link: string): string | undefined {
  try {
    return path.resolve(path.dirname(link), readlinkSync(link));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (isMissing(error) || ['EINVAL', 'UNKNOWN'].includes(code)) return undefined;
    throw error;
  }
}

/** Finds the folders of the store (`<kind>/<key>`) that the links of layouts lead to, nested stacks included. */
export function linkedEntries(store: string, layouts: readonly string[]): Set<string> {
  const entries = new Set<string>();
  const visit = (dir: string): void => {
    let items;
    try {
      items = readdirSync(dir, { withFileTypes: true });
    } catch {
      return; // it does not exist, or is being replaced
    }
    for (const item of items) {
      const place = path.join(dir, item.name);
      const target = item.isSymbolicLink() ? linkTarget(place) : undefined;
      if (target !== undefined && isBelow(target, store)) entries.add(path.dirname(target));
    }
    // a folder without a template is an artifact of AWS SAM CLI's
    if (!items.some(({ name }) => name === 'template.yaml')) return;
    for (const item of items) if (item.isDirectory()) visit(path.join(dir, item.name));
  };
  for (const dir of layouts) visit(dir);
  return entries;
}
