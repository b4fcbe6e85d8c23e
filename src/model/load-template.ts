import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { errorMessage, TemplateError } from '../errors.ts';
import type { TemplateProblem } from '../errors.ts';
import { isMissing } from '../support/files.ts';
import { MAX_INPUT_BYTES, readTextFile } from '../support/regular-file.ts';
import { explainSystemError } from '../system-errors.ts';
import { createLocator } from '../template/locate.ts';
import type { Locator } from '../template/locate.ts';
import type { TemplatePath } from '../template/template-path.ts';
import type { Template } from '../template/template.ts';
import { parseTemplate } from '../template/yaml/yaml.ts';
import type { DuplicateKey } from '../template/yaml/yaml.ts';
import type { ParsedTemplate, ParsedTemplates } from './parsed-templates.ts';

/** A parsed template file. */
export interface LoadedTemplate {
  /** Absolute, with links resolved. */
  file: string;
  /** The file's name in messages: relative to the current folder if below it. */
  label: string;
  template: Template;
  /** Finds the position of a path, or of the nearest value around it. */
  locate: Locator;
  duplicates: readonly DuplicateKey[];
}

/** A problem at a path of a template, whose line is determined when it is shown. */
export interface Finding {
  loaded: LoadedTemplate;
  path: TemplatePath;
  message: string;
}

/** How templates are loaded. */
interface Loading {
  /** The current folder; labels are relative to it. Absolute. */
  cwd: string;
  /** Called with each file, also a missing one. */
  onRead?: ((file: string) => void) | undefined;
  /** Given if templates that an earlier run parsed need not be parsed again. */
  parsed?: ParsedTemplates | undefined;
}

/** Creates a loader that reads each template once. Throws `TemplateError`. */
export function createLoader({ cwd, onRead, parsed }: Loading): (file: string) => Promise<LoadedTemplate> {
  const loaded = new Map<string, Promise<LoadedTemplate>>();
  return (file) => {
    const cached = loaded.get(file);
    if (cached) return cached;
    onRead?.(file);
    const reading = loadTemplate(file, cwd, parsed);
    loaded.set(file, reading);
    return reading;
  };
}

/** Adds line and column to a finding. */
export function toProblem(finding: Finding): TemplateProblem {
  const { loaded, path: at, message } = finding;
  return { file: loaded.label, ...loaded.locate(at), message };
}

/** Warns of duplicate keys, of which the parser drops the first. */
export function duplicateWarnings(loaded: LoadedTemplate): TemplateProblem[] {
  return loaded.duplicates.map(({ key, line, column }) => {
    const message = `Duplicate key ${key}; this one wins`;
    return { file: loaded.label, line, column, message };
  });
}

/** Returns a file's name in messages. */
export function labelOf(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

async function loadTemplate(file: string, cwd: string, parsed: ParsedTemplates | undefined): Promise<LoadedTemplate> {
  try {
    const isLink = (await fs.lstat(file)).isSymbolicLink();
    const real = isLink ? await fs.realpath(file) : file;
    const label = labelOf(file, cwd);
    const text = readTextFile(real, MAX_INPUT_BYTES);
    const known = parsed?.find(real, text);
    const content = known ?? parse(text, label);
    if (known === undefined) parsed?.add(real, text, content);
    return { file: real, label, locate: createLocator(text), ...content };
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    const message = isMissing(error)
      ? 'The template does not exist'
      : (explainSystemError(error)?.message ?? `Cannot read the template: ${errorMessage(error)}`);
    throw new TemplateError([{ file: labelOf(file, cwd), message }], { cause: error });
  }
}

function parse(text: string, label: string): ParsedTemplate {
  const duplicates: DuplicateKey[] = [];
  return { template: parseTemplate(text, label, duplicates), duplicates };
}
