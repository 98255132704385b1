import { CHECKOUT_FUNCTIONS } from './checkout-functions.ts';

/** Where the sandbox puts the script; its plan and the source lie beside it. */
export const SCRIPT_FILE = 'build.py';
export const PLAN_FILE = 'plan.json';
export const REQUIREMENTS_FILE = 'requirements.txt';
export const NEEDS_FILE = 'needs.json';
export const METADATA_FILE = 'METADATA';

/**
 * The program that runs in the sandbox, with nothing but Python's standard library: `fetch` makes the
 * environment from the mirror, `build` calls the backend (PEP 517) or setup.py without any network. Python,
 * because the hooks are; a text here, because ecosystems read no files.
 */
export const BUILD_SCRIPT = String.raw`import calendar, fnmatch, importlib, importlib.util, io, json, os, re, runpy, shutil, struct, subprocess, sys, tarfile, time, zipfile

WORK = os.path.dirname(os.path.abspath(__file__))
OUT, ENV, TREE, TRACKED, STARTED = (os.path.join(WORK, name) for name in ("out", "env", "tree", "tracked.json", "started"))
with open(os.path.join(WORK, "plan.json"), encoding="utf-8") as file:
    PLAN = json.load(file)


def fetch():
    python = os.path.join(ENV, "bin", "python")
    uv = ["uv", "--quiet", "--no-progress", "--no-config", "--no-cache"]
    subprocess.run([*uv, "venv", "--no-project", "--python", sys.executable, ENV], check=True)
    requirements = os.path.join(WORK, "requirements.txt")
    if os.path.getsize(requirements):
        subprocess.run([*uv, "pip", "install", "--python", python, "--no-deps", "--require-hashes", "--only-binary", ":all:",
                        "--index-url", PLAN["index"], "-r", requirements], check=True)


def build():
    os.umask(int(PLAN["umask"], 8))
    os.makedirs(OUT, exist_ok=True)
    open(STARTED, "w").close()
    unpack(os.path.join(WORK, "source", PLAN["source"]))
    tree = os.path.join(TREE, PLAN["root"]) if PLAN["root"] else TREE
    if PLAN["checkout"]:
        with open(TRACKED, "w", encoding="utf-8", errors="surrogateescape") as file:
            json.dump(exported(tree, sorted(files_below(tree))), file)
    for name in PLAN["emptyFolders"]:
        os.makedirs(os.path.join(tree, name), exist_ok=True)
    run_hook("_requires", tree)
    if PLAN["through"] == "sdist":
        tree = through_sdist(tree)
    started = time.time()
    run_hook("_" + PLAN["produce"], tree)
    if PLAN["clock"] and PLAN["produce"] == "wheel":
        for name in os.listdir(OUT):
            set_clock(os.path.join(OUT, name), started, int(PLAN["clock"]))


def run_hook(step, tree):
    """A process for each hook, as PEP 517 wants: backends keep state in their modules."""
    code = subprocess.run([os.path.join(ENV, "bin", "python"), os.path.abspath(__file__), step], cwd=tree, stdin=subprocess.DEVNULL).returncode
    if code:
        sys.exit(code)


def through_sdist(tree):
    """As front ends do that are asked for both: the wheel is built from the source archive that was built before it."""
    global TREE
    run_hook("_sdist", tree)
    name = next(name for name in os.listdir(OUT) if name.endswith(".tar.gz"))
    packed = os.path.join(WORK, name)
    shutil.move(os.path.join(OUT, name), packed)
    os.unlink(TRACKED)
    TREE = os.path.join(WORK, "packed")
    unpack(packed)
    return os.path.join(TREE, os.listdir(TREE)[0])


def unpack(archive):
    """Regular files, folders and links that stay inside; modes and times as the archive has them, or as a checkout of git would."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    put(info.filename, packed.open(info), info.external_attr >> 16, time.mktime(info.date_time + (0, 0, -1)))
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isfile() or member.islnk():
                put(member.name, packed.extractfile(member), member.mode, member.mtime)
            elif member.issym():
                link(member.name, member.linkname)


def is_inside(path):
    return path == TREE or path.startswith(TREE + os.sep)


def inside(name):
    path = os.path.normpath(os.path.join(TREE, name))
    if not is_inside(path):
        sys.exit("source archive: %r leaves its folder" % name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
        sys.exit("source archive: %r lies behind a link" % name)
    return path


def put(name, content, mode, mtime):
    path = inside(name)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as file:
        shutil.copyfileobj(content, file)
    if PLAN["checkout"]:
        os.chmod(path, (0o777 if mode & 0o100 else 0o666) & ~int(PLAN["umask"], 8))
    elif mode & 0o777:
        os.chmod(path, mode & 0o777 | 0o600)
    os.utime(path, (mtime, mtime))


def link(name, target):
    path = inside(name)
    # Repositories have links to anywhere, for tests of such: they are no part of a package.
    if PLAN["checkout"] and not is_inside(os.path.normpath(os.path.join(os.path.dirname(path), target))):
        print("left out:", repr(name), "leads out of the repository")
        return
    inside(os.path.join(os.path.dirname(name), target))
    os.symlink(target, path)


${CHECKOUT_FUNCTIONS}


def _requires():
    texts = dict.fromkeys(text for hook in requirement_hooks() for text in hook())
    missing = [text for text in texts if text not in PLAN["asked"] and not satisfied(text)]
    if missing:
        with open(os.path.join(OUT, "needs.json"), "w", encoding="utf-8") as file:
            json.dump(missing, file)
        print("missing build requirements:", *missing)
        sys.exit(os.EX_TEMPFAIL)


def requirement_hooks():
    """A backend is asked only where it builds: tools of setup.py's days have none."""
    if PLAN["frontEnd"] == "setup.py":
        return [setup_requires]
    kinds = {"sdist": PLAN["produce"] == "sdist" or PLAN["through"] == "sdist", "wheel": PLAN["produce"] != "sdist"}
    return [getattr(backend(), "get_requires_for_build_" + kind, list) for kind, wanted in kinds.items() if wanted]


def setup_requires():
    """What setup.py hands over as setup_requires: read off the call that would fetch it."""
    import setuptools.dist

    class Found(BaseException):
        pass

    def found(self, requires):
        raise Found([requires] if isinstance(requires, str) else list(requires))

    plain, setuptools.dist.Distribution.fetch_build_eggs = setuptools.dist.Distribution.fetch_build_eggs, found
    try:
        run_setup("--name")
    except Found as call:
        return [line.strip() for text in call.args[0] for line in text.splitlines() if line.strip()]
    finally:
        setuptools.dist.Distribution.fetch_build_eggs = plain
    return []


def run_setup(*arguments):
    sys.path.insert(0, os.getcwd())
    sys.argv = ["setup.py", *arguments]
    runpy.run_path("setup.py", run_name="__main__")


def satisfied(text):
    from importlib import metadata
    # Nobody asked for extras.
    if re.search(r";.*\bextra\b", text):
        return True
    try:
        version = metadata.version(re.match(r"[\w.-]+", text.strip())[0])
    except metadata.PackageNotFoundError:
        version = None
    for name in ("packaging.requirements", "setuptools._vendor.packaging.requirements", "pkg_resources._vendor.packaging.requirements"):
        try:
            requirement = importlib.import_module(name).Requirement(text)
        except Exception:
            continue
        if requirement.marker and not requirement.marker.evaluate():
            return True
        return version is not None and requirement.specifier.contains(version, prereleases=True)
    return version is not None


def backend():
    sys.path[:0] = [os.path.abspath(path) for path in PLAN["backendPath"]]
    module, _, attribute = PLAN["backend"].partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found


def _wheel():
    if PLAN["windows"]:
        like_windows()
    if not PLAN["extensions"]:
        without_extensions()
    produce("build_wheel")


def _sdist():
    produce("build_sdist")


def produce(hook):
    if PLAN["sortedRequires"]:
        sort_requires()
    if hook == "build_sdist":
        stop_clock()
    pep517 = PLAN["frontEnd"] == "pep517" or hook == "build_sdist" and PLAN["produce"] != "sdist"
    build = getattr(backend(), hook) if pep517 else lambda folder: run_setup(*PLAN["setupArguments"], "--dist-dir", folder)
    if os.path.exists(TRACKED):
        list_tracked()
    build(OUT)


def _metadata():
    """Core metadata as an installer would get it (PEP 517 prepare_metadata_for_build_wheel)."""
    chosen = backend()
    scratch = os.path.join(WORK, "scratch")
    os.makedirs(scratch)
    prepare = getattr(chosen, "prepare_metadata_for_build_wheel", None)
    if prepare:
        with open(os.path.join(scratch, prepare(scratch), "METADATA"), "rb") as file:
            content = file.read()
    else:
        with zipfile.ZipFile(os.path.join(scratch, chosen.build_wheel(scratch))) as wheel:
            content = wheel.read(next(name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)))
    with open(os.path.join(OUT, "METADATA"), "wb") as file:
        file.write(content)


def restore_names():
    """What tools of the time used and this Python dropped; what they write doesn't depend on it."""
    import collections.abc, distutils.cmd, distutils.command, inspect, types
    for name in collections.abc.__all__:
        setattr(collections, name, getattr(collections.abc, name))
    inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]
    for name in ("bdist_wininst", "bdist_msi"):
        if importlib.util.find_spec("distutils.command." + name) is None:
            module = types.ModuleType("distutils.command." + name)
            setattr(module, name, type(name, (distutils.cmd.Command,), {"_is_running": False, "initialize_options": lambda self: None, "finalize_options": lambda self: None}))
            setattr(distutils.command, name, module)
            sys.modules[module.__name__] = module
    import html, html.parser
    html.parser.HTMLParser.unescape = staticmethod(html.unescape)
    sys.modules.setdefault("symbol", types.ModuleType("symbol"))
    replace_open(lambda plain, file, mode="r", *arguments, **named: plain(file, mode.replace("U", ""), *arguments, **named))


def replace_open(wrapper):
    import builtins, functools
    builtins.open = io.open = functools.partial(wrapper, io.open)


def without_extensions():
    """The published wheel holds no machine code: the project was told to leave its extension modules out."""
    import setuptools.dist
    plain = setuptools.dist.Distribution.run_command

    def run_command(self, command):
        self.ext_modules = self.rust_extensions = None
        return plain(self, command)

    setuptools.dist.Distribution.run_command = run_command


def sort_requires():
    from setuptools.command import egg_info
    plain = egg_info._write_requirements
    egg_info._write_requirements = lambda stream, requires: plain(stream, sorted(egg_info.yield_lines(requires or ())))


def stop_clock():
    """What is made during this build, and the archive itself, bear the time of the publisher's build: two of ours are the same."""
    import gzip, tarfile, types
    started, clock, plain = os.path.getmtime(STARTED), int(PLAN["clock"] or 0), tarfile.TarFile.gettarinfo

    def gettarinfo(self, *arguments, **named):
        info = plain(self, *arguments, **named)
        if info and info.mtime >= int(started):
            info.mtime = clock
        return info

    tarfile.TarFile.gettarinfo = gettarinfo
    gzip.time = tarfile.time = types.SimpleNamespace(**{**vars(time), "time": lambda: clock})


def like_windows():
    """Text files end lines in CR LF, zip entries name MS-DOS as their system."""
    init = zipfile.ZipInfo.__init__

    def text_open(plain, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        if newline is None and "b" not in mode and set(mode) & set("wax+"):
            newline = "\r\n"
        return plain(file, mode, buffering, encoding, errors, newline, closefd, opener)

    def made_by_msdos(self, *arguments, **named):
        init(self, *arguments, **named)
        self.create_system = 0

    replace_open(text_open)
    zipfile.ZipInfo.__init__ = made_by_msdos


def set_clock(path, started, clock):
    """Entries that were made during this build get the time at which the publisher's build ran; others keep theirs."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as wheel:
        fresh = {info.header_offset for info in wheel.infolist() if is_fresh(info.date_time, started)}
        directory = wheel.start_dir
    year, month, day, hour, minute, second = time.gmtime(clock)[:6]
    stamp = struct.pack("<HH", hour << 11 | minute << 5 | second // 2, year - 1980 << 9 | month << 5 | day)
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        while content[directory:directory + 4] == b"PK\1\2":
            name, extra, comment = struct.unpack_from("<HHH", content, directory + 28)
            offset = struct.unpack_from("<I", content, directory + 42)[0]
            if offset in fresh:
                content[directory + 12:directory + 16] = content[offset + 10:offset + 14] = stamp
            directory += 46 + name + extra + comment
        file.seek(0)
        file.write(content)


def is_fresh(date_time, started):
    parts = date_time + (0, 0, -1)
    return any(started - 3 <= moment <= time.time() + 3 for moment in (calendar.timegm(parts), time.mktime(parts)))


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != WORK]
    if sys.argv[1].startswith("_") and PLAN["restoreNames"]:
        restore_names()
    {"fetch": fetch, "build": build, "_requires": _requires, "_wheel": _wheel, "_sdist": _sdist, "_metadata": _metadata}[sys.argv[1]]()
`;
