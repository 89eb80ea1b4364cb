/**
 * Rows of one height, of which only those near what is seen are in the page: at most what fits, and a few on either side. The row that has the focus stays
 * wherever it is scrolled to, so that the focus is not lost. Drawing costs O(rows seen), however many there are.
 */
export interface VirtualRows {
  /** How many there are, and that their contents may have changed. */
  reset(count: number): void
  /** Binds those in the page again: their looks have changed, not their order. */
  refresh(): void
  pin(position: number): void
  reveal(position: number): void
  at(position: number): HTMLElement | undefined
  /** Rows that fit, for paging. */
  fitting(): number
  draw(): void
}
export interface VirtualOptions {
  readonly scroller: HTMLElement
  readonly body: HTMLElement
  /** Stays above the rows; they scroll beneath it. */
  readonly head: HTMLElement
  readonly rowHeight: () => number
  readonly make: () => HTMLElement
  readonly bind: (row: HTMLElement, position: number) => void
}

const beyond = 8

export function virtualRows({ scroller, body, head, rowHeight, make, bind }: VirtualOptions): VirtualRows {
  const live = new Map<number, HTMLElement>()
  const spare: HTMLElement[] = []
  let count = 0
  let pinned = -1
  let scheduled = false

  const room = () => Math.max(0, scroller.clientHeight - head.offsetHeight)
  const fitting = () => Math.max(1, Math.floor(room() / rowHeight()))

  function wanted(): number[] {
    const height = rowHeight()
    const first = Math.max(0, Math.floor(scroller.scrollTop / height) - beyond)
    const last = Math.min(count - 1, Math.ceil((scroller.scrollTop + room()) / height) + beyond)
    const positions: number[] = []
    if (pinned >= 0 && pinned < first) positions.push(pinned)
    for (let position = first; position <= last; position++) positions.push(position)
    if (pinned > last && pinned < count) positions.push(pinned)
    return positions
  }

  function draw(): void {
    scheduled = false
    const positions = wanted()
    if (positions.length > 0 && !positions.some((position) => live.has(position))) replaceAll(positions)
    const keep = new Set(positions)
    for (const [position, row] of live) {
      if (keep.has(position)) continue
      row.remove()
      live.delete(position)
      if (spare.length < 64) spare.push(row)
    }
    // From the last to the first, so that what is new is put before what is there: nothing that may have the focus is moved.
    let next: HTMLElement | null = null
    for (const position of positions.reverse()) {
      let row = live.get(position)
      if (!row) {
        row = spare.pop() ?? make()
        put(row, position)
        body.insertBefore(row, next)
      }
      next = row
    }
  }

  function put(row: HTMLElement, position: number): void {
    row.style.transform = `translateY(${position * rowHeight()}px)`
    bind(row, position)
    live.set(position, row)
  }

  /** A leap: nothing of what is there stays, so each row is filled again where it stands. */
  function replaceAll(positions: readonly number[]): void {
    const rows = [...live].sort(([a], [b]) => a - b).slice(0, positions.length)
    for (const [position] of rows) live.delete(position)
    for (const [i, [, row]] of rows.entries()) put(row, positions[i]!)
  }

  const soon = () => {
    if (scheduled) return
    scheduled = true
    requestAnimationFrame(draw)
  }
  scroller.addEventListener('scroll', soon, { passive: true })
  new ResizeObserver(soon).observe(scroller)

  const rebind = () => {
    for (const [position, row] of live) put(row, position)
  }
  return {
    reset: (next) => {
      count = next
      if (pinned >= count) pinned = -1
      body.style.height = `${count * rowHeight()}px`
      for (const [position, row] of live) {
        if (position < count) continue
        row.remove()
        live.delete(position)
      }
      rebind()
      draw()
    },
    refresh: rebind,
    pin: (position) => {
      pinned = position
      draw()
    },
    reveal: (position) => {
      const height = rowHeight()
      const top = position * height
      const seen = room()
      if (top < scroller.scrollTop) scroller.scrollTop = top
      else if (top + height > scroller.scrollTop + seen) scroller.scrollTop = top + height - seen
      draw()
    },
    at: (position) => live.get(position),
    fitting,
    draw,
  }
}
