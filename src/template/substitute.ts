/** The result of `Fn::Sub`. */
export interface Substituted {
  /** With known variables replaced; still the text of an `Fn::Sub` if some are unknown. */
  text: string;
  /** Variables known only to CloudFormation. */
  unknown: string[];
}

const VARIABLE = /\$\{([^!}][^}]*|!([^}]*))\}/g;

/** Replaces each `${Name}` that `valueOf` knows, and `${!Literal}` by `${Literal}` if no variable remains. */
export function substitute(text: string, valueOf: (name: string) => string | undefined): Substituted {
  const unknown: string[] = [];
  const parts: { text: string; literal: boolean }[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    parts.push({ text: text.slice(end, match.index), literal: false });
    end = match.index + match[0].length;
    const [whole, name = '', escaped] = match;
    const value = escaped === undefined ? valueOf(name.trim()) : `\${${escaped}}`;
    if (value === undefined) unknown.push(name.trim());
    parts.push(value === undefined ? { text: whole, literal: false } : { text: value, literal: true });
  }
  parts.push({ text: text.slice(end), literal: false });
  const again = unknown.length > 0;
  // escape inserted values, so that CloudFormation does not read variables in them
  const filled = parts.map((part) => (part.literal && again ? part.text.replaceAll('${', '${!') : part.text));
  return { text: filled.join(''), unknown };
}
