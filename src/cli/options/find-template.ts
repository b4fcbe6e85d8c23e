import * as path from 'node:path';
import { UsageError } from '../../errors.ts';
import { exists, statIfExists } from '../../support/files.ts';

/** The usual names of a template, in search order. */
const TEMPLATE_NAMES = ['template.yaml', 'template.yml', 'template.json'] as const;

/** Finds the template: the named one (absolute), else the first usual name in `folder`. */
export async function findTemplate(named: string | undefined, folder: string): Promise<string> {
  if (named === undefined) return findUsual(folder);
  const stats = await statIfExists(named);
  if (stats && !stats.isDirectory()) return named;
  if (!stats) throw new UsageError(`Template ${named} does not exist`);
  const inside = await firstExisting(named);
  throw new UsageError(`${named} is a folder, not a template`, {
    hint: inside === undefined ? 'Name the template file.' : `Did you mean ${inside}?`,
  });
}

async function findUsual(folder: string): Promise<string> {
  const template = await firstExisting(folder);
  if (template !== undefined) return template;
  const isCdk = await exists(path.join(folder, 'cdk.json'));
  throw new UsageError(`No template found: ${folder} has no ${listOf(TEMPLATE_NAMES)}`, {
    hint: isCdk
      ? 'For a CDK application, run `cdk synth` and pass its template: -t cdk.out/NAME.template.json'
      : 'Change to the folder of the application, or pass the template with --template-file.',
  });
}

/** `a, b or c`. */
function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

async function firstExisting(folder: string): Promise<string | undefined> {
  for (const name of TEMPLATE_NAMES) {
    const file = path.join(folder, name);
    if (await exists(file)) return file;
  }
  return undefined;
}
