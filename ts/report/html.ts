/** Text that is already HTML and is not escaped again. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Makes any text safe inside an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}

export type Fragment = Markup | string | number | null | readonly Fragment[]

function render(fragment: Fragment): string {
  if (fragment === null) return ''
  if (fragment instanceof Markup) return fragment.text
  if (typeof fragment === 'string') return escapeHtml(fragment)
  if (typeof fragment === 'number') return String(fragment)
  return fragment.map(render).join('')
}

/** A template whose holes are escaped unless they are Markup themselves; lists are joined, null is nothing. */
export function html(strings: TemplateStringsArray, ...holes: Fragment[]): Markup {
  return new Markup(strings.reduce((text, part, index) => text + render(holes[index - 1]!) + part))
}
