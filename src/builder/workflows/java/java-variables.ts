import { LOGINS } from '../named-variables.ts';
import type { VariableSyntax } from '../named-variables.ts';

/** Variables in poms, settings, and resources that Maven may filter. */
export const MAVEN_VARIABLES: VariableSyntax = {
  isFile: (name) => /\.(?:xml|properties|ya?ml|json|config)$/.test(name),
  uses: /(?:\$\{|<name>\s*!?)env\.([\w.]+)/g,
  ignored: LOGINS,
  excludes: ['target', '.git', '.aws-sam', '.idea'],
};

/** Variables in build scripts of Gradle. */
export const GRADLE_VARIABLES: VariableSyntax = {
  isFile: (name) => /\.gradle(?:\.kts)?$/.test(name),
  uses: /\b(?:getenv|environmentVariable)\s*\(\s*(?:["']([^"']*)["'])?|\bSystem\.env\b(?:\.(\w+)|\[\s*["']([^"']*)["'])?/g,
  ignored: LOGINS,
  excludes: ['build', '.gradle', '.git', '.aws-sam', '.idea', 'out'],
};
