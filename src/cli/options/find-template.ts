import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { exists, statIfExists } from '../../support/files.ts';

/** The names that are looked for when no template is named. */
const TEMPLATE_NAMES = ['template.yaml', 'template.yml', 'template.json'] as const;

/** The absolute path of the template: the named one, else the first with a usual name in `folder`. */
export async function findTemplate(named: string | undefined, folder: string): Promise<string> {
  if (named === undefined) return findUsual(folder);
  const stats = await statIfExists(named);
  if (stats && !stats.isDirectory()) return named;
  if (!stats) throw new UserError(`There is no template ${named}`);
  const inside = await firstExisting(named);
  throw new UserError(`${named} is a folder, not a template`, {
    hint: inside === undefined ? 'Name the template file.' : `Did you mean ${inside}?`,
  });
}

async function findUsual(folder: string): Promise<string> {
  const found = await firstExisting(folder);
  if (found !== undefined) return found;
  const synthesized = await exists(path.join(folder, 'cdk.json'));
  throw new UserError(`There is no template: no ${TEMPLATE_NAMES.join(', ')} in ${folder}`, {
    hint: synthesized
      ? 'For a CDK application run `cdk synth` and name its template: -t cdk.out/NAME.template.json'
      : 'Go to the folder of the application, or name the template with --template-file.',
  });
}

async function firstExisting(folder: string): Promise<string | undefined> {
  for (const name of TEMPLATE_NAMES) {
    const file = path.join(folder, name);
    if (await exists(file)) return file;
  }
  return undefined;
}
