import { type Sha256, sha256 } from '../../model/index.ts';
import type { Judged, RebuiltFile } from '../index.ts';

const name = 'pkg:pypi/six@1.16.0?file_name=six-1.16.0-py2.py3-none-any.whl';
export const published: Sha256 = sha256('published');

export const rebuilt: RebuiltFile = {
  subject: { name, sha256: sha256('rebuilt') },
  definition: sha256('definition'),
  rootfs: sha256('rootfs'),
  fetched: [
    { purl: 'pkg:pypi/wheel@0.42.0?file_name=wheel.whl', url: '/pypi/files/wheel.whl', sha256: sha256('wheel') },
    { url: '/pypi/simple/setuptools/', sha256: sha256('index') },
    { purl: 'pkg:pypi/wheel@0.42.0?file_name=wheel.whl', url: '/pypi/files/wheel.whl', sha256: sha256('wheel') },
  ],
  parameters: { compressor: 'deflate-6' },
};

/** A wheel whose rebuild is equivalent after one normalizer. */
export const judgedWheel: Judged = {
  subject: { name, sha256: published },
  verdictKey: sha256('verdict'),
  verdict: 'reproduced-normalized',
  sourceTier: 'publisher-archive',
  rebuilt,
  compared: {
    blob: sha256('comparison'),
    comparison: {
      upstream: published,
      rebuild: rebuilt.subject.sha256,
      rung: 'equivalent',
      ruleset: sha256('ruleset'),
      needed: [{ name: 'zip-times', version: 1, reason: 'times of entries carry no code' }],
      normalizedSha256: sha256('normalized'),
      residue: [],
      residueOmitted: 0,
      findings: [],
    },
  },
  policy: { uri: 'https://mirror.example/policy/verified', digest: sha256('policy'), met: true },
};
