import type { Discovery } from '@granary/contract/ecosystem';

/** Asks pip: the machine's own, or the one that Python brings for new environments. Settings of uv and pip come before pip's default. */
const ASK_PIP = `
import glob, importlib.util, json, os, sys
if importlib.util.find_spec('pip') is None:
    bundled = importlib.util.find_spec('ensurepip')
    folders = ['/usr/share/python-wheels'] + ([os.path.join(os.path.dirname(bundled.origin), '_bundled')] if bundled else [])
    sys.path[:0] = [wheel for folder in folders for wheel in glob.glob(os.path.join(folder, 'pip-*.whl'))]
from pip._internal.configuration import Configuration
from pip._internal.models.index import PyPI
configuration = Configuration(isolated=False)
configuration.load()
configured = dict(configuration.items())
index = os.environ.get('UV_DEFAULT_INDEX') or os.environ.get('UV_INDEX_URL') or configured.get(':env:.index-url') or configured.get('install.index-url') or configured.get('global.index-url') or PyPI.simple_url
files = ['https://' + PyPI.file_storage_domain] if index.rstrip('/') == PyPI.simple_url.rstrip('/') else []
print(json.dumps({'index': index, 'files': files}))
`;

export const pypiDiscovery: Discovery = {
  argv: ['python3', '-c', ASK_PIP],
  parse(output) {
    try {
      const { index, files }: { readonly index?: unknown; readonly files?: unknown } = JSON.parse(output);
      if (typeof index !== 'string' || URL.parse(index) === null || !Array.isArray(files)) return undefined;
      return { index: index.endsWith('/') ? index : `${index}/`, files: files.filter((file) => typeof file === 'string') };
    } catch {
      return undefined;
    }
  },
};
