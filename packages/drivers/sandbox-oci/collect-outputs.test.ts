import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { collectOutputs } from './collect-outputs.ts';

const LIMITS = { outputBytes: 100, outputFiles: 3 };
type Entry = Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly content?: string };

function tar(...entries: readonly Entry[]): Readable {
  const packing = pack();
  for (const { content, ...header } of entries) packing.entry(header, content ?? '');
  packing.finalize();
  return Readable.from(packing);
}

describe('the tar of the outputs', () => {
  it('is taken up to its limits, exactly', async () => {
    const taken = await collectOutputs(
      tar({ name: './', type: 'directory' }, { name: './b', content: 'x'.repeat(60) }, { name: './a', content: 'x'.repeat(40) }, { name: './c' }),
      LIMITS,
    );

    expect(taken).toMatchObject({ outputs: [{ path: 'a' }, { path: 'b' }, { path: 'c' }], refused: [], isCutOff: false });
  });

  it('is cut off at the first entry beyond its limits', async () => {
    const large = await collectOutputs(tar({ name: './a', content: 'x'.repeat(60) }, { name: './b', content: 'x'.repeat(41) }, { name: './c' }), LIMITS);
    const many = await collectOutputs(tar({ name: './a' }, { name: './b', type: 'symlink', linkname: 'a' }, { name: './c' }, { name: './d' }), LIMITS);

    expect(large).toMatchObject({ outputs: [{ path: 'a' }], refused: [{ path: 'b', why: 'more than 100 bytes of outputs' }], isCutOff: true });
    expect(many).toMatchObject({
      outputs: [{ path: 'a' }, { path: 'c' }],
      refused: [
        { path: 'b', why: 'symbolic link' },
        { path: 'd', why: 'more than 3 entries' },
      ],
      isCutOff: true,
    });
  });

  it('is not taken for whole when it ends early', async () => {
    const whole = Buffer.concat(await tar({ name: './a', content: 'x'.repeat(50) }).toArray());

    await expect(collectOutputs(Readable.from([whole.subarray(0, 520)]), LIMITS)).rejects.toThrow();
  });
});
