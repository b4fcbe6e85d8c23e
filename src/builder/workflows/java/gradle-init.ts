/**
 * Init script for Gradle (4.4 and later): it redirects build folders to ours, which keeps the source clean and builds
 * incremental, and adds tasks to the Java project that lay out classes and jars for Lambda.
 */
export const GRADLE_INIT = `
def buildRoot = new File(System.getProperty('samSync.buildDir'))
def wanted = new File(System.getProperty('samSync.projectDir')).canonicalFile
def exportDir = new File(System.getProperty('samSync.exportDir'))

gradle.beforeProject { p ->
    def dir = new File(buildRoot, p.path == ':' ? 'root' : 'root/' + p.path.substring(1).replace(':', '/') + '/project')
    try { p.layout.buildDirectory.set(dir) } catch (MissingPropertyException | MissingMethodException e) { p.buildDir = dir }
}

gradle.afterProject { p ->
    if (p.projectDir.canonicalFile != wanted) return
    if (p.tasks.findByName('jar') == null || p.configurations.findByName('runtimeClasspath') == null) return
    def jar = p.tasks.getByName('jar')
    def main = p.sourceSets.main
    p.tasks.create('samSyncClasses', Sync) {
        if (jar.enabled) { dependsOn jar; from { p.zipTree(jar.outputs.files.singleFile) } }
        else { from main.output }
        into new File(exportDir, 'classes')
    }
    p.tasks.create('samSyncJar', Sync) {
        from jar
        into new File(exportDir, 'jar')
    }
    p.tasks.create('samSyncLib', Sync) {
        from p.configurations.runtimeClasspath
        duplicatesStrategy = 'include'
        into new File(exportDir, 'lib')
    }
    // the same files give the same bytes
    p.tasks.withType(AbstractArchiveTask) {
        try { preserveFileTimestamps = false; reproducibleFileOrder = true } catch (MissingPropertyException e) { }
    }
}
`;
