/** What `Fn::Sub` makes of a text. */
export interface Substituted {
  /** With the known variables filled in; still the text of an `Fn::Sub` if some are not known. */
  text: string;
  /** Variables that only CloudFormation knows. */
  unknown: string[];
}

const VARIABLE = /\$\{([^!}][^}]*|!([^}]*))\}/g;

/** Fills in `${Name}` wherever `valueOf` knows it. `${!Literal}` becomes `${Literal}` once nothing is left to fill in. */
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
  // a value that is filled in must not be read as a variable when CloudFormation fills in the rest
  const filled = parts.map((part) => (part.literal && again ? part.text.replaceAll('${', '${!') : part.text));
  return { text: filled.join(''), unknown };
}
