/**
 * Documents with places where a line may break, and their layout within a width (Wadler, "A prettier printer", with the filled lists of prettier).
 * Blanks are lazy: one at the start or the end of a line is dropped, and a line break at the start of a line does nothing, so that a comment may end a line anywhere.
 */
export type Doc =
  | { readonly kind: 'text'; readonly text: string; readonly hard: false }
  /** Blanks; none at the start of a line. */
  | { readonly kind: 'blank'; readonly width: number; readonly hard: false }
  /** A blank, or a break where the group does not fit. */
  | { readonly kind: 'line'; readonly hard: false }
  /** A break always. */
  | { readonly kind: 'break'; readonly hard: true }
  | { readonly kind: 'concat'; readonly parts: readonly Doc[]; readonly hard: boolean }
  /** On one line if it fits, else all of its own lines break. */
  | { readonly kind: 'group'; readonly inside: Doc; readonly hard: boolean }
  /** Lines inside begin at this column, or where the document begins. */
  | { readonly kind: 'align'; readonly column: number | 'here'; readonly inside: Doc; readonly hard: boolean }
  /** Items with separators between them, as many on a line as fit. */
  | { readonly kind: 'fill'; readonly parts: readonly Doc[]; readonly hard: boolean }

export const text = (value: string): Doc => ({ kind: 'text', text: value, hard: false })
export const blank = (width: number): Doc => ({ kind: 'blank', width, hard: false })
export const nothing: Doc = { kind: 'concat', parts: [], hard: false }
export const line: Doc = { kind: 'line', hard: false }
export const lineBreak: Doc = { kind: 'break', hard: true }
export const concat = (parts: readonly Doc[]): Doc => {
  if (parts.length === 1) return parts[0]!
  return { kind: 'concat', parts, hard: parts.some((part) => part.hard) }
}
export const group = (inside: Doc): Doc => ({ kind: 'group', inside, hard: inside.hard })
export const align = (column: number | 'here', inside: Doc): Doc => ({ kind: 'align', column, inside, hard: inside.hard })
export const fill = (parts: readonly Doc[]): Doc => {
  if (parts.length === 1) return parts[0]!
  return { kind: 'fill', parts, hard: parts.some((part) => part.hard) }
}

type Mode = 'flat' | 'broken'
interface Command {
  readonly indent: number
  readonly mode: Mode
  readonly doc: Doc
}

/** The text of a document that starts in the first column. Linear but for the looks ahead, which end with the line. */
export const render = (doc: Doc, width: number): string => {
  let out = ''
  let column = 0
  let fresh = true
  let blanks = 0
  const commands: Command[] = [{ indent: 0, mode: 'broken', doc }]

  const write = (value: string): void => {
    const gap = fresh ? column : blanks
    out += ' '.repeat(gap) + value
    column += (fresh ? 0 : gap) + value.length
    fresh = false
    blanks = 0
  }
  const newLine = (indent: number): void => {
    if (!fresh) out += '\n'
    fresh = true
    blanks = 0
    column = indent
  }
  const here = (): number => column + (fresh ? 0 : blanks)

  for (let command = commands.pop(); command !== undefined; command = commands.pop()) {
    const { indent, mode } = command
    const one = command.doc
    switch (one.kind) {
      case 'text':
        write(one.text)
        break
      case 'blank':
        if (!fresh) blanks = Math.max(blanks, one.width)
        break
      case 'line':
        if (mode === 'broken') newLine(indent)
        else if (!fresh) blanks = Math.max(blanks, 1)
        break
      case 'break':
        newLine(indent)
        break
      case 'concat':
        for (let at = one.parts.length - 1; at >= 0; at--) commands.push({ indent, mode, doc: one.parts[at]! })
        break
      case 'align':
        commands.push({ indent: one.column === 'here' ? here() : one.column, mode, doc: one.inside })
        break
      case 'group': {
        const flat = !one.hard && (mode === 'flat' || fits({ indent, mode: 'flat', doc: one.inside }, commands, width - here()))
        commands.push({ indent, mode: flat ? 'flat' : 'broken', doc: one.inside })
        break
      }
      case 'fill':
        layFill(one.parts, indent, mode, commands, width - here())
        break
    }
  }
  return out
}

/** Puts the first item of a fill, its separator and the rest on the stack. */
const layFill = (parts: readonly Doc[], indent: number, mode: Mode, commands: Command[], room: number): void => {
  const [first, separator, ...rest] = parts
  if (first === undefined) return
  const firstFits = !first.hard && fits({ indent, mode: 'flat', doc: first }, separator === undefined ? commands : [], room)
  const firstCommand: Command = { indent, mode: firstFits ? 'flat' : 'broken', doc: first }
  if (separator === undefined) {
    commands.push(firstCommand)
    return
  }
  const second = rest[0]!
  const both = concat([first, separator, second])
  const bothFit = !both.hard && fits({ indent, mode: 'flat', doc: both }, rest.length === 1 ? commands : [], room)
  if (rest.length > 0) commands.push({ indent, mode, doc: { kind: 'fill', parts: rest, hard: rest.some((part) => part.hard) } })
  commands.push({ indent, mode: mode === 'flat' || bothFit ? 'flat' : 'broken', doc: separator }, firstCommand)
}

/** Whether a document, and what follows it up to the next possible break, fits into the room. */
const fits = (first: Command, rest: readonly Command[], room: number): boolean => {
  const commands = [first]
  let left = room
  let blanks = 0
  let restAt = rest.length
  while (left >= 0) {
    const command = commands.pop() ?? rest[--restAt]
    if (command === undefined) return true
    const { indent, mode, doc } = command
    switch (doc.kind) {
      case 'text':
        left -= blanks + doc.text.length
        blanks = 0
        break
      case 'blank':
        blanks = Math.max(blanks, doc.width)
        break
      case 'line':
        if (mode === 'broken') return true
        blanks = Math.max(blanks, 1)
        break
      case 'break':
        return true
      case 'concat':
      case 'fill':
        for (let at = doc.parts.length - 1; at >= 0; at--) commands.push({ indent, mode, doc: doc.parts[at]! })
        break
      case 'group':
        commands.push({ indent, mode: doc.hard ? 'broken' : mode, doc: doc.inside })
        break
      case 'align':
        commands.push({ indent, mode, doc: doc.inside })
        break
    }
  }
  return false
}
