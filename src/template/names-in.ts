import { isMap } from './template.ts';
import type { TemplateValue } from './template.ts';

/** Lists the names that a value refers to: resources, parameters, mappings, conditions. */
export function namesIn(value: TemplateValue): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...namedBy(key, inner), ...namesIn(inner)]);
}

function namedBy(key: string, value: TemplateValue): string[] {
  const first = Array.isArray(value) ? value[0] : value;
  switch (key) {
    case 'Ref':
    case 'Condition':
    case 'Fn::If':
    case 'Fn::FindInMap':
    case 'Fn::GetAtt':
      return typeof first === 'string' ? [beforeDot(first)] : [];
    case 'DependsOn':
      return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
    case 'Fn::Sub':
      return typeof first === 'string'
        ? [...first.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => beforeDot(name))
        : [];
    default:
      return [];
  }
}

function beforeDot(text: string): string {
  return text.trim().split('.', 1)[0] ?? '';
}
