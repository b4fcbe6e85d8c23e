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

/** A template file as it was read. */
export interface LoadedTemplate {
  /** Absolute; where the name given is a link, the file behind it. */
  file: string;
  /** How messages name the file: relative to the current folder if it is below it. */
  label: string;
  template: Template;
  /** Where the value at a path is written, or what is around it. */
  locate: Locator;
  duplicates: readonly DuplicateKey[];
}

/** Something wrong at a place of a template; its line is looked up when it is shown. */
export interface Finding {
  loaded: LoadedTemplate;
  path: TemplatePath;
  message: string;
}

/** Reads templates, each file once. Rejects with `TemplateError`. `onRead` is told of each, also of one that is not there. */
export function createLoader(cwd: string, onRead?: (file: string) => void): (file: string) => Promise<LoadedTemplate> {
  const loaded = new Map<string, Promise<LoadedTemplate>>();
  return (file) => {
    const known = loaded.get(file);
    if (known) return known;
    onRead?.(file);
    const reading = loadTemplate(file, cwd);
    loaded.set(file, reading);
    return reading;
  };
}

/** The finding with its line and column. */
export function toProblem(finding: Finding): TemplateProblem {
  const { loaded, path: at, message } = finding;
  return { file: loaded.label, ...loaded.locate(at), message };
}

/** What stands twice in the template: the first one is lost, which nobody means. */
export function duplicateWarnings(loaded: LoadedTemplate): TemplateProblem[] {
  return loaded.duplicates.map(({ key, line, column }) => {
    const message = `${key} stands twice in the same mapping; only this one counts`;
    return { file: loaded.label, line, column, message };
  });
}

/** How messages name a file. */
export function labelOf(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

async function loadTemplate(file: string, cwd: string): Promise<LoadedTemplate> {
  try {
    const isLink = (await fs.lstat(file)).isSymbolicLink();
    const real = isLink ? await fs.realpath(file) : file;
    const label = labelOf(file, cwd);
    const text = readTextFile(real, MAX_INPUT_BYTES);
    const duplicates: DuplicateKey[] = [];
    const template = parseTemplate(text, label, duplicates);
    return { file: real, label, template, locate: createLocator(text), duplicates };
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    const message = isMissing(error)
      ? 'There is no such template'
      : (explainSystemError(error)?.message ?? `The template cannot be read: ${errorMessage(error)}`);
    throw new TemplateError([{ file: labelOf(file, cwd), message }], { cause: error });
  }
}
