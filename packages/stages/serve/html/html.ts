/** Text that is safe to stand in HTML. Only {@link html} makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Piece = Html | string | number | undefined | readonly Piece[];

/** Everything put in is escaped, unless it is Html itself: no page can forget to. Attribute values stand in double quotes. */
export function html(template: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(template.reduce((text, part, index) => `${text}${part}${render(pieces[index])}`, ''));
}

function render(piece: Piece): string {
  if (piece === undefined) return '';
  if (piece instanceof Html) return piece.text;
  if (Array.isArray(piece)) return piece.map(render).join('');
  return String(piece).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
