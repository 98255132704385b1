import type { AttestedSource } from '@granary/contract/ports';
import { parseRepository } from '@granary/core/git';
import { ASN1Obj } from '@sigstore/core';
import type { Signer } from '@sigstore/verify';

/** Fulcio's arc of extensions, those that every issuer's certificates may have (fulcio docs, oid-info): a DER UTF8String each. */
const ARC = '1.3.6.1.4.1.57264.1.';
const ISSUER = `${ARC}8`;
const SOURCE_REPOSITORY = `${ARC}12`;
const SOURCE_COMMIT = `${ARC}13`;
const SOURCE_REF = `${ARC}14`;
const BUILD_CONFIG = `${ARC}18`;

const UTF8_STRING = 0x0c;
const MAX_CHARS = 1024;
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** What a certificate that was checked says of the source of what its key signed, or why it says nothing. */
export function sourceOfCertificate(identity: Signer['identity']): AttestedSource | string {
  const said = (oid: string) => extensionText(identity, oid);
  const [issuer, address, commit] = [said(ISSUER), said(SOURCE_REPOSITORY), said(SOURCE_COMMIT)];
  const name = identity?.subjectAlternativeName;
  const repository = address === undefined ? undefined : parseRepository(address)?.purl;
  if (issuer === undefined || address === undefined || repository === undefined) return 'its certificate names no source repository';
  if (commit === undefined || !COMMIT.test(commit)) return 'its certificate names no commit';
  if (name === undefined || !isLine(name)) return 'its certificate was issued for no name that can be read';
  if (!name.startsWith(`${address}/`)) return `signed as ${name}, which doesn't lie in ${address}`;
  const [ref, workflow] = [said(SOURCE_REF), said(BUILD_CONFIG)];
  return { repository, commit, issuer, identity: name, ...(ref === undefined ? {} : { ref }), ...(workflow === undefined ? {} : { workflow }) };
}

/** Undefined where it isn't there, is there twice, or is no text of one line. */
function extensionText(identity: Signer['identity'], oid: string): string | undefined {
  const [found, ...others] = (identity?.oids ?? []).filter((extension) => extension.oid?.id.join('.') === oid);
  if (found === undefined || others.length > 0) return undefined;
  const { tag, value } = ASN1Obj.parseBuffer(Buffer.from(found.value));
  const text = tag.isUniversal() && tag.number === UTF8_STRING ? value.toString('utf8') : '';
  return isLine(text) ? text : undefined;
}

function isLine(text: string): boolean {
  return text !== '' && text.length <= MAX_CHARS && !/\p{Cc}/u.test(text);
}
