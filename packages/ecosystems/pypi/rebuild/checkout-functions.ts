/** A part of the build script: what the tree of a commit lacks beside a checkout, to which tools would ask git. */
export const CHECKOUT_FUNCTIONS = `def exported(tree, names):
    """Those that git archive takes along, which the plugins ask: without what .gitattributes marks export-ignore. The last rule counts, of the nearest folder."""
    rules = []
    for folder, name in sorted(os.path.split(name) for name in names if os.path.basename(name) == ".gitattributes" and os.path.isfile(os.path.join(tree, name))):
        with open(os.path.join(tree, folder, name), encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split() for line in file.read(1 << 20).splitlines()[:1000]]
        rules += [(folder, line[0], "export-ignore" in line) for line in lines if line and {"export-ignore", "-export-ignore", "!export-ignore"} & set(line[1:])]

    def ignored(path):
        marked = [mark for folder, pattern, mark in rules if (not folder or path.startswith(folder + "/")) and matches(os.path.relpath(path, folder or "."), pattern)]
        return bool(marked) and marked[-1]

    return [name for name in names if not any(ignored(path) for path in with_folders(name))]


def with_folders(path):
    while path:
        yield path
        path = os.path.dirname(path)


def matches(path, pattern):
    """gitattributes(5): without a slash it is the name of whatever lies anywhere."""
    return fnmatch.fnmatchcase(path if "/" in pattern.rstrip("/") else os.path.basename(path), pattern.strip("/"))


def files_below(tree):
    for folder, _, names in os.walk(tree):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), tree)


def list_tracked():
    """Plugins of setuptools that ask git which files it has find none: they are all those of the commit."""
    from importlib import metadata
    if not any(point.group == "setuptools.file_finders" for found in metadata.distributions() for point in found.entry_points):
        return
    from setuptools.command import egg_info, sdist
    with open(TRACKED, encoding="utf-8", errors="surrogateescape") as file:
        tracked = json.load(file)
    egg_info.walk_revctrl = sdist.walk_revctrl = lambda dirname="": [name for name in tracked if not dirname or name.startswith(dirname + os.sep)]`;
