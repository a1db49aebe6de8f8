import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './server.ts'

export interface Certificate {
  cert: string
  key: string
}

/** An authority of our own, and certificates that it signs, in files. */
export const authority = () => {
  const dir = tempDir('tls')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const ca = join(dir, 'ca.pem')
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority'],
  )
  let made = 0
  const sign = (names: string): Certificate => {
    const name = `c${++made}`
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=test'],
    )
    writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\n`)
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    )
    return { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  }
  return { ca, sign }
}
