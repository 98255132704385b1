import correct from 'spdx-correct';
import parseExpression from 'spdx-expression-parse';

const MAX_EXPRESSION_LENGTH = 1000;
/** Longer texts are licences themselves, not their names: whatever is guessed from one of their words is wrong. */
const MAX_NAME_LENGTH = 100;

/** Is this an SPDX licence expression (SPDX 2.3, annex D) of at most 1000 characters? */
export function isSpdxExpression(text: string): boolean {
  if (text.length > MAX_EXPRESSION_LENGTH) return false;
  try {
    parseExpression(text);
    return true;
  } catch {
    return false;
  }
}

/** The SPDX expression that a package's free text means, such as `MIT` of `MIT License`; undefined where that can't be told. */
export function spdxExpressionOf(text: string): string | undefined {
  if (isSpdxExpression(text)) return text;
  const isName = text.trim() !== '' && text.length <= MAX_NAME_LENGTH;
  return isName ? (correct(text) ?? undefined) : undefined;
}
