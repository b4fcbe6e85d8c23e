import { styleText } from 'node:util';

/** The text styles the program uses. */
export type Look = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** Styles a text, or returns it unchanged. */
export type Style = (look: Look, text: string) => string;

/** Creates a style that colours terminals only: `NO_COLOR`, `TERM=dumb` and pipes get plain text; `FORCE_COLOR` wins. */
export function createStyle(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const refused = Boolean(env['NO_COLOR']) || Boolean(env['SAM_CLI_NO_COLOR']) || env['TERM'] === 'dumb';
  if (!forced && (!isTTY || refused)) return (_look, text) => text;
  return (look, text) => styleText(look, text, { validateStream: false });
}
