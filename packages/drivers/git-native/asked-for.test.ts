import { describe, expect, it } from 'vitest';
import { askedFor } from './asked-for.ts';
import { inPieces } from './test/upstream-repository.ts';

async function isForObjects(text: string, operation: 'advertise' | 'upload-pack' = 'upload-pack', piece = 65_536): Promise<boolean> {
  const asked = askedFor({ operation, body: inPieces(Buffer.from(text), piece) });
  const passed = await Array.fromAsync(asked.request.body);
  expect(Buffer.concat(passed).toString()).toBe(text);
  return asked.forObjects();
}

describe('a request', () => {
  it.each([1, 5, 65_536])('is for refs or for objects, however it is cut: by %i bytes', async (piece) => {
    expect(await isForObjects('0014command=ls-refs\n0000', 'upload-pack', piece)).toBe(false);
    expect(await isForObjects('0013command=ls-refs0001', 'upload-pack', piece)).toBe(false);
    expect(await isForObjects('0012command=fetch\n0001', 'upload-pack', piece)).toBe(true);
    expect(await isForObjects(`0032want ${'1'.repeat(40)}\n00000009done\n`, 'upload-pack', piece)).toBe(true);
  });

  it('without a body lists what there is', async () => {
    expect(await isForObjects('', 'advertise')).toBe(false);
  });
});
