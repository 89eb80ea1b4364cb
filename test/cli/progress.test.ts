import { describe, expect, test } from 'vitest'
import { progressText, showProgress } from '../../server/src/cli/progress.ts'

describe('progress', () => {
  test.each([
    [{ name: 'reader', stage: 'train', done: 0, of: 100 }, 0, 'reader: train  ░░░░░░░░░░░░░░░░░░░░  0 of 100'],
    [{ name: 'reader', stage: 'train', done: 25, of: 100 }, 5000, 'reader: train  █████░░░░░░░░░░░░░░░  25 of 100  15 s left'],
    [{ name: 'reader', stage: 'reading', done: 3, of: 0 }, 5000, 'reader: reading  3'],
    [{ name: 'a\u001b[2J', stage: 'x', done: 0, of: 0 }, 0, 'a\\u001b[2J: x'],
  ])('%j after %i ms', (event, elapsed, text) => expect(progressText(event, elapsed, 100)).toBe(text))

  test('never wider than the terminal', () => {
    expect(progressText({ name: 'n'.repeat(40), stage: 's'.repeat(40), done: 1, of: 2 }, 9000, 60).length).toBeLessThan(60)
  })

  const written = (columns: number | undefined, steps: number) => {
    const lines: string[] = []
    let time = 0
    const progress = showProgress({ write: (text) => void lines.push(text), columns }, () => time)
    for (let i = 0; i < steps; i++) {
      progress.handle({ kind: 'step', name: 'm', stage: 'train', done: i, of: steps })
      time += 10
    }
    progress.end()
    return lines
  }
  test('a terminal sees at most ten pictures a second, and a clean line at the end', () => {
    const lines = written(80, 1000)
    expect(lines.length).toBeLessThan(105)
    expect(lines.at(-1)).toBe('\r\u001b[2K')
  })
  test('a log sees a line at each stage and every ten seconds, without escapes', () => {
    const lines = written(undefined, 2500)
    expect(lines).toHaveLength(3)
    expect(lines.join('')).not.toContain('\u001b')
  })
})
