// npm runs this before it packs a clone, and in a clone after `npm ci`: installs missing packages, also those that only the
// build needs, and builds dist/. npm does not run it where the package is installed.
import { installAndBuild } from './install.mjs';

installAndBuild();
