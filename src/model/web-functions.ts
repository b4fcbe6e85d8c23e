import { isBuiltAs } from '../template/kinds/kinds.ts';
import { scalarText } from '../template/template.ts';
import type { TemplateResource } from '../template/template.ts';
import { checkCode } from './check-stack.ts';
import type { Complaint } from './check-stack.ts';
import { readBuiltResource } from './built-resource.ts';
import { zipSource } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { codeProperty } from './functions.ts';
import { flattenStacks } from './stack.ts';
import type { ResourceIdentifier, Stack, WebFunctionResource } from './stack.ts';

/** The file that the runtime starts if the template sets no `EntryPoint`. */
export const DEFAULT_ENTRY_POINT = 'index.js';

/** Reads a Web Function from a resolved resource with Globals; undefined for other types. */
export async function readWebFunction(
  stackPath: string,
  logicalId: string,
  resource: TemplateResource,
  files: LocalFiles,
): Promise<WebFunctionResource | undefined> {
  const type = resource.Type;
  if (!isBuiltAs(type, 'web-function')) return undefined;
  const built = readBuiltResource(stackPath, logicalId, resource);
  const { properties } = built;
  const isInline = (properties['InlineCode'] ?? null) !== null;
  return {
    ...built,
    type,
    runtime: scalarText(properties['Runtime']),
    entryPoint: scalarText(properties['EntryPoint']) || undefined,
    architecture: 'x86_64',
    code: isInline ? { kind: 'inline' } : await zipSource(codeProperty(type, properties), files),
  };
}

/** Reports missing and unsupported properties of a Web Function. */
export function checkWebFunction(web: WebFunctionResource): Complaint[] {
  const { logicalId, properties, code } = web;
  const complaint = (property: string, message: string): Complaint => ({
    path: ['Resources', logicalId, 'Properties', property],
    message: `${logicalId} ${message}`,
  });
  const required = ['Runtime', 'AuthType'].filter((property) => (properties[property] ?? '') === '');
  const complaints = required.map((property) => complaint(property, `has no ${property}`));
  if (code.kind === 'inline')
    complaints.push(complaint('InlineCode', 'has InlineCode, which Web Functions do not support; use CodeUri'));
  return [...complaints, ...checkCode(web)];
}

/** Returns the Web Functions with local code, in all stacks. */
export function localWebFunctions(root: Stack): ResourceIdentifier[] {
  return flattenStacks(root)
    .flatMap(({ webFunctions }) => webFunctions)
    .filter(({ code }) => code.kind === 'folder' || code.kind === 'file')
    .map(({ id }) => id);
}
