import * as path from 'node:path';

/** Returns variables that keep downloads between builds in a folder of the container, and let git read a repository of another user. */
export function cacheVariables(dir: string): Record<string, string> {
  const at = (name: string): string => path.posix.join(dir, name);
  return {
    XDG_CACHE_HOME: at('xdg'),
    PIP_CACHE_DIR: at('pip'),
    UV_CACHE_DIR: at('uv'),
    npm_config_cache: at('npm'),
    XDG_DATA_HOME: at('data'),
    npm_config_update_notifier: 'false',
    YARN_CACHE_FOLDER: at('yarn'),
    BUNDLE_USER_CACHE: at('bundler'),
    GOCACHE: at('go-build'),
    GOMODCACHE: at('go-mod'),
    GRADLE_USER_HOME: at('gradle'),
    MAVEN_OPTS: `-Dmaven.repo.local=${at('maven')}`,
    CARGO_HOME: at('cargo'),
    CARGO_TARGET_DIR: at('cargo-target'),
    NUGET_PACKAGES: at('nuget'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
  };
}
