import { BinaryValue, SourceNumber } from '../../src/template/template.ts';
import type { TemplateValue } from '../../src/template/template.ts';

/** A template's value in the form in which `loadWithPyYaml` gives it. */
export function asPython(value: TemplateValue): unknown {
  if (typeof value === 'number') return { number: pythonNumber(value, String(value)) };
  if (value instanceof SourceNumber) return { number: pythonNumber(value.value, value.source) };
  if (value instanceof BinaryValue) return { binary: Buffer.from(value.source, 'base64').toString('base64') };
  if (Array.isArray(value)) return value.map(asPython);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asPython(item)]));
}

function pythonNumber(value: number, source: string): number | string {
  // integers that a float cannot hold, as they are written
  if (Math.abs(value) >= 2 ** 53 && /^[-+]?\d+$/.test(source)) return source.replace(/^\+/, '');
  return value === 0 ? 0 : value;
}
