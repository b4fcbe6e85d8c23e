import { UserError } from '../../errors.ts';
import { readTextIfExists } from '../../support/files.ts';
import { parseJsonFile } from '../../support/json-file.ts';
import { fields } from '../../support/shapes.ts';
import type { ContainerOptions } from './container-options.ts';

/** Reads `--container-env-var-file`: `{"Parameters": {all}, "<Id>": {one}}`. */
export async function readContainerEnvFile(
  file: string | undefined,
): Promise<Pick<ContainerOptions, 'env' | 'envById'>> {
  if (file === undefined) return { env: {}, envById: {} };
  const text = await readTextIfExists(file);
  if (text === undefined) throw new UserError(`${file} does not exist`);
  const sections = parse(text, file);
  const { Parameters: env = {}, ...envById } = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [name, variables(section, `${file}: ${name}`)]),
  );
  return { env, envById };
}

function parse(text: string, file: string): Readonly<Record<string, unknown>> {
  const sections = fields(parseJsonFile(file, text));
  if (sections !== undefined) return sections;
  throw new UserError(`${file} must hold a JSON object`, { hint: 'For example: {"Parameters": {"NAME": "value"}}.' });
}

function variables(section: unknown, place: string): Record<string, string> {
  const named = fields(section);
  if (named === undefined) throw new UserError(`${place} must be an object of variables`);
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => {
      if (typeof value === 'object') throw new UserError(`${place}.${name} must be a string or a number`);
      return [name, String(value)];
    }),
  );
}
