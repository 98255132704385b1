import { describe, expect, it } from 'vitest';
import { parseSimplePage } from './schema.ts';

const digest = 'a'.repeat(64);
const parse = (text: string, contentType: string) => parseSimplePage(new TextEncoder().encode(text), 'https://registry.example/simple/six/', contentType);

describe('an index page', () => {
  it('is read as HTML, with what its anchors say', () => {
    const anchor = `<a href="../../packages/six-1.0.tar.gz#sha256=${digest}" data-requires-python="&gt;=3.8" data-upload-time="2019-11-23T09:24:19.013574Z" data-yanked="bad" data-core-metadata="sha256=${digest}">six-1.0.tar.gz</a>`;

    expect(parse(`<!DOCTYPE html><html><body>${anchor}</body></html>`, 'text/html').files).toEqual([
      {
        fileName: 'six-1.0.tar.gz',
        url: 'https://registry.example/packages/six-1.0.tar.gz',
        digests: { sha256: digest },
        uploadTime: '2019-11-23T09:24:19.013Z',
        requiresPython: '>=3.8',
        yanked: true,
        yankedReason: 'bad',
        coreMetadata: { sha256: digest },
        signature: 'unknown',
      },
    ]);
  });

  it('is read as JSON, with relative addresses made absolute', () => {
    const page = {
      meta: { 'api-version': '1.1' },
      name: 'six',
      files: [
        {
          filename: 'six-1.0.tar.gz',
          url: '../x/six-1.0.tar.gz',
          hashes: { sha256: digest },
          size: 7,
          'upload-time': '2020-01-01T00:00:00+01:00',
          yanked: false,
        },
      ],
    };

    expect(parse(JSON.stringify(page), 'application/vnd.pypi.simple.v1+json').files).toMatchObject([
      { url: 'https://registry.example/simple/x/six-1.0.tar.gz', sizeBytes: 7, uploadTime: '2019-12-31T23:00:00.000Z', yanked: false },
    ]);
  });

  it('that is neither is refused, and says where it is wrong', () => {
    expect(() => parse('{"meta":{"api-version":"1.1"}', 'application/json')).toThrow(/not JSON/);
    expect(() => parse('{"meta":{"api-version":"1.1"},"name":1,"files":[]}', 'application/json')).toThrow(/name/);
    expect(() => parse('gateway error', 'text/html')).toThrow(/neither HTML nor JSON/);
    expect(() => parse('{"meta":{"api-version":"2.0"},"name":"x","files":[]}', 'application/json')).toThrow(/api-version/);
  });
});
