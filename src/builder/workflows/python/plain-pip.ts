import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import type { Tools } from '../../tools/tools.ts';
import { decidingVariables, pipFiles } from './installer-settings.ts';
import type { PythonInterpreter } from './interpreter.ts';
import type { Requirements } from './requirements.ts';

// When uv installs what pip would: names and versions from one index, and no setting that only pip or only uv reads.

/** A name with extras, versions and a marker (PEP 508). Hashes, URLs, paths, variables and options are pip's own business. */
const PLAIN_LINE = /^[A-Za-z0-9][\w.-]*\s*(?:\[[\w\s.,-]*\])?\s*\(?\s*(?:(?:[<>=!~]=?|===)[^;@$/\\]*)?(?:;[^$/\\]*)?$/;

/** Settings in files of pip that do not decide what is installed. */
const WITHOUT_EFFECT =
  /^(?:cert|timeout|default-timeout|retries|proxy|cache-dir|no-cache-dir|progress-bar|quiet|verbose|no-color|no-input|log|disable-pip-version-check|require-virtualenv|root-user-action|break-system-packages)\s*[:=]/;

/** Whether the requirements name nothing but packages of the index. */
export function isPlain({ lines, missing, indexOptions }: Requirements): boolean {
  if (missing.length > 0 || indexOptions.length > 0) return false;
  return lines.every(({ text, local }) => local === undefined && PLAIN_LINE.test(text) && !/\s--/.test(text));
}

/**
 * Returns the settings with which uv reads the same index as pip; undefined if pip, or uv, has others: in variables, in files of
 * the user and the machine, and in those of this Python.
 */
export async function settingsLikePip(
  tools: Tools,
  { prefix }: PythonInterpreter,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (prefix === undefined) return undefined;
  const [index, ...others] = decidingVariables(tools.env).filter(([, value]) => value !== '');
  if (others.length > 0 || (index !== undefined && index[0] !== 'PIP_INDEX_URL')) return undefined;
  const files = [...pipFiles(tools.env), path.join(prefix, 'pip.conf'), path.join(prefix, 'pip.ini')];
  const texts = await Promise.all(files.map((file) => readTextIfExists(file)));
  if (texts.some((text) => text !== undefined && hasEffect(text))) return undefined;
  return index === undefined ? {} : { UV_DEFAULT_INDEX: index[1] };
}

function hasEffect(text: string): boolean {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .some((line) => line !== '' && !/^[#;[]/.test(line) && !WITHOUT_EFFECT.test(line));
}
