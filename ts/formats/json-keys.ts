/**
 * Finds a key that occurs twice in one object of a JSON text, which JSON.parse would silently drop.
 *
 * @param json a text that JSON.parse accepts
 * @returns the key and its offset in characters, or null
 */
export function duplicateKey(json: string): { key: string; offset: number } | null {
  // One entry for each open bracket: the keys of an object, null for an array.
  const open: (Set<string> | null)[] = []
  for (let i = 0; i < json.length; i++) {
    const character = json[i]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(null)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const offset = i
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++
      const keys = open[open.length - 1]
      if (!keys || !colonFollows(json, i + 1)) continue
      const key = JSON.parse(json.slice(offset, i + 1)) as string
      if (keys.has(key)) return { key, offset }
      keys.add(key)
    }
  }
  return null
}

function colonFollows(json: string, start: number): boolean {
  let i = start
  while (json[i] === ' ' || json[i] === '\t' || json[i] === '\n' || json[i] === '\r') i++
  return json[i] === ':'
}
