import { ecosystemContract } from '@granary/contract/suites';
import { toPurl } from '@granary/core/model';
import { golang } from './index.ts';

const h1 = `h1:${Buffer.alloc(32, 7).toString('base64')}`;
const sums = `tiny.example/box v1.0.0 ${h1}\ntiny.example/box v1.0.0/go.mod ${h1}\n`;

ecosystemContract({
  ecosystem: golang,
  document: { bytes: new TextEncoder().encode('v1.0.0\nv1.1.0\n'), contentType: 'text/plain; charset=utf-8', package: toPurl('pkg:golang/tiny.example/box') },
  lockfile: { fileName: 'go.sum', bytes: new TextEncoder().encode(sums) },
});
