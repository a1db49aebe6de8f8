// What the programs have in them that others wrote, with its licence, as those licences ask for.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Licences that ask for no more than to be named. */
const ALLOWED = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause']

/** The files of packages that a build took, by the folder of the package. */
const filesByFolder = (metafiles) => {
  const found = new Map()
  for (const path of metafiles.flatMap(({ inputs }) => Object.keys(inputs)).sort()) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
    if (folder !== undefined) found.set(folder, [...(found.get(folder) ?? []), path])
  }
  return [...found]
}

/** The licence in a package's README; null if there is none. */
const inReadme = async (root, folder) => {
  const readme = await readFile(join(root, folder, 'README.md'), 'utf8').catch(() => '')
  return /^#+ *licen[cs]e\s*\n([\s\S]*Copyright[\s\S]*)$/im.exec(readme)?.[1].trim() ?? null
}

/**
 * Of an MIT package that comes without the file of its licence: what its README says, or whose it is, as its sources say,
 * and the terms as our own have them.
 */
const mitOf = async (root, folder, name, files) => {
  const told = await inReadme(root, folder)
  if (told !== null) return told
  const terms = (await readFile(join(root, 'LICENSE'), 'utf8')).replace(
    /^[\s\S]*?(?=Permission)/,
    '',
  )
  for (const file of files) {
    const [holder] = /Copyright.*/.exec(await readFile(join(root, file), 'utf8')) ?? []
    if (holder !== undefined) return `${holder.trim()}\n\n${terms.trim()}`
  }
  throw new Error(`nothing in ${name} says whose it is`)
}

const packageIn = async (root, folder, files) => {
  const { name, version, license } = JSON.parse(
    await readFile(join(root, folder, 'package.json'), 'utf8'),
  )
  if (!ALLOWED.includes(license)) throw new Error(`${name} ${version} is under ${license}`)
  const title = `${name} ${version} (${license})`
  const names = (await readdir(join(root, folder))).filter((file) =>
    /^(licen[cs]e|notice)/i.test(file),
  )
  if (names.length === 0 && license === 'MIT')
    return { title, text: await mitOf(root, folder, name, files) }
  if (names.length === 0) throw new Error(`${name} ${version} comes without its licence`)
  const texts = names.sort().map((file) => readFile(join(root, folder, file), 'utf8'))
  return { title, text: (await Promise.all(texts)).map((one) => one.trim()).join('\n\n') }
}

/** Throws where a licence is none of the allowed ones, or is not there. */
export const noticesOf = async (root, metafiles) => {
  const byText = new Map()
  for (const [folder, files] of filesByFolder(metafiles)) {
    const { title, text } = await packageIn(root, folder, files)
    byText.set(text, new Set(byText.get(text)).add(title))
  }
  const parts = [...byText].map(([text, titles]) => `${[...titles].join('\n')}\n\n${text}\n`)
  const head = 'The programs of ClawLink have these packages in them.\n'
  return [head, ...parts].join(`\n${'-'.repeat(80)}\n`)
}
