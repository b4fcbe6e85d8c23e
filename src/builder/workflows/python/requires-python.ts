/**
 * Whether version specifiers (`>=3.11,<4`) allow a minor version of Python, e.g. `3.13`. Lambda's patch level is unknown, so
 * clauses that depend on it are allowed, and so are clauses that we cannot parse.
 */
export function allowsPython(specifiers: string, version: string): boolean {
  return specifiers.split(',').every((clause) => allows(clause.trim(), numbers(version)));
}

function allows(clause: string, [major, minor]: readonly [number, number]): boolean {
  const match = /^(===|~=|==|!=|<=|>=|<|>)\s*v?(\d+(?:\.\d+)*)(\.\*)?/.exec(clause);
  if (match?.[1] === undefined || match[2] === undefined) return true;
  const parts = match[2].split('.').map(Number);
  const [wantedMajor, wantedMinor] = numbers(match[2]);
  const order = major - wantedMajor || minor - wantedMinor;
  switch (match[1]) {
    case '>=':
    case '>':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '<':
      return order < 0 || (order === 0 && (parts[2] ?? 0) > 0);
    case '~=':
      return parts.length > 2 ? order === 0 : major === wantedMajor && order >= 0;
    case '!=':
      return !(
        match[3] !== undefined && (parts.length === 1 ? major === wantedMajor : order === 0 && parts.length === 2)
      );
    default:
      return parts.length === 1 ? major === wantedMajor : order === 0;
  }
}

function numbers(version: string): [number, number] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}
