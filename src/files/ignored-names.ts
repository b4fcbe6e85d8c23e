import { compileNames } from '../support/globs.ts';

/** Names of sam-sync, version control and compiled Python, and of files that editors and systems write beside the edited one. */
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

/** Whether a name is never watched, at any depth. */
export const isIgnoredName = compileNames(IGNORED);
