import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import { ownValue } from '../../support/own-value.ts';
import type { DockerfileSource } from './plan-images.ts';

/** Reads which images an image is built from: those that its Dockerfile names. */
export async function readBaseImages({ context, dockerfile, args }: DockerfileSource): Promise<string[]> {
  return parseBaseImages((await readTextIfExists(path.resolve(context, dockerfile))) ?? '', args);
}

/**
 * Lists the images in `FROM`, `COPY --from` and `RUN --mount=from=…`, without stages of the Dockerfile itself and names that
 * depend on a variable without a value. `args`: build arguments, which take precedence over defaults. Pure.
 */
export function parseBaseImages(dockerfile: string, args: Readonly<Record<string, string>>): string[] {
  const values = new Map<string, string>();
  const stages = new Set(['scratch']);
  const images = new Set<string>();
  const add = (name: string | undefined): void => {
    const image = name === undefined ? undefined : fillIn(name, values);
    // COPY may name a stage by its number
    if (image !== undefined && !stages.has(image.toLowerCase()) && !/^\d*$/.test(image)) images.add(image);
  };
  for (const line of instructions(dockerfile)) {
    const [instruction = '', ...words] = line.split(/\s+/);
    switch (instruction.toUpperCase()) {
      case 'ARG':
        for (const [, name = '', value = ''] of line.matchAll(/\s(\w+)(?:=(\S*))?/g))
          values.set(name, ownValue(args, name) ?? unquote(value));
        break;
      case 'FROM': {
        const [image, as, stage] = words.filter((word) => !word.startsWith('--'));
        add(image);
        if (as?.toUpperCase() === 'AS' && stage !== undefined) stages.add(stage.toLowerCase());
        break;
      }
      case 'COPY':
      case 'ADD':
      case 'RUN':
        for (const word of words) add(/^--(?:from=|mount=\S*\bfrom=)([^\s,]+)/.exec(word)?.[1]);
        break;
      default:
    }
  }
  return [...images];
}

/** Yields instructions without comments, with their continuation lines. */
function instructions(dockerfile: string): string[] {
  const lines = dockerfile.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replace(/\\[ \t]*\n/g, ' ');
  return joined.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

/** Replaces `$NAME`, `${NAME}` and `${NAME:-default}`; undefined: a variable has no value. */
function fillIn(name: string, values: ReadonlyMap<string, string>): string | undefined {
  let isKnown = true;
  const filled = unquote(name).replace(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (_match, plain: string | undefined, braced: string | undefined, standard: string | undefined) => {
      const value = values.get(plain ?? braced ?? '') || standard;
      isKnown &&= value !== undefined;
      return value ?? '';
    },
  );
  return isKnown && !filled.includes('$') ? filled : undefined;
}

function unquote(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}
