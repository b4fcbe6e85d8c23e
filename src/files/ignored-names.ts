import { compileNames } from '../support/name-patterns.ts';

/** Ours and version control's, compiled Python, and what editors and systems write beside a file while it is edited. */
const IGNORED = [
  '.aws-sam',
  '.git',
  '.hg',
  '.svn',
  '__pycache__',
  '*.pyc',
  '.DS_Store',
  'Thumbs.db',
  // vim
  '.*.sw?',
  '*~',
  '4913',
  // Emacs
  '.#*',
  '#*#',
  // JetBrains
  '*___jb_tmp___',
  '*___jb_old___',
  // GNOME, KDE
  '.goutputstream-*',
  '.~lock.*#',
  '*.kate-swp',
];

/** Names that are never watched, at any depth, whatever is built from there. */
export const isIgnoredName = compileNames(IGNORED);
