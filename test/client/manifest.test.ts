import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { serverSettings } from '../../client/src/server-settings.ts'
import { defaultSettings } from '../../server/src/protocol/messages.ts'

/** What the manifest says, held against the files and the code that it speaks of. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json'))
const { contributes } = manifest
const declared: string[] = contributes.commands.map((one: { command: string }) => one.command)
const settings: Record<string, { default: unknown; scope: string; markdownDescription?: string }> = contributes.configuration.properties

describe('the manifest', () => {
  test('declares the commands that the palette registers, no others', () => {
    const registered = [...read('client/src/palette.ts').matchAll(/^ {4}(\w+): /gm)].map((found) => `assay.${found[1]}`)
    expect([...declared].sort()).toEqual(registered.sort())
  })

  test('names declared commands in menus, keys and the walkthrough', () => {
    const menus = Object.values<{ command?: string }[]>(contributes.menus).flat()
    const used = [...menus, ...contributes.keybindings].flatMap((one: { command?: string }) => one.command ?? [])
    const steps = contributes.walkthroughs.flatMap((one: { steps: { description: string }[] }) => one.steps)
    const linked = steps.flatMap((one: { description: string }) =>
      [...one.description.matchAll(/\(command:([\w.]+)\)/g)].map((found) => found[1]),
    )
    expect(linked).toHaveLength(5)
    expect([...used, ...linked].filter((command) => !declared.includes(command))).toEqual([])
  })

  test('gives every command a title in the category Assay', () => {
    expect(contributes.commands.filter((one: { title?: string; category?: string }) => !one.title || one.category !== 'Assay')).toEqual([])
  })

  test('has files where it says there are', () => {
    const [language] = contributes.languages
    const pictures = contributes.walkthroughs[0].steps.map((one: { media: { svg: string } }) => one.media.svg)
    const paths = [
      manifest.icon,
      language.configuration,
      language.icon.light,
      language.icon.dark,
      contributes.grammars[0].path,
      ...pictures,
    ]
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('has pictures without script, style or addresses', () => {
    for (const { media } of contributes.walkthroughs[0].steps) {
      expect(read(media.svg)).not.toMatch(/<script|style=|<style|(?<!xmlns=")https?:|\bon\w+=/)
    }
  })

  test('has about ten settings, each with a reason, and all of them in the README', () => {
    const names = Object.keys(settings)
    const readme = read('README.md')
    expect(names.length).toBeLessThanOrEqual(12)
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
    expect(names.filter((name) => (settings[name]!.markdownDescription ?? '').split('. ').length < 2)).toEqual([])
  })

  test('has the defaults of the server', () => {
    const section: Record<string, unknown> = {}
    for (const [name, { default: value }] of Object.entries(settings)) {
      const [, first, second] = name.split('.')
      if (second === undefined) section[first!] = value
      else section[first!] = { ...(section[first!] as object | undefined), [second]: value }
    }
    expect(serverSettings(section)).toMatchObject({ ...defaultSettings })
  })

  test('lets nothing in a folder name a program to run', () => {
    expect(settings['assay.runtime']!.scope).toBe('machine')
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toContain('assay.runtime')
  })

  test('matches problems as the command line prints them', () => {
    const [pattern] = contributes.problemPatterns
    const lines = [
      [
        'shop.assay:9:22 error No column `vists` in `people`. Did you mean `visits`? [unknown-column]',
        'shop.assay',
        '9',
        '22',
        'error',
        'unknown-column',
      ],
      ['C:\\my specs\\a b.assay:1:1 warning It is long. [some-code]', 'C:\\my specs\\a b.assay', '1', '1', 'warning', 'some-code'],
    ] as const
    for (const [line, ...expected] of lines) {
      const found = new RegExp(pattern.regexp).exec(line)!
      expect([pattern.file, pattern.line, pattern.column, pattern.severity, pattern.code].map((group: number) => found[group])).toEqual(
        expected,
      )
    }
    expect(new RegExp(pattern.regexp).test('3 errors, 1 warning.')).toBe(false)
  })
})
